/** What the founding story teaches about a VPC, as computed findings: each names the rule, the machines and the reason. */

import { type Code, type Diagnostic, diagnostic, type Severity } from "../base/diagnostic.ts";
import { type Family, formatPrefix, maxAddress, type Prefix, prefixContains, prefixRange } from "../net/address.ts";
import {
  flowIntersect,
  type FlowSet,
  flowsEmpty,
  flowSubtract,
  flowUnion,
  NO_FLOWS,
  portFlows,
} from "../net/flow-set.ts";
import { ownerApplication } from "./applications.ts";
import { canonical, trafficFlows } from "./decide/match.ts";
import { aclFlows, entryName } from "./decide/network-acls.ts";
import { EPHEMERAL, type Place } from "./decide/place.ts";
import { isPublicSubnet } from "./decide/routes.ts";
import { ruleText } from "./decide/security-groups.ts";
import type { VpcEngine } from "./engine.ts";
import {
  type AclEntry,
  type GroupRule,
  type Network,
  type NetworkAcl,
  type Owner,
  possible,
  type Subnet,
} from "./model.ts";
import { placeOfCited } from "./shown.ts";

/** Ports over which machines are administrated: SSH, Telnet, RDP, WinRM. */
const ADMINISTRATION: readonly number[] = [22, 23, 3389, 5985, 5986];

/** Computes the findings. Pure: the same network gives the same findings in the same order. */
export function vpcFindings(engine: VpcEngine): readonly Diagnostic[] {
  const { network } = engine;
  return [
    ...openAdministration(engine),
    ...[...network.acls.values()].flatMap((acl) => [...withoutReturn(network, acl), ...neverMatching(network, acl)]),
    ...namingNobody(network),
    ...privateWithInternet(network),
    ...sharedGroups(network),
    ...oneZone(network),
    ...sharedSubnets(network),
  ];
}

/** A finding at the place of what it cites. */
function finding(network: Network, cited: string, code: Code, message: string, severity?: Severity): Diagnostic {
  return diagnostic(code, message, placeOfCited(network, cited), severity === undefined ? {} : { severity });
}

// ── groups open to the world ────────────────────────────────────────────────────────────────────────────────────────

function isWorld(rule: GroupRule): Family | undefined {
  const { peer } = rule;
  if (peer.kind !== "addresses") return undefined;
  return peer.addresses.some((r) => r.first === 0n && r.last === maxAddress(r.family)) ? peer.family : undefined;
}

/** Open to everybody on such a port; an error where somebody can use it, latent where other layers still stop it. */
function openAdministration(engine: VpcEngine): readonly Diagnostic[] {
  const out: Diagnostic[] = [];
  const { network } = engine;
  for (const group of network.groups.values()) {
    const members = membersOf(network, group.name);
    // A group that nothing carries opens nothing.
    if (members.length === 0) continue;
    for (const rule of group.rules) {
      const family = rule.direction === "ingress" ? isWorld(rule) : undefined;
      if (family === undefined) continue;
      const open = trafficFlows(rule.traffic, family).may;
      const ports = ADMINISTRATION.filter(
        (port) => !flowsEmpty(flowIntersect(open, portFlows("TCP", port, port, [family]))),
      );
      const [first] = ports;
      if (first === undefined) continue;
      const exposed = members.filter((owner) => {
        if (owner.kind === "load-balancer" || owner.kind === "nat-gateway") return false;
        return ports.some(
          (port) => engine.why({ from: "internet", to: owner.name, protocol: "TCP", port, family }).verdict !== "deny",
        );
      });
      const names = (exposed.length > 0 ? exposed : members).map((o) => o.name).join(", ");
      const who =
        exposed.length > 0
          ? `${names} is reached from the internet`
          : `latent: other layers keep the internet from ${names}, its neighbours are let in`;
      out.push(
        finding(
          network,
          rule.name,
          "BH420",
          `${rule.name} admits everybody to port ${ports.join(", ")} (${ruleText(rule)}); ${who}`,
          exposed.length > 0 ? "error" : "warning",
        ),
      );
    }
  }
  return out;
}

const memberships = new WeakMap<Network, ReadonlyMap<string, readonly Owner[]>>();

/** Who carries a group; found once for all groups of a network. */
function membersOf(network: Network, group: string): readonly Owner[] {
  let found = memberships.get(network);
  if (found === undefined) {
    const made = new Map<string, Owner[]>();
    for (const owner of network.owners.values()) {
      const faces = owner.interfaces.map(({ groups }) => (groups?.kind === "known" ? groups.value : []));
      for (const name of new Set(faces.flat().map((one) => canonical(network, one)))) {
        const others = made.get(name);
        if (others === undefined) made.set(name, [owner]);
        else others.push(owner);
      }
    }
    found = made;
    memberships.set(network, found);
  }
  return found.get(group) ?? [];
}

/** Rules that name a group which nothing carries; where everything that may carry one is known. */
function namingNobody(network: Network): readonly Diagnostic[] {
  const isOpen = [...network.owners.values()].some((owner) =>
    owner.interfaces.some(({ groups }) => groups !== undefined && groups.kind !== "known"),
  );
  if (isOpen || network.unread.length > 0) return [];
  return [...network.groups.values()].flatMap((group) => {
    if (membersOf(network, group.name).length === 0) return [];
    return group.rules.flatMap((rule): readonly Diagnostic[] => {
      const named = rule.peer.kind === "group" ? canonical(network, rule.peer.group) : undefined;
      if (named === undefined || named === group.name || !network.groups.has(named)) return [];
      if (membersOf(network, named).length > 0) return [];
      const message = `${rule.name} never matches: nothing carries ${named}`;
      return [finding(network, rule.name, "BH422", message)];
    });
  });
}

// ── network ACLs ────────────────────────────────────────────────────────────────────────────────────────────────────

function isUsed(network: Network, acl: NetworkAcl): boolean {
  return [...network.subnets.values()].some((s) => possible(s.acl).includes(acl.name));
}

function remoteOf(prefix: Prefix): Place {
  const range = prefixRange(prefix);
  return {
    name: formatPrefix(prefix),
    family: prefix.family,
    range,
    isWhole: range.first === range.last,
    client: EPHEMERAL.service,
  };
}

/** An entry lets a request through whose reply no ephemeral port of the client can get (NACL-4). */
function withoutReturn(network: Network, acl: NetworkAcl): readonly Diagnostic[] {
  if (acl.moreEntries !== undefined || !isUsed(network, acl)) return [];
  const out: Diagnostic[] = [];
  for (const entry of acl.entries) {
    if (entry.action !== "allow" || entry.prefix === undefined || isForReplies(entry)) continue;
    const back = entry.direction === "ingress" ? "egress" : "ingress";
    for (const protocol of ["TCP", "UDP"] as const) {
      const { family } = entry.prefix;
      const own = flowIntersect(trafficFlows(entry.traffic, family).must, portFlows(protocol, 1, 65535, [family]));
      if (flowsEmpty(own) || entry.traffic.protocol === -1) continue;
      // A request that the entry never sees needs no way back.
      const passes = aclFlows(acl, entry.direction, remoteOf(entry.prefix));
      if (flowsEmpty(flowIntersect(own, passes.may))) continue;
      const wanted = portFlows(protocol, EPHEMERAL.service.first, EPHEMERAL.service.last, [family]);
      const reply = aclFlows(acl, back, remoteOf(entry.prefix));
      if (!flowsEmpty(flowIntersect(wanted, reply.may))) continue;
      out.push(
        finding(
          network,
          entryName(acl, entry.direction, entry),
          "BH421",
          `what ${entryName(acl, entry.direction, entry)} lets through from or to ${formatPrefix(entry.prefix)} gets no answer: no ${back} rule of ${acl.name} admits the client's ports`,
        ),
      );
    }
  }
  return out;
}

/** An entry that is there for replies: it spans the ports that clients choose. */
function isForReplies(entry: AclEntry): boolean {
  const { first, last, protocol } = entry.traffic;
  return (protocol === 6 || protocol === 17) && first <= 32768 && last >= 60999;
}

/** Entries that earlier ones cover: whole, so that they never match, or for service ports only (NACL-7). */
function neverMatching(network: Network, acl: NetworkAcl): readonly Diagnostic[] {
  if (acl.moreEntries !== undefined || !isUsed(network, acl)) return [];
  const out: Diagnostic[] = [];
  for (const entry of acl.entries) {
    const { prefix } = entry;
    if (prefix === undefined || entry.traffic.unknown !== undefined) continue;
    const own = trafficFlows(entry.traffic, prefix.family).may;
    const before = acl.entries.filter(
      (e) =>
        e.direction === entry.direction &&
        e.number < entry.number &&
        e.prefix !== undefined &&
        prefixContains(e.prefix, prefix),
    );
    const covered = before.reduce<FlowSet>(
      (set, e) => flowUnion(set, trafficFlows(e.traffic, prefix.family).must),
      NO_FLOWS,
    );
    if (flowsEmpty(flowSubtract(own, covered))) {
      const by = before.filter((e) => !flowsEmpty(flowIntersect(own, trafficFlows(e.traffic, prefix.family).must)));
      out.push(
        finding(
          network,
          entryName(acl, entry.direction, entry),
          "BH422",
          `${entryName(acl, entry.direction, entry)} never matches: ${by.map((e) => String(e.number)).join(", ")} decides before it`,
        ),
      );
      continue;
    }
    if (entry.action !== "deny") continue;
    const opener = before.find(
      (e) =>
        e.action === "allow" &&
        isForReplies(e) &&
        !flowsEmpty(flowIntersect(own, trafficFlows(e.traffic, prefix.family).must)),
    );
    if (opener !== undefined) {
      out.push(
        finding(
          network,
          entryName(acl, entry.direction, entry),
          "BH423",
          `${entryName(acl, entry.direction, entry)} does not keep ${formatPrefix(prefix)} from ports ${opener.traffic.first}-${opener.traffic.last}: rule ${opener.number} admits them before it`,
        ),
      );
    }
  }
  return out;
}

// ── subnets, groups, zones ──────────────────────────────────────────────────────────────────────────────────────────

const PRIVATE_NAME = /private|intra(?!net gateway)|isolated|internal|(?:^|[^a-z])priv(?:[^a-z]|$)/i;
const PRIVATE_TIERS: readonly string[] = ["private", "app", "application", "db", "data", "database", "internal"];

function isCalledPrivate(subnet: Subnet): boolean {
  if (PRIVATE_NAME.test(subnet.name) || PRIVATE_NAME.test(subnet.tags.get("Name") ?? "")) return true;
  return [...subnet.tags].some(
    ([key, value]) => /^(tier|type)$/i.test(key) && PRIVATE_TIERS.includes(value.toLowerCase()),
  );
}

function privateWithInternet(network: Network): readonly Diagnostic[] {
  return [...network.subnets.values()]
    .filter((subnet) => isCalledPrivate(subnet) && isPublicSubnet(network, subnet))
    .map((subnet) => {
      const inside = [...network.owners.values()].filter((o) =>
        o.interfaces.some((f) => f.isPublic !== "no" && possible(f.subnet).includes(subnet.name)),
      );
      const who =
        inside.length === 0
          ? "nothing in it has a public address yet"
          : `${inside.map((o) => o.name).join(", ")} has a public address`;
      return finding(
        network,
        subnet.name,
        "BH424",
        `${subnet.name} is called private, and ${possible(subnet.table).join(", ")} leads to an internet gateway; ${who}`,
      );
    });
}

/** The first owner of each application. */
function byApplication(network: Network, owners: readonly Owner[]): ReadonlyMap<string, Owner> {
  const out = new Map<string, Owner>();
  for (const owner of owners) {
    const application = ownerApplication(network, owner);
    if (application !== undefined && !out.has(application)) out.set(application, owner);
  }
  return out;
}

function sharedGroups(network: Network): readonly Diagnostic[] {
  return [...network.groups.keys()].flatMap((group) => {
    const applications = byApplication(network, membersOf(network, group));
    if (applications.size < 2) return [];
    const names = [...applications].map(([application, owner]) => `${owner.name} of ${application}`);
    return [
      finding(
        network,
        group,
        "BH425",
        `${group} is carried by ${names.join(" and ")}: what it admits to one it admits to the other`,
      ),
    ];
  });
}

/** An application load balancer needs subnets in two zones (LB-2). */
function oneZone(network: Network): readonly Diagnostic[] {
  return [...network.balancers.values()].flatMap((balancer) => {
    if (balancer.type !== "application") return [];
    const zones = new Set(balancer.subnets.map((s) => network.subnets.get(s)?.zone ?? s));
    if (zones.size !== 1) return [];
    return [finding(network, balancer.name, "BH426", `${balancer.name} stands in one zone (${[...zones].join("")})`)];
  });
}

/** Machines of two applications in one subnet: no ACL is asked between them, and none tells them apart (NACL-3). */
function sharedSubnets(network: Network): readonly Diagnostic[] {
  return [...network.subnets.values()].flatMap((subnet) => {
    const inside = [...network.owners.values()].filter(
      (o) =>
        (o.kind === "instance" || o.kind === "group" || o.kind === "interface") &&
        o.interfaces.some((f) => possible(f.subnet).includes(subnet.name)),
    );
    const applications = byApplication(network, inside);
    if (applications.size < 2) return [];
    const names = [...applications].map(([application, owner]) => `${owner.name} of ${application}`);
    return [
      finding(
        network,
        subnet.name,
        "BH427",
        `${subnet.name} holds ${names.join(" and ")}: no network ACL can separate them`,
      ),
    ];
  });
}
