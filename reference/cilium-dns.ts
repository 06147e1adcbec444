import { type Address, sameAddress } from "./addresses.ts";
import { type Grant, grantsOf, type View } from "./cilium-grants.ts";
import type { PortItem } from "./cilium-ports.ts";
import type { Entry } from "./cilium-rules.ts";
import { type CiliumPolicies, ciliumSide, type Enforcement, enforcementOf, viewOf } from "./cilium-verdict.ts";
import { selectsName } from "./dns-names.ts";
import { namedAddresses } from "./endpoints.ts";
import type { Scene } from "./network-policies.ts";
import { type Party, partyOfPod, showParty } from "./parties.ts";
import { type Fields, textOf } from "./values.ts";
import type { Because } from "./reasons.ts";

/**
 * Whether an item of toFQDNs selects the remote: an outside address that a look-up of a matching name has taught
 * (R7.3.1). Pods and nodes are never selected (R7.3.3).
 */
export function isTaught(item: Fields, subject: Party, remote: Party, policies: CiliumPolicies, scene: Scene): boolean {
  const { release } = policies.settings;
  if (remote.kind === "name")
    return selectsName(item, remote.name, release) && isNameTaught(remote.name, subject, policies, scene);
  if (remote.kind === "address") return isAddressTaught(item, remote.address, subject, policies, scene);
  if (remote.kind !== "stray" && remote.kind !== "apiserver") return false;
  return scene.unknowns.ask(`${showParty(remote)} has a name of ${JSON.stringify(item)}`, {
    code: "name-not-resolved",
    detail: JSON.stringify(item),
  });
}

/** An address may be one of a name's: told by the options, else nobody knows (R7.3.5). */
function isAddressTaught(
  item: Fields,
  address: Address,
  subject: Party,
  policies: CiliumPolicies,
  scene: Scene,
): boolean {
  const { release } = policies.settings;
  const told = Object.keys(scene.options.names ?? {}).map((name) => name.toLowerCase().replace(/\.$/, ""));
  const matching = told.filter((name) => selectsName(item, name, release));
  const owning = matching.filter((name) =>
    namedAddresses(name, scene.options).some((known) => sameAddress(known, address)),
  );
  if (owning.some((name) => isNameTaught(name, subject, policies, scene))) return true;
  const pattern = textOf(item["matchPattern"]);
  const name = textOf(item["matchName"])?.toLowerCase().replace(/\.$/, "");
  const detail = JSON.stringify(item);
  const because: Because = { code: "name-not-resolved", detail };
  const mayBeName = Boolean(name) && !told.includes(name ?? "") && isNameTaught(name ?? "", subject, policies, scene);
  const mayBePattern = Boolean(pattern) && dnsEntries(subject, policies, scene).length > 0;
  return (mayBeName || mayBePattern) && scene.unknowns.ask(`address ${address.value} has a name of ${detail}`, because);
}

/** The allow entries of the endpoint that carry DNS rules; none, and nothing is ever learned (R7.3.1). */
function dnsEntries(subject: Party, policies: CiliumPolicies, scene: Scene): readonly Entry[] {
  const enforcement = enforcementOf(subject, "egress", policies, scene);
  return (enforcement?.entries ?? []).filter((entry) =>
    entry.groups?.some((group) => group.proxy.dns.length > 0 && group.ports.length > 0),
  );
}

/** Whether the endpoint's look-up of this name passes a DNS rule, and so teaches its addresses (7.2). */
function isNameTaught(name: string, subject: Party, policies: CiliumPolicies, scene: Scene): boolean {
  const enforcement = enforcementOf(subject, "egress", policies, scene);
  if (enforcement === undefined) return false;
  const servers = dnsServers(scene);
  return servers.length > 0
    ? servers.some((server) => answersFrom(server, name, subject, enforcement, policies, scene))
    : answersFromSomewhere(name, subject, enforcement, policies, scene);
}

/** The cluster's DNS servers, when the input has them. */
function dnsServers(scene: Scene): readonly Party[] {
  return scene.cluster.pods
    .filter((pod) => {
      const app = pod.labels.get("k8s-app");
      return pod.namespace === "kube-system" && (app === "kube-dns" || app === "node-local-dns" || app === "coredns");
    })
    .map((pod) => partyOfPod(pod, scene.cluster));
}

/** The look-up goes to this server: it must be sent through the proxy, pass its filter, and arrive (R7.2.1 … R7.2.5). */
function answersFrom(
  server: Party,
  name: string,
  subject: Party,
  enforcement: Enforcement,
  policies: CiliumPolicies,
  scene: Scene,
): boolean {
  return queryPorts(enforcement.entries, server).some((port) => {
    const query = queryScene(port, scene);
    const view = withoutNames(viewOf("egress", subject, server, enforcement.rules, policies, query));
    if (enforcement.entries.some((entry) => entry.action === "deny" && grantsOf(entry, view).length > 0)) return false;
    const grants = enforcement.entries
      .filter((entry) => entry.action === "allow")
      .flatMap((entry) => grantsOf(entry, view))
      .filter((grant) => grant.port?.filter === port.filter);
    return (
      passesFilter(grants, name, enforcement, policies) &&
      ciliumSide("ingress", server, subject, policies, query).verdict === "allow"
    );
  });
}

/** R7.2.2, R7.2.3: only the filter of this port and protocol counts; a selector in it without DNS rules is match-all. */
function passesFilter(
  grants: readonly Grant[],
  name: string,
  enforcement: Enforcement,
  policies: CiliumPolicies,
): boolean {
  const { release } = policies.settings;
  if (!grants.some((grant) => grant.proxy.dns.length > 0)) return false;
  // R4.3.7: since 1.18 a match-all rule is appended while there is no default deny.
  if (!enforcement.defaultDeny && release >= 18) return true;
  return grants.some(
    (grant) => grant.proxy.dns.length === 0 || grant.proxy.dns.some((rule) => selectsName(rule, name, release)),
  );
}

/** The input has no DNS server: the look-up goes to one that the DNS rule selects. */
function answersFromSomewhere(
  name: string,
  subject: Party,
  enforcement: Enforcement,
  policies: CiliumPolicies,
  scene: Scene,
): boolean {
  const { release } = policies.settings;
  return enforcement.entries
    .filter((entry) => entry.action === "allow" && entry.peers !== "nobody")
    .some((entry) =>
      (entry.groups ?? [])
        .filter((group) => group.proxy.dns.length > 0)
        .filter(
          (group) =>
            (!enforcement.defaultDeny && release >= 18) ||
            group.proxy.dns.some((rule) => selectsName(rule, name, release)),
        )
        .some((group) => group.ports.some((port) => !isRefusedToAll(port, subject, enforcement, policies, scene))),
    );
}

/** A deny entry for every destination covers the port. */
function isRefusedToAll(
  port: PortItem,
  subject: Party,
  enforcement: Enforcement,
  policies: CiliumPolicies,
  scene: Scene,
): boolean {
  const anywhere: Party = { kind: "world" };
  const view = withoutNames(viewOf("egress", subject, anywhere, enforcement.rules, policies, queryScene(port, scene)));
  return enforcement.entries.some(
    (entry) => entry.action === "deny" && grantsOf(entry, view).some((grant) => grant.peer === "any"),
  );
}

/** The ports of the DNS rules at which this server listens; one that declares none may listen at any (R7.2.5). */
function queryPorts(entries: readonly Entry[], server: Party): readonly PortItem[] {
  const ports = entries.flatMap((entry) =>
    (entry.groups ?? []).filter((group) => group.proxy.dns.length > 0).flatMap((group) => group.ports),
  );
  const declared = server.kind === "pod" ? server.pod.ports : [];
  return ports.filter(
    (port) =>
      (port.protocol === "UDP" || port.protocol === "TCP") &&
      (declared.length === 0 ||
        declared.some(
          (own) =>
            own.protocol === port.protocol &&
            (port.name === undefined ? own.port === port.first : own.name.toLowerCase() === port.name),
        )),
  );
}

function queryScene(port: PortItem, scene: Scene): Scene {
  return {
    ...scene,
    dialled: undefined,
    traffic: { protocol: port.protocol, port: port.first, http: undefined, serverName: undefined },
  };
}

/** A DNS server is not found by a name. */
function withoutNames(view: View): View {
  return { ...view, isNamed: () => false };
}
