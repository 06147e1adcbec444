import { sameAddress } from "./addresses.ts";
import { type Grant, grantsOf, type View } from "./cilium-grants.ts";
import { peerKeys } from "./cilium-conflicts.ts";
import { NO_PROXY, type PortGroup, type PortItem } from "./cilium-ports.ts";
import type { Entry } from "./cilium-rules.ts";
import { type CiliumPolicies, ciliumSide, type Enforcement, enforcementOf, viewOf } from "./cilium-verdict.ts";
import { selectsName } from "./dns-names.ts";
import { namedAddresses } from "./endpoints.ts";
import type { Scene } from "./network-policies.ts";
import { type Party, partyOfPod, showParty } from "./parties.ts";
import type { Pod } from "./workloads.ts";
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
  if (remote.kind === "address") return isAddressTaught(item, remote, subject, policies, scene);
  if (remote.kind !== "stray" && remote.kind !== "apiserver") return false;
  return scene.unknowns.ask(`${showParty(remote)} has a name of ${JSON.stringify(item)}`, {
    code: "name-not-resolved",
    detail: JSON.stringify(item),
  });
}

/**
 * An address may be one of a name's: told by the options, else nobody knows (R7.3.5). Of a name that was dialled only those
 * that are told to share its address count (R7.3.2).
 */
function isAddressTaught(
  item: Fields,
  { address, name: dialled }: Extract<Party, { kind: "address" }>,
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
  if (dialled !== undefined) return false;
  const texts = ["matchName", "matchPattern"].flatMap((key) => textOf(item[key]) || []);
  const names = texts.filter((text) => !text.includes("*")).map((text) => text.toLowerCase().replace(/\.$/, ""));
  const detail = JSON.stringify(item);
  const because: Because = { code: "name-not-resolved", detail };
  const mayBeName = names.some((name) => !told.includes(name) && isNameTaught(name, subject, policies, scene));
  const mayBePattern = names.length < texts.length && dnsEntries(subject, policies, scene).length > 0;
  return (mayBeName || mayBePattern) && scene.unknowns.ask(`address ${address.value} has a name of ${detail}`, because);
}

/** The allow entries of the endpoint that carry DNS rules; none, and nothing is ever learned (R7.3.1). */
function dnsEntries(subject: Party, policies: CiliumPolicies, scene: Scene): readonly Entry[] {
  const enforcement = enforcementOf(subject, "egress", policies, scene);
  return (enforcement?.entries ?? []).filter(
    (entry) =>
      peerKeys(entry).length > 0 && entry.groups?.some((group) => group.proxy.dns.length > 0 && group.ports.length > 0),
  );
}

/** Whether the endpoint's look-up of this name passes a DNS rule, and so teaches its addresses (7.2). */
function isNameTaught(name: string, subject: Party, policies: CiliumPolicies, scene: Scene): boolean {
  const enforcement = enforcementOf(subject, "egress", policies, scene);
  if (enforcement === undefined) return false;
  const servers = dnsServers(scene).filter(({ party }) => !isItself(party, subject));
  return servers.length > 0
    ? servers.some((server) => answersFrom(server, name, subject, enforcement, policies, scene))
    : answersFromSomewhere(name, enforcement, policies);
}

/** What a pod asks itself crosses no proxy; one that stands for a controller asks another like it. */
function isItself(server: Party, subject: Party): boolean {
  return (
    server.kind === "pod" && subject.kind === "pod" && server.pod === subject.pod && server.pod.owner.kind === "Pod"
  );
}

interface DnsServer {
  readonly party: Party;
  /** The ports that its pod declares, also one on the host network. */
  readonly declared: Pod["ports"];
}

/** The cluster's DNS servers, when the input has them. */
function dnsServers(scene: Scene): readonly DnsServer[] {
  return scene.cluster.pods
    .filter((pod) => {
      const app = pod.labels.get("k8s-app");
      return pod.namespace === "kube-system" && (app === "kube-dns" || app === "node-local-dns" || app === "coredns");
    })
    .map((pod) => ({ party: serverOf(pod, scene), declared: pod.ports }));
}

/** That of a DaemonSet on the host network runs on every node, and each pod asks its own. */
function serverOf(pod: Pod, scene: Scene): Party {
  if (pod.hostNetwork && pod.owner.kind === "DaemonSet")
    return { kind: "node", place: "local", node: undefined, id: pod.id, addresses: [] };
  return partyOfPod(pod, scene.cluster);
}

/** The look-up goes to this server: it must be sent through the proxy, pass its filter, and arrive (R7.2.1 … R7.2.5). */
function answersFrom(
  { party: server, declared }: DnsServer,
  name: string,
  subject: Party,
  enforcement: Enforcement,
  policies: CiliumPolicies,
  scene: Scene,
): boolean {
  return queriesTo(declared, enforcement.entries).some(({ port, number }) => {
    const query = queryScene(port.protocol, number, scene);
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

/** The input has no DNS server: the look-up goes to one that the DNS rule selects, if no deny is for it as well. */
function answersFromSomewhere(name: string, enforcement: Enforcement, policies: CiliumPolicies): boolean {
  const { release } = policies.settings;
  const isLifted = !enforcement.defaultDeny && release >= 18;
  const plain = itemsOf(
    enforcement.entries,
    (entry, group) => entry.action === "allow" && group.proxy.dns.length === 0,
  );
  const denied = itemsOf(enforcement.entries, (entry) => entry.action === "deny");
  return itemsOf(enforcement.entries, (entry, group) => entry.action === "allow" && group.proxy.dns.length > 0).some(
    ({ entry, group, port }) => {
      const peers = peerKeys(entry);
      if (peers.length === 0 || denied.some((other) => isFor(other.entry, peers) && holds(other.port, port)))
        return false;
      // R4.5.2: a plain entry of the same selectors lifts the list.
      return (
        isLifted ||
        group.proxy.dns.some((rule) => selectsName(rule, name, release)) ||
        plain.some((other) => other.port?.filter === port?.filter && isSame(peerKeys(other.entry), peers))
      );
    },
  );
}

interface Item {
  readonly entry: Entry;
  readonly group: PortGroup;
  /** Undefined: every port. */
  readonly port: PortItem | undefined;
}

const EVERY_PORT: PortGroup = { ports: [], proxy: NO_PROXY };

function itemsOf(entries: readonly Entry[], isWanted: (entry: Entry, group: PortGroup) => boolean): readonly Item[] {
  return entries.flatMap((entry): readonly Item[] => {
    if (entry.groups === undefined)
      return isWanted(entry, EVERY_PORT) ? [{ entry, group: EVERY_PORT, port: undefined }] : [];
    return entry.groups
      .filter((group) => isWanted(entry, group))
      .flatMap((group) => group.ports.map((port) => ({ entry, group, port })));
  });
}

function isFor(entry: Entry, peers: readonly string[]): boolean {
  const own = peerKeys(entry);
  return own.includes("any") || isSame(own, peers);
}

function isSame(own: readonly string[], peers: readonly string[]): boolean {
  return own.length === peers.length && own.every((key) => peers.includes(key));
}

/** Whether the ports of one item hold those of the other. */
function holds(outer: PortItem | undefined, inner: PortItem | undefined): boolean {
  if (outer === undefined) return true;
  if (inner === undefined || outer.protocol !== inner.protocol) return false;
  if (outer.name !== undefined || inner.name !== undefined) return outer.name === inner.name;
  return outer.first <= inner.first && inner.last <= outer.last;
}

/** A port item of a DNS rule, with the number at which the server listens under it. */
interface Query {
  readonly port: PortItem;
  readonly number: number;
}

/** The ports of the DNS rules at which this server listens; one that declares none may listen at any (R7.2.5). */
function queriesTo(declared: Pod["ports"], entries: readonly Entry[]): readonly Query[] {
  const items = itemsOf(entries, (entry, group) => entry.action === "allow" && group.proxy.dns.length > 0);
  return items.flatMap(({ port }): readonly Query[] => {
    if (port === undefined || (port.protocol !== "UDP" && port.protocol !== "TCP")) return [];
    if (declared.length === 0) return port.name === undefined ? [{ port, number: port.first }] : [];
    return declared
      .filter((own) => own.protocol === port.protocol)
      .filter((own) => (port.name === undefined ? own.port === port.first : own.name.toLowerCase() === port.name))
      .map((own) => ({ port, number: own.port }));
  });
}

function queryScene(protocol: string, port: number, scene: Scene): Scene {
  return { ...scene, dialled: undefined, traffic: { protocol, port, http: undefined, serverName: undefined } };
}

/** A DNS server is not found by a name. */
function withoutNames(view: View): View {
  return { ...view, isNamed: () => false };
}
