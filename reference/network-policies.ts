import { isInBlock } from "./address-blocks.ts";
import { type Family, isInside, parsePrefixLeniently } from "./addresses.ts";
import { type Decider, type Side, sideOf } from "./answers.ts";
import { type Cluster, namespaceLabel } from "./cluster.ts";
import type { Traffic } from "./flows.ts";
import type { Dialled } from "./legs.ts";
import type { KubeObject } from "./objects.ts";
import type { ReferenceOptions } from "./options.ts";
import { isOwnNode, type Party } from "./parties.ts";
import { hasPorts } from "./protocols.ts";
import { readSelector, selects } from "./selectors.ts";
import type { Unknowns } from "./unknowns.ts";
import { type Fields, fieldsOf, isGiven, itemsOf, textOf, textsOf, wholeOf } from "./values.ts";
import type { ContainerPort, Pod } from "./workloads.ts";
import type { Because } from "./reasons.ts";

export type Direction = "ingress" | "egress";

/** One side of a connection as one possible world sees it. */
export interface Scene {
  readonly cluster: Cluster;
  readonly options: ReferenceOptions;
  readonly unknowns: Unknowns;
  readonly family: Family;
  readonly traffic: Traffic;
  readonly dialled: Dialled | undefined;
}

/**
 * The NetworkPolicy tier: the verdict of the policies that isolate the pod in this direction, or undefined when none
 * does (K8-34 steps 3 to 7, K8-70).
 */
export function networkPolicySide(
  policies: readonly KubeObject[],
  direction: Direction,
  pod: Pod,
  remote: Party,
  scene: Scene,
): Side | undefined {
  // K8-34 step 4: policies of the pod's namespace that select it and name this direction.
  const isolating = policies.filter(
    (policy) =>
      policy.namespace === pod.namespace &&
      policyTypes(specOf(policy)).includes(direction) &&
      selects(readSelector(specOf(policy)["podSelector"]), (key) => pod.labels.get(key), scene.unknowns),
  );
  // K8-34 step 5.
  if (isolating.length === 0) return undefined;
  // K8-34 step 3, K8-38, K8-39, K8-74: traffic with the pod's own node.
  if (isOnOwnNode(remote, pod, scene)) return sideOf("allow", "always-allowed", []);
  // K8-34 step 6: union of all rules of all these policies.
  const matching = isolating.flatMap((policy) =>
    itemsOf(specOf(policy)[direction])
      .map((rule, index) => ({ rule: fieldsOf(rule), index }))
      .filter(({ rule }) => ruleMatches(rule, policy, direction, pod, remote, scene))
      .map(({ index }) => deciderOf(policy, direction, index)),
  );
  if (matching.length > 0) return sideOf("allow", "rule", matching);
  const isolation = isolating.map((policy) => deciderOf(policy, direction, -1));
  // K8-33: whether isolation stops other protocols than TCP, UDP and SCTP is undefined.
  if (!hasPorts(scene.traffic.protocol) && scene.unknowns.ask("protocol", undefinedProtocol(scene.traffic.protocol)))
    return sideOf("allow", "no-policy", []);
  // K8-44: a pod that reaches itself through a Service is undefined in the bare standard.
  if (isHairpin(pod, remote, scene) && scene.unknowns.ask("hairpin", { code: "hairpin", detail: pod.id }))
    return sideOf("allow", "no-policy", []);
  // K8-34 step 7.
  return sideOf("deny", "default-deny", isolation);
}

function isOnOwnNode(remote: Party, pod: Pod, scene: Scene): boolean {
  if (remote.kind === "apiserver")
    return scene.unknowns.ask(`API server on the node of ${pod.id}`, { code: "unknown-api-server", detail: pod.id });
  return remote.kind === "node" && isOwnNode(remote, pod, scene.unknowns);
}

function undefinedProtocol(protocol: string): Because {
  return { code: "protocol-undefined", detail: protocol };
}

function isHairpin(pod: Pod, remote: Party, scene: Scene): boolean {
  return scene.dialled !== undefined && remote.kind === "pod" && remote.pod === pod;
}

function specOf(policy: KubeObject): Fields {
  return fieldsOf(policy.fields["spec"]);
}

function deciderOf(policy: KubeObject, section: Direction, index: number): Decider {
  return { kind: policy.kind, namespace: policy.namespace, name: policy.name, section, index };
}

/** What the server stores: absent or empty means Ingress, and Egress when there are egress rules (K8-05 … K8-07). */
export function policyTypes(spec: Fields): readonly Direction[] {
  const written = textsOf(spec["policyTypes"]);
  if (written.length > 0) return written.map((type) => (type === "Ingress" ? "ingress" : "egress"));
  return itemsOf(spec["egress"]).length > 0 ? ["ingress", "egress"] : ["ingress"];
}

/** A rule matches when one of its peers and one of its ports match (K8-09 … K8-12, K8-19). */
function ruleMatches(
  rule: Fields,
  policy: KubeObject,
  direction: Direction,
  pod: Pod,
  remote: Party,
  scene: Scene,
): boolean {
  const peers = itemsOf(rule[direction === "ingress" ? "from" : "to"]).map(fieldsOf);
  const ports = itemsOf(rule["ports"]).map(fieldsOf);
  // K8-30: the pod whose container ports give a name its number.
  const named = (isBlock: boolean): Pod | undefined => {
    if (direction === "ingress") return pod;
    return remote.kind === "pod" && !isBlock ? remote.pod : undefined;
  };
  // K8-11: no peers, any peer.
  if (peers.length === 0) return portsMatch(ports, named(false), scene);
  return peers.some(
    (peer) =>
      portsMatch(ports, named(isGiven(peer["ipBlock"])), scene) &&
      peerMatches(peer, policy.namespace, direction, remote, scene),
  );
}

/** K8-16 … K8-25, K8-42. */
function peerMatches(peer: Fields, namespace: string, direction: Direction, remote: Party, scene: Scene): boolean {
  if (isGiven(peer["ipBlock"])) return blockMatches(fieldsOf(peer["ipBlock"]), direction, remote, scene);
  if (remote.kind === "stray" || (remote.kind === "name" && remote.maybeInside))
    return scene.unknowns.ask(`peer ${JSON.stringify(peer)}`, { code: "unknown-address", detail: describe(remote) });
  if (remote.kind !== "pod") return false;
  const { pod } = remote;
  const inNamespace = isGiven(peer["namespaceSelector"])
    ? selects(
        readSelector(peer["namespaceSelector"]),
        (key) => namespaceLabel(scene.cluster, pod.namespace, key),
        scene.unknowns,
      )
    : pod.namespace === namespace;
  return inNamespace && selects(readSelector(peer["podSelector"]), (key) => pod.labels.get(key), scene.unknowns);
}

function describe(party: Party): string {
  return party.kind === "name" ? party.name : party.kind;
}

/** K8-20, K8-23; before or after Service translation is undefined (K8-26). */
function blockMatches(ipBlock: Fields, direction: Direction, remote: Party, scene: Scene): boolean {
  const cidr = parsePrefixLeniently(textOf(ipBlock["cidr"]) ?? "");
  if (cidr === undefined) return false;
  const except = textsOf(ipBlock["except"])
    .map(parsePrefixLeniently)
    .filter((prefix) => prefix !== undefined);
  const translated = isInBlock(remote, { cidr, except }, scene.family, scene.options, scene.unknowns);
  if (direction === "ingress") return translated;
  const dialled = (scene.dialled?.addresses ?? []).filter((address) => address.family === scene.family);
  const differs = dialled.some(
    (address) => (isInside(address, cidr) && !except.some((prefix) => isInside(address, prefix))) !== translated,
  );
  if (!differs) return translated;
  const detail = `${scene.dialled?.service.namespace}/${scene.dialled?.service.name}`;
  const seesBackend = scene.unknowns.ask("translation before policy", { code: "service-address", detail });
  return seesBackend === translated;
}

/** K8-12, K8-15, K8-27 … K8-32. */
function portsMatch(ports: readonly Fields[], pod: Pod | undefined, scene: Scene): boolean {
  if (ports.length === 0) return true;
  return ports.some((item) => {
    const protocol = textOf(item["protocol"]) ?? "TCP";
    const { port } = scene.traffic;
    if (protocol !== scene.traffic.protocol || port === undefined) return false;
    if (!isGiven(item["port"])) return true;
    const name = textOf(item["port"]);
    if (name !== undefined)
      return (pod?.ports ?? [])
        .filter((own) => own.name === name && own.protocol === protocol && own.port === port)
        .some((own) => counts(own, scene.unknowns));
    const first = wholeOf(item["port"]) ?? 0;
    return first <= port && port <= (wholeOf(item["endPort"]) ?? first);
  });
}

/** Whether a declared port resolves by name: those of init containers depend on the network (WL-14). */
export function counts(port: ContainerPort, unknowns: Unknowns): boolean {
  return !port.init || unknowns.ask("init container ports", { code: "init-container-port", detail: port.name });
}
