/** Which kinds of rule decided how many flows at one of their sides, and how many went which way. */
import type { Fields } from "./arbitraries.ts";
import type { Asked } from "./running.ts";
import { documentsOf, type Scene } from "./scenes.ts";
import type { SideView } from "./witnesses.ts";

function isMapping(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function mapping(value: unknown): Fields {
  return isMapping(value) ? value : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The rule that a decider names, found in the documents. */
function ruleOf(
  scene: Scene,
  decider: string,
): { readonly object: Fields; readonly rule: Fields; readonly section: string } | undefined {
  const match = /^([A-Za-z]+)\/(.*)#([A-Za-z]+)\[(\d+)\]$/.exec(decider);
  if (match === null) return undefined;
  const [, kind, path = "", section = "", index] = match;
  const [name, namespace] = path.split("/").reverse();
  const object = documentsOf(scene).find((document) => {
    const metadata = mapping(document["metadata"]);
    return document["kind"] === kind && metadata["name"] === name && metadata["namespace"] === namespace;
  });
  if (object === undefined) return undefined;
  const specs = [object["spec"], ...listOf(object["specs"])].map(mapping);
  const rule = specs.flatMap((spec) => listOf(spec[section]))[Number(index)];
  return isMapping(rule) ? { object, rule, section } : undefined;
}

/** What of the grammar a decider stands for. */
function kindsOf(scene: Scene, decider: string): readonly string[] {
  const found = ruleOf(scene, decider);
  if (found === undefined) return [];
  const { object, rule, section } = found;
  switch (object["kind"]) {
    case "NetworkPolicy":
      return networkPolicyKinds(rule, section);
    case "CiliumNetworkPolicy":
    case "CiliumClusterwideNetworkPolicy":
      return ciliumKinds(object, rule, section);
    default:
      return tierKinds(object, rule);
  }
}

function networkPolicyKinds(rule: Fields, section: string): readonly string[] {
  const peers = listOf(rule[section === "ingress" ? "from" : "to"]).map(mapping);
  const of = new Set(
    peers.map((peer) => {
      if (peer["ipBlock"] !== undefined)
        return listOf(mapping(peer["ipBlock"])["except"]).length > 0 ? "ipBlock with except" : "ipBlock";
      if (peer["namespaceSelector"] === undefined) return "podSelector";
      return peer["podSelector"] === undefined ? "namespaceSelector" : "both selectors";
    }),
  );
  const ports = listOf(rule["ports"]).map(mapping);
  const traffic = new Set(
    ports.map((port) => {
      if (typeof port["port"] === "string") return "port name";
      if (port["endPort"] !== undefined) return "endPort";
      return port["port"] === undefined ? "protocol alone" : "port number";
    }),
  );
  const protocols = new Set(ports.map((port) => String(port["protocol"] ?? "TCP")));
  return [
    `NetworkPolicy ${section}`,
    ...only(of, peers.length === 0 ? "any peer" : undefined).map((kind) => `NetworkPolicy ${kind}`),
    ...only(traffic, ports.length === 0 ? "any port" : undefined).map((kind) => `NetworkPolicy ${kind}`),
    ...only(protocols, undefined).map((kind) => `NetworkPolicy ${kind}`),
  ];
}

/** The only kind of a rule; of mixed rules none, for it is not told which of them decided. */
function only(kinds: ReadonlySet<string>, empty: string | undefined): readonly string[] {
  if (kinds.size === 0) return empty === undefined ? [] : [empty];
  return kinds.size === 1 ? [...kinds] : [];
}

const PEERS = ["Endpoints", "CIDR", "CIDRSet", "Entities", "Nodes", "Services", "Groups", "FQDNs"];

function ciliumKinds(object: Fields, rule: Fields, section: string): readonly string[] {
  const side = section.startsWith("ingress") ? "from" : "to";
  const peer = PEERS.find((name) => listOf(rule[`${side}${name}`]).length > 0);
  const items = listOf(rule[`${side}CIDRSet`]).map(mapping);
  const cidr = items.map(
    (item) =>
      ["cidrGroupRef", "cidrGroupSelector"].find((key) => item[key] !== undefined) ??
      (listOf(item["except"]).length > 0 ? "except" : "cidr"),
  );
  const groups = listOf(rule["toPorts"]).map(mapping);
  const ports = groups.flatMap((group) => listOf(group["ports"])).map(mapping);
  const traffic = new Set(ports.map(ciliumPortKind));
  const icmps = listOf(rule["icmps"]);
  const isNode = [object["spec"], ...listOf(object["specs"])].every(
    (spec) => mapping(spec)["nodeSelector"] !== undefined,
  );
  return [
    `${String(object["kind"])} ${section}`,
    `Cilium ${peer === undefined ? "any peer" : `${side}${peer}`}`,
    ...only(new Set(cidr), undefined).map((kind) => `Cilium CIDRSet ${kind}`),
    ...(icmps.length > 0
      ? ["Cilium icmps"]
      : only(traffic, groups.length === 0 ? "any port" : undefined).map((kind) => `Cilium ${kind}`)),
    ...applicationKinds(groups),
    ...(isNode ? [`Cilium nodeSelector ${section.startsWith("ingress") ? "ingress" : "egress"}`] : []),
    ...(rule["fromRequires"] !== undefined || rule["toRequires"] !== undefined ? ["Cilium requires"] : []),
  ];
}

function ciliumPortKind(port: Fields): string {
  const text = String(port["port"]);
  if (/[a-zA-Z]/.test(text)) return "port name";
  if (text === "0") return "port 0";
  return Number(port["endPort"] ?? 0) > Number(text) ? "port range" : "port number";
}

function applicationKinds(groups: readonly Fields[]): readonly string[] {
  const kinds = new Set<string>();
  for (const group of groups) {
    const rules = mapping(group["rules"]);
    for (const item of listOf(rules["http"]).map(mapping)) {
      for (const key of ["method", "path", "host", "headers"]) if (item[key] !== undefined) kinds.add(`http ${key}`);
      for (const match of listOf(item["headerMatches"]).map(mapping))
        kinds.add(match["mismatch"] === undefined ? "http headerMatches" : "http mismatch action");
      if (Object.keys(item).length === 0) kinds.add("http any");
    }
    if (listOf(rules["dns"]).length > 0) kinds.add("dns rules");
    if (listOf(group["serverNames"]).length > 0) kinds.add("serverNames");
  }
  return [...kinds];
}

function tierKinds(object: Fields, rule: Fields): readonly string[] {
  const spec = mapping(object["spec"]);
  const tier = object["kind"] === "ClusterNetworkPolicy" ? String(spec["tier"]) : String(object["kind"]);
  const peers = [...listOf(rule["from"]), ...listOf(rule["to"])].map(mapping);
  const protocols = [...listOf(rule["protocols"]), ...listOf(rule["ports"])].map(mapping);
  return [
    `${tier} ${String(rule["action"])}`,
    ...only(new Set(peers.flatMap((peer) => Object.keys(peer))), undefined).map((kind) => `tier ${kind}`),
    ...only(new Set(protocols.flatMap(tierPortKinds)), protocols.length === 0 ? "any port" : undefined).map(
      (kind) => `tier ${kind}`,
    ),
  ];
}

function tierPortKinds(item: Fields): readonly string[] {
  return Object.entries(item).map(([key, value]) => {
    const destination = mapping(mapping(value)["destinationPort"]);
    if (destination["range"] !== undefined || key === "portRange") return "port range";
    return key === "destinationNamedPort" || key === "namedPort" ? "port name" : "port number";
  });
}

interface Count {
  allow: number;
  deny: number;
}

/** Counts of one run. */
export class Coverage {
  readonly kinds = new Map<string, Count>();
  readonly verdicts = new Map<string, number>();
  /** Codes of `unsure`, and how many such flows had a code that nothing in the scene plants. */
  readonly codes = new Map<string, number>();
  unplanted = 0;
  /** How many answers were asked again without the rules that they name. */
  removals = 0;
  readonly sets = new Set<string>();

  add({ scene, view }: Asked, planted: ReadonlySet<string>): void {
    const verdict = view?.verdict ?? "no answer";
    this.verdicts.set(verdict, (this.verdicts.get(verdict) ?? 0) + 1);
    if (view === undefined) return;
    if (verdict === "unsure") {
      for (const code of view.because) this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
      if (view.because.some((code) => !planted.has(code))) this.unplanted += 1;
    }
    for (const direction of ["egress", "ingress"] as const) {
      const side = view[direction];
      if (side.verdict !== "allow" && side.verdict !== "deny") continue;
      for (const kind of new Set(sideKinds(scene, side, direction))) {
        const count = this.kinds.get(kind) ?? { allow: 0, deny: 0 };
        count[side.verdict] += 1;
        this.kinds.set(kind, count);
      }
    }
  }

  /** How many flows had an answer. */
  get answered(): number {
    let sum = 0;
    for (const [verdict, count] of this.verdicts) if (verdict !== "no answer") sum += count;
    return sum;
  }

  share(verdict: string): number {
    return (this.verdicts.get(verdict) ?? 0) / Math.max(1, this.answered);
  }

  decidedBy(kind: string): number {
    const { allow, deny } = this.kinds.get(kind) ?? { allow: 0, deny: 0 };
    return allow + deny;
  }

  /** What a run comes to, in two lines. */
  summary(): string {
    const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
    const verdicts = [...this.verdicts].map(([verdict, count]) => `${verdict} ${count}`).join(", ");
    const codes = [...this.codes].map(([code, count]) => `${code} ${count}`).join(", ") || "none";
    const shares = ["allow", "deny", "unsure"]
      .map((verdict) => `${verdict} ${percent(this.share(verdict))}`)
      .join(", ");
    return [
      `distinct policy sets ${this.sets.size}; flows answered ${this.answered}: ${verdicts}`,
      `${shares} (${codes}), not planted ${this.unplanted}; asked again without the named rules ${this.removals}`,
    ].join("\n");
  }

  /** The table that a run prints. */
  table(): string {
    const width = Math.max(...[...this.kinds.keys()].map((kind) => kind.length), 10);
    const rows = [...this.kinds]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, { allow, deny }]) =>
        [kind.padEnd(width), String(allow).padStart(8), String(deny).padStart(8)].join(" "),
      );
    const head = `${"decided by".padEnd(width)} ${"allow".padStart(8)} ${"deny".padStart(8)}`;
    return [this.summary(), head, ...rows].join("\n");
  }
}

function sideKinds(scene: Scene, side: SideView, direction: string): readonly string[] {
  if (side.reason === "rule") return side.deciders.flatMap((decider) => kindsOf(scene, decider));
  if (side.reason === "default-deny") {
    const objects = new Set(side.deciders.map((decider) => decider.split("/")[0] ?? ""));
    return [`default deny ${direction}`, ...[...objects].map((kind) => `default deny by ${kind}`)];
  }
  return [side.reason === "always-allowed" ? `always allowed ${direction}` : `no policy ${direction}`];
}
