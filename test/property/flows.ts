/** Flows at the boundaries of a set of policies: ports beside those that rules name, edges of prefixes, every kind of end. */
import fc from "fast-check";
import {
  type AddressRange,
  formatAddress,
  maxAddress,
  parseAddress,
  parsePrefix,
  prefixRange,
} from "../../src/net/address.ts";
import { aimsOf, type Port, type Protocol } from "./aims.ts";
import { type Fields, rarely, weighted } from "./arbitraries.ts";
import { NODES, PORT_NUMBERS } from "./pools.ts";

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly host?: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** One question to both evaluators. */
export interface Flow {
  readonly from: string;
  readonly to: string;
  readonly protocol: Protocol;
  /** Port, or ICMP type; absent for VRRP. */
  readonly port?: number;
  readonly family?: "IPv4" | "IPv6";
  readonly http?: HttpRequest;
  readonly tls?: { readonly serverName: string };
}

function isMapping(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Every leaf under a key, with that key. */
function* leaves(value: unknown, key = ""): Generator<readonly [key: string, leaf: string | number]> {
  if (typeof value === "string" || typeof value === "number") yield [key, value];
  else if (Array.isArray(value)) for (const item of value) yield* leaves(item, key);
  else if (isMapping(value)) for (const [name, item] of Object.entries(value)) yield* leaves(item, name);
}

const PORT_KEYS = new Set(["port", "endPort", "number", "start", "end", "containerPort", "targetPort"]);

/** Ports that are named somewhere, and their neighbours. */
function portsOf(objects: readonly Fields[]): readonly number[] {
  const found = new Set<number>();
  for (const object of objects)
    for (const [key, leaf] of leaves(object)) {
      const number = typeof leaf === "number" ? leaf : /^[0-9]+$/.test(leaf) ? Number(leaf) : 0;
      if (PORT_KEYS.has(key) && number > 0)
        for (const p of [number - 1, number, number, number, number + 1]) found.add(p);
    }
  const all = found.size === 0 ? PORT_NUMBERS : [...found];
  return all.filter((port) => port >= 1 && port <= 65535);
}

/** Addresses at the edges of every prefix that is written: first, last, and one beyond each. */
function edgesOf(objects: readonly Fields[]): readonly string[] {
  const found = new Set<string>();
  const add = (range: AddressRange): void => {
    const { family, first, last } = range;
    for (const value of [first - 1n, first, first + 9n, last, last + 1n])
      if (value >= 0n && value <= maxAddress(family)) found.add(formatAddress({ family, value }));
  };
  for (const object of objects)
    for (const [, leaf] of leaves(object)) {
      if (typeof leaf !== "string" || !/^[0-9a-f:.]+\/[0-9]+$/i.test(leaf)) continue;
      const prefix = parsePrefix(leaf);
      if (prefix !== undefined) add(prefixRange(prefix));
    }
  // Not in a multicast or loopback range, where nothing talks.
  return [...found].filter((text) => !/^(0|127|22[4-9]|2[3-5][0-9])\./.test(text) && parseAddress(text)?.value !== 0n);
}

/** The ends of a set of objects: names that both evaluators resolve. */
export interface Ends {
  /** The only family of ends that have but one. */
  readonly single: ReadonlyMap<string, "IPv4" | "IPv6">;
  readonly pods: readonly string[];
  readonly nodes: readonly string[];
  readonly groups: readonly string[];
  readonly services: readonly string[];
  readonly outside: readonly string[];
  /** Addresses of pods, nodes and Services. */
  readonly inside: readonly string[];
  readonly ranges: readonly string[];
}

export function endsOf(cluster: readonly Fields[], policies: readonly Fields[]): Ends {
  const pods: string[] = [];
  const inside: string[] = [];
  const groups: string[] = [];
  const services: string[] = [];
  const single = new Map<string, "IPv4" | "IPv6">();
  for (const object of cluster) {
    const metadata = isMapping(object["metadata"]) ? object["metadata"] : {};
    const name = `${String(metadata["namespace"])}/${String(metadata["name"])}`;
    const status = isMapping(object["status"]) ? object["status"] : {};
    if (object["kind"] === "Pod" && status["phase"] === undefined) {
      pods.push(name);
      const addresses = [...leaves(status)].flatMap(([key, leaf]) => (key === "ip" ? [String(leaf)] : []));
      inside.push(...addresses.map((address) => `ip:${address}`));
      const [only] = addresses;
      if (only !== undefined && addresses.length === 1) {
        single.set(name, familyOfAddress(only));
        single.set(name.replace(/-[01]$/, ""), familyOfAddress(only));
      }
    }
    if (object["kind"] === "StatefulSet" || object["kind"] === "Deployment") groups.push(name);
    if (object["kind"] === "Service") {
      services.push(`${String(metadata["namespace"])}/Service/${String(metadata["name"])}`);
      for (const [key, leaf] of leaves(object["spec"]))
        if (key === "clusterIP" && leaf !== "None") inside.push(`ip:${leaf}`);
    }
  }
  const edges = edgesOf([...cluster, ...policies]);
  return {
    single,
    pods,
    groups,
    services,
    inside,
    nodes: NODES.map((name) => `host@${name}`),
    outside: [
      "ip:203.0.113.9",
      "ip:2001:db8::9",
      "ip:192.0.2.1",
      "ip:2001:db8:ffff::1",
      ...edges.map((text) => `ip:${text}`),
    ],
    ranges: ["cidr:203.0.113.0/28", "cidr:198.51.100.0/25", "cidr:2001:db8::/64", "cidr:203.0.113.9/32"],
  };
}

const RESERVED = ["health", "init", "ingress-controller"] as const;

function endOf(ends: Ends, space: FlowSpace, role: "from" | "to"): fc.Arbitrary<string> {
  const { cilium, anonymousNodes } = space;
  const reserved = [
    ...RESERVED,
    ...(anonymousNodes ? ["host", "remote-node"] : []),
    ...(space.unmanaged ? ["unmanaged"] : []),
  ];
  const of = (names: readonly string[]): fc.Arbitrary<string> =>
    fc.constantFrom(...(names.length === 0 ? ["host@n1"] : names));
  return weighted<string>(
    [26, of(ends.pods)],
    [2, of(ends.nodes)],
    [1, of(ends.groups.length === 0 ? ends.pods : ends.groups)],
    [role === "to" && space.services ? 2 : 0, of(ends.services.length === 0 ? ends.pods : ends.services)],
    [6, of(ends.outside)],
    [1, of(ends.inside.filter((name) => !name.startsWith("ip:10.96.") || (role === "to" && space.services)))],
    [1, of(ends.ranges)],
    [cilium ? 2 : 0, fc.constantFrom(...reserved)],
  );
}

function portOf(objects: readonly Fields[], undefinedProtocols: boolean): fc.Arbitrary<Port> {
  const number = weighted<number>([5, fc.constantFrom(...portsOf(objects))], [3, fc.constantFrom(...PORT_NUMBERS)]);
  const of = (protocol: Protocol): fc.Arbitrary<Port> => number.map((port) => ({ protocol, port }));
  const icmp = (protocol: Protocol, types: readonly number[]): fc.Arbitrary<Port> =>
    fc.constantFrom(...types).map((port) => ({ protocol, port }));
  return weighted<Port>(
    [10, of("TCP")],
    [3, of("UDP")],
    [2, of("SCTP")],
    [undefinedProtocols ? 2 : 0, icmp("ICMP", [8, 8, 8, 0, 0, 13, 13, 7, 7, 5, 5, 3])],
    [undefinedProtocols ? 2 : 0, icmp("ICMPv6", [128, 128, 129, 0, 135, 127])],
  );
}

export interface FlowSpace {
  readonly cluster: readonly Fields[];
  readonly policies: readonly Fields[];
  readonly cilium: boolean;
  /**
   * Whether `host` and `remote-node` may be asked for. Under the host firewall their labels are not told, and the engine
   * does not follow which of the untold labels the filter would drop.
   */
  readonly anonymousNodes: boolean;
  /**
   * Whether pods without endpoint may be asked for. Their address is not told, and the engine does not follow that where one
   * prefix holds it another does not.
   */
  readonly unmanaged: boolean;
  /** Whether Services may be asked for. */
  readonly services: boolean;
  /** Whether protocols other than TCP, UDP and SCTP are asked for. */
  readonly icmp: boolean;
}

/** Flows without an application part: most aim at a rule, some at nothing. */
export function flowOf(space: FlowSpace): fc.Arbitrary<Flow> {
  const { cluster, policies, icmp } = space;
  const ends = endsOf(cluster, policies);
  const random = fc.tuple(
    endOf(ends, space, "from"),
    endOf(ends, space, "to"),
    portOf([...policies, ...cluster], icmp),
  );
  const edges = (prefixes: readonly string[]): readonly string[] =>
    edgesOf([{ prefixes }]).map((address) => `ip:${address}`);
  const aims = aimsOf(cluster, policies, edges).filter(({ from, to }) => from.length > 0 || to.length > 0);
  const aimed = fc
    .tuple(fc.nat(), random, fc.tuple(rarely(8), rarely(8), rarely(6)), fc.tuple(fc.nat(), fc.nat(), fc.nat()))
    .map(([which, other, [otherFrom, otherTo, otherPort], [a, b, c]]) => {
      const aim = aims[which % aims.length];
      const [from, to, port] = other;
      return [
        otherFrom ? from : (at(aim?.from, a) ?? from),
        otherTo ? to : (at(aim?.to, b) ?? to),
        otherPort ? port : (at(aim?.ports, c) ?? port),
      ] as const;
    });
  return weighted([1, random], [aims.length === 0 ? 0 : 5, aimed])
    .chain(([from, to, port]) =>
      fc.tuple(fc.constant([from, to, port] as const), fc.constantFrom<Family>("IPv4", "IPv6"), rarely(8)),
    )
    .filter(([[from, to]]) => (isCluster(from) || isCluster(to)) && from !== to)
    .map(([[from, to, port], drawn, untold]): Flow => {
      const family = [from, to].map((end) => familyOfEnd(end, ends)).find((own) => own !== undefined) ?? drawn;
      if (port.protocol === "ICMP" || port.protocol === "ICMPv6") {
        const protocol: Protocol = family === "IPv4" ? "ICMP" : "ICMPv6";
        return { from, to, ...port, protocol };
      }
      return { from, to, ...port, ...(untold || to.includes("/Service/") ? {} : { family }) };
    })
    .filter(({ from, to, protocol }) => {
      if (!space.unmanaged && (from === "unmanaged" || to === "unmanaged")) return false;
      // Whether a Deployment dials itself or another of its pods is not told.
      if (to.includes("/Service/") && ends.groups.includes(from)) return false;
      if (from.includes("/Service/") || (to.includes("/Service/") && protocol.startsWith("ICMP"))) return false;
      const [a, b] = [familyOfEnd(from, ends), familyOfEnd(to, ends)];
      return a === undefined || b === undefined || a === b;
    });
}

function at<T>(items: readonly T[] | undefined, draw: number): T | undefined {
  return items === undefined || items.length === 0 ? undefined : items[draw % items.length];
}

type Family = "IPv4" | "IPv6";

/** At least one end is the cluster's. */
function isCluster(end: string): boolean {
  return !/^(ip|cidr|internet)/.test(end);
}

function familyOfAddress(address: string): Family {
  return address.includes(":") ? "IPv6" : "IPv4";
}

/** The only family in which an end talks; undefined where it has both. */
function familyOfEnd(end: string, ends: Ends): Family | undefined {
  if (/^(ip|cidr):/.test(end)) return familyOfAddress(end.replace(/^(ip|cidr):/, ""));
  return ends.single.get(end);
}
