/** Which reasons to be unsure a scene has: what its generator put in that no input can tell. */
import type { Fields } from "./arbitraries.ts";
import type { Flow } from "./flows.ts";
import type { Scene } from "./scenes.ts";

const known = new WeakMap<Scene, readonly string[]>();

/** Codes that an answer to this flow may carry. */
export function plantedIn(scene: Scene, flow: Flow): ReadonlySet<string> {
  let own = known.get(scene);
  if (own === undefined) {
    own = scene.dialect === "kubernetes" ? kubernetesCodes(scene) : ciliumCodes(scene);
    known.set(scene, own);
  }
  return new Set([...own, ...flowCodes(scene, flow)]);
}

/** Ends that the input does not describe, and what the specification leaves open. */
function flowCodes({ dialect }: Scene, { from, to, protocol, port, tls }: Flow): readonly string[] {
  const codes: string[] = [];
  // What a proxy that reads HTTP makes of a TLS handshake beside a plain allow was not read (R6.2.1).
  if (tls !== undefined) codes.push("opaque-application-rule");
  const ends = [from, to];
  if (ends.some((end) => /^(health|init|ingress-controller|host|remote-node)$/.test(end)))
    codes.push("unknown-node", "unknown-label", "release-unclear");
  // A name whose address nobody declared may lie in a prefix.
  if (to.startsWith("fqdn:")) codes.push("unknown-address");
  // A word for nodes names no address, and a prefix may stand for nodes (R3.7).
  if (ends.some((end) => end === "host" || end === "remote-node")) codes.push("unknown-address");
  if (ends.includes("unmanaged")) codes.push("unknown-address", "unknown-label", "release-unclear");
  if (to.includes("/Service/") || to.startsWith("ip:10.96."))
    codes.push("undefined-by-specification", "missing-object", "source-address", "release-unclear", "unknown-address");
  // Fragmentation needed passes whatever the policies say, and no code is asked (R4.4.3).
  if (dialect !== "kubernetes" && protocol === "ICMP" && port === 3) codes.push("not-told-apart");
  if (dialect === "kubernetes" && !["TCP", "UDP", "SCTP"].includes(protocol)) codes.push("undefined-by-specification");
  return codes;
}

function isMapping(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kubernetesCodes({ policies }: Scene): readonly string[] {
  const codes: string[] = [];
  const tiers = policies.flatMap(({ kind, spec }) => {
    if (!isMapping(spec) || kind === "NetworkPolicy") return [];
    return [`${kind === "ClusterNetworkPolicy" ? String(spec["tier"]) : String(kind)} ${String(spec["priority"])}`];
  });
  if (new Set(tiers).size < tiers.length) codes.push("equal-priority");
  const kinds = new Set(policies.map(({ kind }) => kind));
  if (kinds.has("ClusterNetworkPolicy") && kinds.size > (kinds.has("NetworkPolicy") ? 2 : 1))
    codes.push("undefined-by-specification");
  return codes;
}

function ciliumCodes({ dialect, cluster, policies }: Scene): readonly string[] {
  const codes: string[] = [];
  const text = JSON.stringify(policies);
  if (/"(from|to)Groups"/.test(text)) codes.push("group-not-resolved");
  const groups = new Set(policies.flatMap((object) => (object["kind"] === "CiliumCIDRGroup" ? [nameOf(object)] : [])));
  for (const [, name = ""] of text.matchAll(/"cidrGroupRef":"([^"]*)"/g))
    if (!groups.has(name)) codes.push("cidr-group-missing");
  if (text.includes('"authentication"')) codes.push("authentication", "merge-conflict");
  if (text.includes('"toServices"')) codes.push("service-not-resolved");
  if (text.includes('"policy-cidr-match-mode"')) codes.push("release-unclear");
  if (/"(rules|serverNames|listener|terminatingTLS|originatingTLS)"/.test(text)) codes.push("merge-conflict");
  if (/"(secret|terminatingTLS|originatingTLS)"/.test(text)) codes.push("secret-not-read", "opaque-application-rule");
  if (/"(kafka|l7proto|listener)"/.test(text)) codes.push("opaque-application-rule");
  if (/"serverNames"/.test(text)) codes.push("opaque-application-rule", "release-unclear");
  if (text.includes('"toFQDNs"')) {
    codes.push("name-not-resolved");
    // A look-up to a server on the host network is one to the own node or not (R7.2.5).
    if (JSON.stringify(cluster).includes('"hostNetwork":true')) codes.push("unknown-node");
  }
  if (text.includes('"enableDefaultDeny"') && text.includes('"http"')) codes.push("release-unclear");
  // Which reserved identities carry the cluster's label decides negative selectors (K3, U21).
  if (dialect !== "cilium@1.17" && /"(NotIn|DoesNotExist)"/.test(text)) codes.push("unknown-label");
  if (cluster.some(hasAmbiguousPort)) codes.push("release-unclear");
  return codes;
}

function nameOf(object: Fields): unknown {
  return isMapping(object["metadata"]) ? object["metadata"]["name"] : undefined;
}

/** Whether one pod gives a port name two numbers (U6). */
function hasAmbiguousPort(object: Fields): boolean {
  const numbers = new Map<string, string>();
  const text = JSON.stringify(object);
  for (const [port] of text.matchAll(/\{[^{}]*"containerPort"[^{}]*\}/g)) {
    const name = /"name":"([^"]*)"/.exec(port)?.[1];
    const number = /"containerPort":(\d+)/.exec(port)?.[1] ?? "";
    if (name === undefined) continue;
    if (numbers.has(name) && numbers.get(name) !== number) return true;
    numbers.set(name, number);
  }
  return false;
}
