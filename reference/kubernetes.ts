import { ALWAYS_ALLOWED, NO_POLICY, type Outcome, type Side } from "./answers.ts";
import { tierSide } from "./cluster-network-policies.ts";
import { isForeign, withForeign } from "./foreign-policies.ts";
import type { Leg } from "./legs.ts";
import { type Direction, networkPolicySide, type Scene } from "./network-policies.ts";
import { groupOf, type KubeObject } from "./objects.ts";
import type { NodeParty, Party } from "./parties.ts";

/** The accepted policies that the bare standard knows, by kind, and those that it does not. */
export interface KubernetesPolicies {
  readonly networkPolicies: readonly KubeObject[];
  readonly clusterPolicies: readonly KubeObject[];
  readonly foreign: readonly KubeObject[];
}

export function kubernetesPolicies(objects: readonly KubeObject[]): KubernetesPolicies {
  return {
    networkPolicies: objects.filter(isNetworkPolicy),
    clusterPolicies: objects.filter(isClusterPolicy),
    foreign: objects.filter((object) => isForeign(object, "kubernetes")),
  };
}

export function isNetworkPolicy(object: KubeObject): boolean {
  return object.kind === "NetworkPolicy" && groupOf(object) === "networking.k8s.io";
}

export function isClusterPolicy(object: KubeObject): boolean {
  return (
    groupOf(object) === "policy.networking.k8s.io" &&
    ["ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy"].includes(object.kind)
  );
}

/** Egress at the source, ingress at the destination (K8-34, K8-71). */
export function kubernetesOutcome(leg: Leg, policies: KubernetesPolicies, scene: Scene): Outcome {
  // K8-34 step 2, K8-43, CNP-24: a pod reaching its own address is judged by nobody, nor is a node.
  if (isItself(leg) || isSameNode(leg)) return { egress: ALWAYS_ALLOWED, ingress: ALWAYS_ALLOWED };
  return {
    egress: sideOfPod("egress", leg.source, leg.target, policies, scene),
    ingress: sideOfPod("ingress", leg.target, sourceSeen(leg, scene), policies, scene),
  };
}

export function isItself(leg: Leg): boolean {
  return (
    leg.dialled === undefined &&
    leg.source.kind === "pod" &&
    leg.target.kind === "pod" &&
    leg.source.pod === leg.target.pod
  );
}

export function isSameNode(leg: Leg): boolean {
  const { source, target } = leg;
  if (source.kind !== "node" || target.kind !== "node") return false;
  if (source.place === "local" || target.place === "local")
    return source.place !== "remote" && target.place !== "remote";
  return source.node !== undefined && source.node === target.node;
}

/** Admin tier, NetworkPolicy, Baseline tier, and at the end ALLOW (CNP-18). */
function sideOfPod(
  direction: Direction,
  subject: Party,
  remote: Party,
  policies: KubernetesPolicies,
  scene: Scene,
): Side {
  // K8-34 step 1, K8-41, CNP-07: only a pod with its own network namespace is a subject.
  if (subject.kind === "stray")
    return scene.unknowns.ask(`policies of ${direction}`, { code: "unknown-address", detail: "an unknown pod" })
      ? NO_POLICY
      : { ...NO_POLICY, verdict: "deny", reason: "default-deny" };
  if (subject.kind !== "pod") return NO_POLICY;
  const { pod } = subject;
  const side =
    tierSide(policies.clusterPolicies, "Admin", direction, pod, remote, scene) ??
    networkPolicySide(policies.networkPolicies, direction, pod, remote, scene) ??
    tierSide(policies.clusterPolicies, "Baseline", direction, pod, remote, scene) ??
    NO_POLICY;
  return withForeign(side, subject, policies.foreign, scene);
}

/**
 * Whom the target sees. A client that came through a node's or balancer's address keeps its address with
 * `externalTrafficPolicy: Local`, else it may be seen as the node that forwarded it (SVC-03, SVC-11, SVC-14).
 */
export function sourceSeen(leg: Leg, scene: Scene): Party {
  const { dialled, source, target } = leg;
  if (dialled === undefined || dialled.entry === "cluster") return source;
  const detail = `${dialled.service.namespace}/${dialled.service.name}`;
  const isLocal = dialled.service.externalTrafficPolicy === "Local";
  if (isLocal && source.kind !== "pod") return source;
  const forwarder: NodeParty = dialled.node ?? {
    kind: "node",
    place: "somewhere",
    node: undefined,
    id: "forwarding node",
    addresses: [],
  };
  const elsewhere =
    target.kind === "pod" && target.pod.node !== undefined && forwarder.node !== undefined
      ? target.pod.node !== forwarder.node.name
      : undefined;
  if (elsewhere === true && source.kind !== "pod" && source.kind !== "node") return forwarder;
  // Forwarded traffic is not the node's own: only its address counts.
  return scene.unknowns.choose<Party>(`source through ${detail}`, [source, { ...forwarder, place: "remote" }], {
    code: "source-rewritten",
    detail,
  });
}
