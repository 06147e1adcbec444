/** The two ways to ask: what `reach` lists of all pairs at once is what `why` says of each flow of them. */
import type { PortProtocol } from "../../src/net/protocol.ts";
import { type Answer, QuestionError } from "../../src/reach/answer.ts";
import { ALL_BOUNDED, type Bounded, boundedIntersect } from "../../src/reach/bounded.ts";
import { endpointFamilies } from "../../src/reach/endpoint.ts";
import type { Engine } from "../../src/reach/engine.ts";
import { pointVerdict } from "../../src/reach/explain.ts";
import type { EndpointClass } from "../../src/reach/factored.ts";
import type { FlowEntry } from "../../src/reach/flow-list.ts";
import type { ReachEntry, ReachPair, Row } from "../../src/reach/reach.ts";

export interface Probe {
  readonly protocol: PortProtocol;
  readonly port: number;
  readonly family: "IPv4" | "IPv6";
}

/** Ports of the worlds, their neighbours, and the edges of the space. */
export const PROBES: readonly Probe[] = [
  { protocol: "TCP", port: 80, family: "IPv4" },
  { protocol: "TCP", port: 8080, family: "IPv4" },
  { protocol: "TCP", port: 5432, family: "IPv4" },
  { protocol: "UDP", port: 53, family: "IPv4" },
  { protocol: "TCP", port: 443, family: "IPv6" },
  { protocol: "SCTP", port: 65535, family: "IPv4" },
  { protocol: "TCP", port: 1, family: "IPv4" },
  { protocol: "TCP", port: 101, family: "IPv4" },
];

function holds({ family, protocol, ranges }: FlowEntry, probe: Probe): boolean {
  if (family !== "any" && family !== probe.family) return false;
  if (protocol === "any") return true;
  return protocol === probe.protocol && ranges.some(({ first, last }) => first <= probe.port && probe.port <= last);
}

function verdictIn({ allow, unsure, mixed }: ReachPair, probe: Probe): string {
  const has = (entries: readonly FlowEntry[]): boolean => entries.some((entry) => holds(entry, probe));
  if (has(allow)) return "allow";
  return has(unsure) ? "unsure" : has(mixed) ? "mixed" : "deny";
}

function ask(engine: Engine, { from, to }: ReachPair, { protocol, port, family }: Probe): Answer | undefined {
  try {
    const answer = engine.why({ from, to, protocol, port, family });
    // A family that an end does not have, and a port that a Service does not.
    return answer.pairs.length === 0 ? undefined : answer;
  } catch (error) {
    if (error instanceof QuestionError) return undefined;
    throw error;
  }
}

/**
 * What `why` names on its way and the entry does not, by direction. An entry of several ports names the rules that allow some
 * of them, and where there are any nothing else.
 */
function unnamed(answer: Answer, entry: ReachEntry): readonly string[] {
  const named = new Set(
    entry.deciders.flatMap(({ direction, reason, origins }) => [
      `${direction} ${reason}`,
      ...origins.map((origin) => `${direction} ${origin.kind} ${origin.name} ${origin.section} ${origin.index}`),
    ]),
  );
  return answer.pairs.flatMap(({ hops }) =>
    hops.flatMap((hop) => {
      if (hop.kind !== "filter") return [];
      const { direction, reason, deciders } = hop.explanation;
      const own = [`${direction} ${reason}`, `${direction} rule`];
      if (reason !== "rule") return own.some((text) => named.has(text)) ? [] : [`${direction} ${reason}`];
      return deciders
        .map((origin) => `${direction} ${origin.kind} ${origin.name} ${origin.section} ${origin.index}`)
        .filter((text) => !named.has(text));
    }),
  );
}

/** Every place where the two ways differ. */
export function differences(engine: Engine, probes: readonly Probe[]): readonly string[] {
  const pairs = [...engine.reach({ by: "endpoint", provenance: true, outside: true }).pairs];
  return pairs.flatMap((pair, number) =>
    probes
      .filter((_, i) => (i + number) % 4 === 0)
      .flatMap((probe): readonly string[] => {
        const answer = ask(engine, pair, probe);
        if (answer === undefined) return [];
        const where = `${pair.from} > ${pair.to} ${probe.port}/${probe.protocol} ${probe.family}`;
        const listed = verdictIn(pair, probe);
        if (listed !== answer.verdict) return [`${where}: reach ${listed}, why ${answer.verdict}`];
        const entry = pair.allow.find((one) => holds(one, probe));
        // Ranges outside that fare alike are one row, whatever decides in each of them.
        const isRange = answer.pairs.length > 1 && [pair.from, pair.to].some((end) => !end.includes("/Pod/"));
        const left = entry === undefined || isRange ? [] : unnamed(answer, entry);
        return left.map((text) => `${where}: reach does not name ${text}`);
      }),
  );
}

/** Pairs that `reach` leaves out although `why` lets something through. */
export function leftOut(engine: Engine, probes: readonly Probe[]): readonly string[] {
  const { rows, pairs } = engine.reach({ by: "endpoint", provenance: false, outside: true });
  const listed = new Set([...pairs].map(({ from, to }) => `${from} > ${to}`));
  const hasOutside = (name: string, side: "from" | "to"): boolean =>
    [...listed].some((pair) => {
      const [from = "", to = ""] = pair.split(" > ");
      return side === "from" ? from === name && !to.includes("/Pod/") : to === name && !from.includes("/Pod/");
    });
  // Ends that have no address of IPv4 are asked about no more than reach tells of them.
  const asked = rows.filter(({ members }) => members.every((member) => endpointFamilies(member).includes("IPv4")));
  const questions = asked.flatMap(({ name }) => [
    ...asked.filter((other) => other.name !== name).map((other) => [name, other.name] as const),
    ...(hasOutside(name, "from") ? [] : [[name, "ip:203.0.113.77"] as const]),
    ...(hasOutside(name, "to") ? [] : [["ip:203.0.113.77", name] as const]),
  ]);
  return questions
    .filter(([from, to]) => !listed.has(`${from} > ${to}`))
    .flatMap(([from, to], number) => {
      const probe = probes[number % probes.length];
      if (probe === undefined) return [];
      const answer = ask(engine, { from, to, allow: [], unsure: [], mixed: [] }, probe);
      if (answer === undefined || answer.verdict === "deny") return [];
      return [`${from} > ${to} ${probe.port}/${probe.protocol}: left out, why ${answer.verdict}`];
    });
}

/** Between groups: what holds between all members passes, between some it is mixed. */
export function groupDifferences(engine: Engine, by: "namespace" | "application" | "identity"): readonly string[] {
  const ends = engine.reach({ by: "endpoint", provenance: false, outside: false });
  const groups = engine.reach({ by, provenance: false, outside: false });
  const between = new Map([...ends.pairs].map((pair) => [`${pair.from} > ${pair.to}`, pair]));
  const grouped = new Map([...groups.pairs].map((pair) => [`${pair.from} > ${pair.to}`, pair]));
  const isPod = (row: Row): boolean => row.members.length > 0 && row.members.every(({ kind }) => kind === "pod");
  const rows = groups.rows.filter(isPod);
  const verdict = (pair: ReachPair | undefined, probe: Probe): string => (pair ? verdictIn(pair, probe) : "deny");
  return rows.flatMap((a) =>
    rows.flatMap((b) =>
      PROBES.filter(({ family }) => family === "IPv4").flatMap((probe): readonly string[] => {
        const members = a.members.flatMap((x) =>
          b.members.filter((y) => x.name !== y.name).map((y) => verdict(between.get(`${x.name} > ${y.name}`), probe)),
        );
        if (members.length === 0) return [];
        const wanted = members.every((one) => one === "allow")
          ? "allow"
          : (["allow", "unsure"].find((one) => members.includes(one)) ?? "deny");
        const told = wanted === "allow" && members.some((one) => one !== "allow") ? "mixed" : wanted;
        const is = verdict(grouped.get(`${a.name} > ${b.name}`), probe);
        return is === told ? [] : [`${a.name} > ${b.name} ${probe.port}/${probe.protocol}: ${is}, not ${told}`];
      }),
    ),
  );
}

/** The factored answer: what its two entries let through is what passes between two members. */
export function factoredDifferences(engine: Engine): readonly string[] {
  const { classes, sides } = engine.solve();
  const sideOf = (direction: "egress" | "ingress", self: EndpointClass, other: EndpointClass): Bounded => {
    const side = sides.find((one) => one.direction === direction && one.classId === self.id);
    if (side === undefined) return ALL_BOUNDED;
    return side.groups.find(({ others }) => others.includes(other.id))?.flows ?? side.otherwise;
  };
  return classes.flatMap((a) =>
    classes.flatMap((b) => {
      const [from] = a.members;
      const to = b.members.at(-1);
      if (from === undefined || to === undefined || from === to) return [];
      const factored = boundedIntersect(sideOf("egress", a, b), sideOf("ingress", b, a));
      const direct = engine.connections.between(from, to);
      return PROBES.flatMap((probe) => {
        const [is, wanted] = [pointVerdict(factored, probe), pointVerdict(direct, probe)];
        return is === wanted ? [] : [`${from.name} > ${to.name} ${probe.port}: ${is}, not ${wanted}`];
      });
    }),
  );
}
