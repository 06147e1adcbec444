/** Where flows must go for a rule to decide them: ends that its selectors may mean, and ports that it names. */
import type { Fields } from "./arbitraries.ts";

export type Protocol = "TCP" | "UDP" | "SCTP" | "ICMP" | "ICMPv6" | "VRRP";

export interface Port {
  readonly protocol: Protocol;
  readonly port: number;
}

/** One rule of a policy as a target. Empty lists mean: whatever. */
export interface Aim {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly ports: readonly Port[];
}

interface PodSketch {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Fields;
  readonly ports: readonly Fields[];
}

function isMapping(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function mapping(value: unknown): Fields {
  return isMapping(value) ? value : {};
}

function mappings(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(mapping) : [];
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function podsOf(cluster: readonly Fields[]): readonly PodSketch[] {
  return cluster.flatMap((object) => {
    const metadata = mapping(object["metadata"]);
    const spec = mapping(object["spec"]);
    if (object["kind"] !== "Pod" || spec["hostNetwork"] === true || mapping(object["status"])["phase"] !== undefined)
      return [];
    const namespace = String(metadata["namespace"]);
    const ports = mappings(spec["containers"]).flatMap((container) => mappings(container["ports"]));
    return [
      { name: `${namespace}/${String(metadata["name"])}`, namespace, labels: mapping(metadata["labels"]), ports },
    ];
  });
}

/** Whether a selector's positive terms on plain labels hold; the others are left to chance. */
function mayMean(selector: unknown, { labels, namespace }: PodSketch): boolean {
  const { matchLabels, matchExpressions } = mapping(selector);
  const holds = (written: string, values: readonly unknown[]): boolean => {
    const key = written.slice(written.indexOf(":") + 1);
    if (key === "io.kubernetes.pod.namespace") return values.includes(namespace);
    if (key.startsWith("io.cilium") || key.startsWith("reserved")) return true;
    return values.includes(labels[key]);
  };
  return (
    Object.entries(mapping(matchLabels)).every(([key, value]) => holds(key, [value])) &&
    mappings(matchExpressions).every(
      ({ key, operator, values }) => operator !== "In" || holds(String(key), Array.isArray(values) ? values : []),
    )
  );
}

const ENTITY_ENDS: Readonly<Record<string, readonly string[]>> = {
  host: ["host@n1", "host@n2"],
  "remote-node": ["host@n1", "host@n2"],
  world: ["ip:192.0.2.1", "ip:2001:db8:ffff::1"],
  health: ["health"],
  init: ["init"],
  ingress: ["ingress-controller"],
  unmanaged: ["unmanaged"],
};

/** The ends that the peers of a rule may mean. `edges` gives the addresses at the edges of a prefix. */
function peerEnds(
  rule: Fields,
  namespace: string | undefined,
  pods: readonly PodSketch[],
  edges: (prefixes: readonly string[]) => readonly string[],
): readonly string[] {
  const meant = (selector: unknown, inside: readonly PodSketch[]): readonly string[] =>
    inside.filter((pod) => mayMean(selector, pod)).map((pod) => pod.name);
  const own = namespace === undefined ? pods : pods.filter((pod) => pod.namespace === namespace);
  const found: string[] = [];
  const prefixes: string[] = [];
  for (const side of ["from", "to"]) {
    for (const peer of mappings(rule[side])) {
      const block = mapping(peer["ipBlock"]);
      prefixes.push(...texts([block["cidr"], ...texts(block["except"])]), ...texts(peer["networks"]));
      if (peer["podSelector"] !== undefined)
        found.push(...meant(peer["podSelector"], peer["namespaceSelector"] === undefined ? own : pods));
      else if (peer["namespaceSelector"] !== undefined || peer["namespaces"] !== undefined)
        found.push(...meant({}, pods));
      if (peer["pods"] !== undefined) found.push(...meant(mapping(peer["pods"])["podSelector"], pods));
      if (peer["nodes"] !== undefined) found.push("host@n1", "host@n2");
    }
    for (const selector of mappings(rule[`${side}Endpoints`])) {
      const near = meant(selector, own);
      found.push(...(near.length > 0 && !/namespace/.test(JSON.stringify(selector)) ? near : meant(selector, pods)));
      for (const [name, ends] of Object.entries(ENTITY_ENDS))
        if (JSON.stringify(selector).includes(`reserved:${name}"`)) found.push(...ends);
    }
    prefixes.push(...texts(rule[`${side}CIDR`]));
    for (const item of mappings(rule[`${side}CIDRSet`]))
      prefixes.push(
        ...texts([item["cidr"], ...texts(item["except"])]),
        ...(item["cidr"] === undefined ? GROUP_PREFIXES : []),
      );
    for (const entity of texts(rule[`${side}Entities`])) found.push(...(ENTITY_ENDS[entity] ?? []));
    if (mappings(rule[`${side}Nodes`]).length > 0) found.push("host@n1", "host@n2");
    if (mappings(rule[`${side}Services`]).length > 0)
      found.push(...pods.map((pod) => pod.name), ...edges(["203.0.113.9/32"]));
  }
  return [...found, ...edges(prefixes)];
}

/** Prefixes that a CIDR group may have. */
const GROUP_PREFIXES = ["203.0.113.0/24", "198.51.100.0/24", "2001:db8::/64"];

const PORT_PROTOCOLS: readonly Protocol[] = ["TCP", "UDP", "SCTP"];

function protocolsOf(written: unknown, absent: readonly Protocol[]): readonly Protocol[] {
  return PORT_PROTOCOLS.filter((name) => name === written).length > 0
    ? PORT_PROTOCOLS.filter((name) => name === written)
    : absent;
}

function around(numbers: readonly number[]): readonly number[] {
  const all = numbers.flatMap((n) => [n, n, n, n, n - 1, n + 1]);
  return all.filter((n) => n >= 1 && n <= 65535);
}

/** The ports that a rule names, and their neighbours. */
function rulePorts(rule: Fields, pods: readonly PodSketch[]): readonly Port[] {
  const ports: Port[] = [];
  const add = (protocols: readonly Protocol[], numbers: readonly number[]): void => {
    for (const protocol of protocols) for (const port of around(numbers)) ports.push({ protocol, port });
  };
  const named = (name: string, protocols: readonly Protocol[]): void => {
    for (const port of pods.flatMap((pod) => pod.ports))
      if (port["name"] === name.toLowerCase())
        add(protocolsOf(port["protocol"] ?? "TCP", protocols), [Number(port["containerPort"])]);
  };
  const item = (port: Fields, absent: readonly Protocol[]): void => {
    const protocols = protocolsOf(port["protocol"], absent);
    const written = port["port"] ?? port["start"] ?? port["number"];
    const end = port["endPort"] ?? port["end"];
    if (typeof written === "string" && /[a-zA-Z]/.test(written)) named(written, protocols);
    else if (written === undefined || Number(written) === 0) add(protocols, [80, 8080]);
    else add(protocols, [Number(written), ...(end === undefined ? [] : [Number(end)])]);
  };
  for (const port of mappings(rule["ports"])) {
    if (typeof port["namedPort"] === "string") named(port["namedPort"], PORT_PROTOCOLS);
    else item({ ...port, ...mapping(port["portNumber"]), ...mapping(port["portRange"]) }, ["TCP"]);
  }
  for (const group of mappings(rule["toPorts"]))
    for (const port of mappings(group["ports"])) item(port, PORT_PROTOCOLS);
  for (const protocol of mappings(rule["protocols"])) {
    if (typeof protocol["destinationNamedPort"] === "string") named(protocol["destinationNamedPort"], PORT_PROTOCOLS);
    for (const [key, value] of Object.entries(protocol)) {
      const destination = mapping(mapping(value)["destinationPort"]);
      item({ ...destination, ...mapping(destination["range"]), protocol: key.toUpperCase() }, []);
    }
  }
  if (mappings(rule["icmps"]).length > 0)
    ports.push(
      ...[8, 8, 0, 5, 13].map((port): Port => ({ protocol: "ICMP", port })),
      ...[128, 129, 135].map((port): Port => ({ protocol: "ICMPv6", port })),
    );
  return ports;
}

/** What few rules have is aimed at more often. */
const RARE =
  /"(from|to)Nodes"|"toServices"|"cidrGroup|"except":\["|"nodes"|"endPort"|"range"|"(port|namedPort|destinationNamedPort)":"[a-zA-Z]|"SCTP"|"namespaceSelector":.*"podSelector"/;

const SECTIONS = ["ingress", "egress", "ingressDeny", "egressDeny"];

/** Every rule of every policy as a target, and for each closed direction one that no rule names. */
export function aimsOf(
  cluster: readonly Fields[],
  policies: readonly Fields[],
  edges: (prefixes: readonly string[]) => readonly string[],
): readonly Aim[] {
  const pods = podsOf(cluster);
  return policies.flatMap((object) => {
    const namespace = mapping(object["metadata"])["namespace"];
    const scope = typeof namespace === "string" ? namespace : undefined;
    const specs = [object["spec"], ...(Array.isArray(object["specs"]) ? object["specs"] : [])].map(mapping);
    return specs.flatMap((spec) => {
      const inside = scope === undefined ? pods : pods.filter((pod) => pod.namespace === scope);
      const subject = mapping(spec["subject"]);
      const selector = spec["podSelector"] ?? spec["endpointSelector"] ?? mapping(subject["pods"])["podSelector"] ?? {};
      const subjects =
        spec["nodeSelector"] === undefined
          ? inside.filter((pod) => mayMean(selector, pod)).map((pod) => pod.name)
          : ["host@n1", "host@n2"];
      // A rule for nobody decides nothing.
      if (subjects.length === 0) return [];
      return SECTIONS.flatMap((section) =>
        mappings(spec[section]).flatMap((rule): readonly Aim[] => {
          const peers = peerEnds(rule, scope, pods, edges);
          const ports = rulePorts(rule, pods);
          const aim: Aim = section.startsWith("ingress")
            ? { from: peers, to: subjects, ports }
            : { from: subjects, to: peers, ports };
          const isRare = spec["nodeSelector"] !== undefined || RARE.test(JSON.stringify(rule));
          return isRare ? [aim, aim, aim, aim, aim, aim] : [aim];
        }),
      );
    });
  });
}
