import { ALWAYS_ALLOWED, type Outcome, type Side } from "./answers.ts";
import { translatedRule } from "./cilium-network-policies.ts";
import { ciliumRules } from "./cilium-rules.ts";
import { ciliumSettings } from "./cilium-settings.ts";
import { type CiliumPolicies, ciliumSide } from "./cilium-verdict.ts";
import type { Cluster } from "./cluster.ts";
import { isForeign, withForeign } from "./foreign-policies.ts";
import { isItself, isNetworkPolicy, isSameNode } from "./kubernetes.ts";
import type { Dialled, Leg } from "./legs.ts";
import type { Scene } from "./network-policies.ts";
import type { KubeObject } from "./objects.ts";
import type { ReferenceOptions } from "./options.ts";
import { type NodeParty, type Party } from "./parties.ts";
import { fieldsOf, textOf } from "./values.ts";
import type { Because } from "./reasons.ts";

export type { CiliumPolicies } from "./cilium-verdict.ts";

/** One set of rules: NetworkPolicies, CiliumNetworkPolicies and clusterwide ones unite (10.2). */
export function ciliumPolicies(
  objects: readonly KubeObject[],
  cluster: Cluster,
  options: ReferenceOptions,
): CiliumPolicies {
  const settings = ciliumSettings(objects, options.dialect);
  const groups = objects.filter((object) => object.kind === "CiliumCIDRGroup");
  const rules = objects.flatMap((object) => {
    if (isNetworkPolicy(object)) return settings.networkPolicies ? [translatedRule(object, settings)] : [];
    if (object.kind === "CiliumNetworkPolicy")
      return settings.namespacedPolicies ? ciliumRules(object, cluster, groups, settings) : [];
    if (object.kind === "CiliumClusterwideNetworkPolicy")
      return settings.clusterwidePolicies ? ciliumRules(object, cluster, groups, settings) : [];
    return [];
  });
  return {
    settings,
    rules,
    foreign: objects.filter((object) => isForeign(object, options.dialect)),
    redirects: objects.filter((object) => object.kind === "CiliumLocalRedirectPolicy"),
  };
}

/** Egress at the source, ingress at the destination (R4.1.5, R6.4.1). */
export function ciliumOutcome(leg: Leg, policies: CiliumPolicies, scene: Scene): Outcome {
  // R8.6, R8.7: a pod to its own address, and a node to itself, meet no policy.
  if (isItself(leg) || isSameNode(leg)) return { egress: ALWAYS_ALLOWED, ingress: ALWAYS_ALLOWED };
  const { egressTo, egressScene, ingressFrom } = asPolicySees(leg, policies, scene);
  const sides = {
    egress: withForeign(
      ciliumSide("egress", leg.source, egressTo, policies, egressScene),
      leg.source,
      policies.foreign,
      scene,
    ),
    ingress: withForeign(
      ciliumSide("ingress", leg.target, ingressFrom, policies, scene),
      leg.target,
      policies.foreign,
      scene,
    ),
  };
  const isHairpin = leg.source.kind === "pod" && leg.target.kind === "pod" && leg.source.pod === leg.target.pod;
  const outcome = isHairpin ? { egress: hairpin(sides.egress, scene), ingress: hairpin(sides.ingress, scene) } : sides;
  return redirected(leg, outcome, policies, scene);
}

/** Through its own Service: skipped, but with translation per packet explicit denies still apply (R8.6, U12). */
function hairpin(side: Side, scene: Scene): Side {
  const isExplicit = side.verdict === "deny" && side.reason === "rule";
  if (isExplicit && scene.unknowns.ask("hairpin meets denies", { code: "hairpin", detail: "own Service" })) return side;
  return ALWAYS_ALLOWED;
}

/**
 * Whom each side sees. A ClusterIP is translated before egress policy (R8.1). Node and balancer addresses are, too, with
 * kube-proxy replacement; otherwise the pod's egress sees the dialled address. From outside, the source is kept or
 * rewritten on the way (R8.4).
 */
function asPolicySees(leg: Leg, policies: CiliumPolicies, scene: Scene): Sight {
  const { dialled, source, target } = leg;
  const translated = { egressTo: target, egressScene: scene, ingressFrom: source };
  if (dialled === undefined || dialled.entry === "cluster") return translated;
  if (source.kind === "pod")
    return isReplaced(dialled, policies, scene) ? translated : throughProxy(leg, dialled, scene);
  const isKept =
    dialled.service.externalTrafficPolicy === "Local" ||
    policies.settings.directReturn.includes(scene.traffic.protocol) ||
    source.kind === "node";
  return isKept ? translated : { ...translated, ingressFrom: forwarded(leg, dialled, policies, scene) };
}

interface Sight {
  readonly egressTo: Party;
  readonly egressScene: Scene;
  readonly ingressFrom: Party;
}

function nameOf({ service }: Dialled): string {
  return `${service.namespace}/${service.name}`;
}

function isReplaced(dialled: Dialled, { settings }: CiliumPolicies, scene: Scene): boolean {
  const because: Because = { code: "kube-proxy-replacement", detail: nameOf(dialled) };
  return settings.kubeProxyReplacement ?? scene.unknowns.ask("kube-proxy is replaced", because);
}

/** R8.1: the egress of the pod sees what is dialled; whether kube-proxy keeps the pod's address is its own affair. */
function throughProxy({ source, target }: Leg, dialled: Dialled, scene: Scene): Sight {
  const [address] = dialled.addresses;
  const name = nameOf(dialled);
  const forwarder: NodeParty = { kind: "node", place: "somewhere", node: undefined, id: "forwarder", addresses: [] };
  return {
    egressTo: dialled.node ?? (address === undefined ? target : { kind: "address", address }),
    egressScene: { ...scene, traffic: { ...scene.traffic, port: dialled.port } },
    ingressFrom: scene.unknowns.choose<Party>(`source through ${name}`, [source, dialled.node ?? forwarder], {
      code: "source-rewritten",
      detail: name,
    }),
  };
}

/** R8.4: whom the backend sees of a client outside that entered at some node under traffic policy Cluster. */
function forwarded({ source, target }: Leg, dialled: Dialled, policies: CiliumPolicies, scene: Scene): Party {
  const because: Because = { code: "source-rewritten", detail: nameOf(dialled) };
  const there = target.kind === "pod" ? target.pod.node : undefined;
  const here = dialled.node?.node?.name;
  const isHere =
    there !== undefined && here !== undefined
      ? there === here
      : scene.unknowns.ask(`${nameOf(dialled)} is entered at the node of its backend`, because);
  const isCilium = isReplaced(dialled, policies, scene);
  if (isHere)
    return isCilium ? source : { kind: "node", place: "local", node: undefined, id: "forwarder", addresses: [] };
  const { routing } = policies.settings;
  const isTunnelled =
    isCilium && (routing === "untold" ? scene.unknowns.ask("traffic is tunnelled", because) : routing === "tunnel");
  if (isTunnelled) return { kind: "world" };
  return dialled.node ?? { kind: "node", place: "remote", node: undefined, id: "forwarder", addresses: [] };
}

/** A local redirect takes the connection to another backend: its verdict is not this one. */
function redirected(leg: Leg, outcome: Outcome, policies: CiliumPolicies, scene: Scene): Outcome {
  const { service } = leg.dialled ?? {};
  const policy = policies.redirects.find((object) => {
    const frontend = fieldsOf(fieldsOf(object.fields["spec"])["redirectFrontend"]);
    const matcher = fieldsOf(frontend["serviceMatcher"]);
    return (
      service !== undefined &&
      textOf(matcher["serviceName"]) === service.name &&
      (textOf(matcher["namespace"]) || object.namespace) === service.namespace
    );
  });
  if (policy === undefined) return outcome;
  const because: Because = { code: "local-redirect", detail: `${policy.namespace}/${policy.name}` };
  const verdict = scene.unknowns.ask("redirected backend allows", because) ? "allow" : "deny";
  return { egress: { ...outcome.egress, verdict }, ingress: { ...outcome.ingress, verdict } };
}
