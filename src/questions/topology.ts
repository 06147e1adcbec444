/**
 * What is drawn: applications with their endpoints, the ways in from outside above them, and who talks to whom. Beyond a
 * number of endpoints that an eye can follow, an application is one box; and who is open to everybody is marked so instead
 * of being drawn with an arrow from each.
 */
import type { Because } from "../base/because.ts";
import { ALL_FLOWS, flowsEmpty, flowsKey, flowSubtract } from "../net/flow-set.ts";
import type { Engine } from "../reach/engine.ts";
import { type FlowEntry, listFlows } from "../reach/flow-list.ts";
import { applicationName } from "../reach/grouping.ts";
import type { Diff } from "./diff.ts";
import { exposure, type WayIn } from "./exposure.ts";
import { CONNECTIONS, openness, passing, sharedFamilies, type Unit, unitsOf } from "./network.ts";

export type EdgeTone = "allow" | "narrowed" | "unsure" | "gained" | "lost";

export interface TopologyNode {
  /** Unique. */
  readonly id: string;
  /** What is written in the box. */
  readonly label: string;
  readonly column: string;
  /** How many endpoints it stands for. */
  readonly count: number;
  /** Everybody inside reaches it with everything. */
  readonly open: boolean;
  /** A policy selects it. */
  readonly governed: boolean;
}

export interface TopologyEdge {
  readonly from: string;
  readonly to: string;
  /** The ports, in a few words; the writer shortens them. */
  readonly flows: readonly FlowEntry[];
  readonly tone: EdgeTone;
  /** How many pairs of endpoints it stands for. */
  readonly count: number;
  readonly because: readonly Because[];
  /** What did it, of a diff. */
  readonly note?: string;
}

/** A way in: a box in the north. */
export interface TopologyEntrance {
  readonly id: string;
  readonly label: string;
  readonly detail: string;
  readonly to: string;
  readonly ports: string;
  readonly tone: "allow" | "unsure" | "closed";
}

export interface Topology {
  readonly title: string;
  readonly columns: readonly string[];
  readonly nodes: readonly TopologyNode[];
  readonly edges: readonly TopologyEdge[];
  readonly entrances: readonly TopologyEntrance[];
  /** Whether boxes are whole applications. */
  readonly folded: boolean;
}

/** More endpoints than this are drawn by application. */
const MANY_ENDPOINTS = 40;

export function topologyOf(engine: Engine, title: string): Topology {
  const units = unitsOf(engine);
  const folded = units.length > MANY_ENDPOINTS;
  const boxes = boxesOf(units, folded);
  const raw = new EdgeSet(boxes.boxOf);
  const open = new Set<string>();
  for (const to of units) {
    if (units.length > 1 && letsEverybodyIn(engine, units, to)) open.add(to.name);
    for (const from of units) {
      if (from === to) continue;
      const bounds = passing(engine, from.endpoint, to.endpoint);
      const { verdict, narrowed } = openness(bounds);
      if (verdict === "deny") continue;
      const set = verdict === "allow" ? bounds.must : flowSubtract(bounds.may, bounds.must);
      const flows = listFlows(set, sharedFamilies(from.endpoint, to.endpoint));
      // Of whom lets everybody in, only what the source limits is drawn.
      if (open.has(to.name) && flows.length === 1 && flows[0]?.protocol === "any") continue;
      const tone = verdict === "unsure" ? "unsure" : narrowed ? "narrowed" : "allow";
      raw.add(from.name, to.name, tone, flows, flowsKey(set), verdict === "unsure" ? bounds.because : []);
    }
  }
  const governed = new Set(
    units
      .filter(
        (unit) => engine.connections.sides.subject(engine.connections.viewOf(unit.endpoint)).selections.length > 0,
      )
      .map((unit) => unit.name),
  );
  return inSteps({
    title,
    columns: boxes.columns,
    nodes: boxes.nodes(
      (members) => members.every((name) => open.has(name)),
      (members) => members.some((name) => governed.has(name)),
    ),
    edges: raw.edges(),
    entrances: entrancesOf(engine, boxes.boxOf),
    folded,
  });
}

function letsEverybodyIn(engine: Engine, units: readonly Unit[], to: Unit): boolean {
  return units.every((from) => {
    if (from === to) return true;
    const { must } = engine.connections.side("ingress", from.endpoint, to.endpoint);
    return flowsEmpty(flowSubtract(CONNECTIONS, must)) && flowsEmpty(flowSubtract(ALL_FLOWS, must));
  });
}

/** More columns than this with one box each say less than the steps from outside do. */
const MANY_COLUMNS = 6;

/** Where every application is one endpoint, columns are the steps from outside, or from whom nobody calls. */
function inSteps(topology: Topology): Topology {
  const { nodes, edges, entrances, columns } = topology;
  if (columns.length <= MANY_COLUMNS || nodes.length > columns.length * 1.25) return topology;
  const called = new Set(edges.map((edge) => edge.to));
  const starts = new Set(entrances.map((one) => one.to));
  if (starts.size === 0) for (const node of nodes) if (!called.has(node.id)) starts.add(node.id);
  const distance = new Map<string, number>([...starts].map((id) => [id, 0]));
  let level = [...starts];
  for (let step = 1; level.length > 0; step++) {
    const next: string[] = [];
    for (const { from, to } of edges) {
      if (!level.includes(from) || distance.has(to)) continue;
      distance.set(to, step);
      next.push(to);
    }
    level = next;
  }
  const name = (id: string): string => {
    const steps = distance.get(id);
    if (steps === undefined) return "not reached from outside";
    return steps === 0 ? "entry" : steps === 1 ? "1 step on" : `${steps} steps on`;
  };
  const order = [...new Set(distance.values())]
    .sort((a, b) => a - b)
    .map((steps) => [...distance].find(([, d]) => d === steps)?.[0] ?? "");
  const rest = nodes.some((node) => !distance.has(node.id)) ? ["not reached from outside"] : [];
  return {
    ...topology,
    columns: [...order.map(name), ...rest],
    nodes: nodes.map((node) => ({ ...node, column: name(node.id) })),
  };
}

/** Lost and gained edges; what did not change is left out. */
export function topologyOfDiff(
  engines: readonly [Engine, Engine],
  diff: Diff,
  title: string,
  cause: (change: Diff["changes"][number]) => string,
): Topology {
  const units = new Map(engines.flatMap((engine) => unitsOf(engine)).map((unit) => [unit.name, unit]));
  const touched = new Set(diff.changes.flatMap((change) => [change.from, change.to]));
  const changed = [...units.values()].filter((unit) => touched.has(unit.name));
  const folded = changed.length > MANY_ENDPOINTS;
  const boxes = boxesOf(changed, folded);
  const raw = new EdgeSet((name) => (units.has(name) ? boxes.boxOf(name) : name));
  const outside = new Set<string>();
  for (const change of diff.changes) {
    for (const end of [change.from, change.to]) if (!units.has(end)) outside.add(end);
    for (const [tone, flows] of [
      ["gained", change.gained] as const,
      ["lost", change.lost] as const,
      ["unsure", change.unsure] as const,
    ]) {
      // What the specification leaves open of protocols without ports is no edge of its own.
      const told =
        tone === "unsure"
          ? flows.filter(
              ({ protocol }) => protocol === "TCP" || protocol === "UDP" || protocol === "SCTP" || protocol === "any",
            )
          : flows;
      if (told.length === 0) continue;
      const key = told.map((e) => `${e.protocol}${e.ports}${e.application.key}`).join();
      raw.add(change.from, change.to, tone, told, key, tone === "unsure" ? change.because : [], cause(change));
    }
  }
  const others = [...outside].map(
    (name): TopologyNode => ({ id: name, label: name, column: "outside", count: 1, open: false, governed: false }),
  );
  return {
    title,
    columns: [...(others.length > 0 ? ["outside"] : []), ...boxes.columns],
    nodes: [
      ...others,
      ...boxes.nodes(
        () => false,
        () => true,
      ),
    ],
    edges: raw.edges(),
    entrances: [],
    folded,
  };
}

// ── boxes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Boxes {
  readonly columns: readonly string[];
  readonly boxOf: (unit: string) => string;
  readonly nodes: (
    open: (members: readonly string[]) => boolean,
    governed: (members: readonly string[]) => boolean,
  ) => readonly TopologyNode[];
}

function boxesOf(units: readonly Unit[], folded: boolean): Boxes {
  const boxes = new Map<string, { column: string; label: string; members: string[] }>();
  const byUnit = new Map<string, string>();
  for (const unit of units) {
    const application = applicationName(unit.group.workload);
    const { namespace } = unit.group.workload;
    const id = folded ? application : unit.name;
    const label = folded
      ? application.slice(namespace.length + 1)
      : unit.name
          .split("/")
          .slice(unit.name === unit.group.name ? 2 : 1)
          .join("/");
    const box = boxes.get(id) ?? { column: folded ? namespace : application, label, members: [] };
    boxes.set(id, box);
    box.members.push(unit.name);
    byUnit.set(unit.name, id);
  }
  return {
    columns: [...new Set([...boxes.values()].map((box) => box.column))].sort(),
    boxOf: (unit) => byUnit.get(unit) ?? unit,
    nodes: (open, governed) =>
      [...boxes].map(([id, { column, label, members }]) => ({
        id,
        label,
        column,
        count: members.length,
        open: open(members),
        governed: governed(members),
      })),
  };
}

class EdgeSet {
  private readonly boxOf: (unit: string) => string;
  private readonly found = new Map<string, { readonly edge: TopologyEdge; readonly keys: Set<string> }>();

  constructor(boxOf: (unit: string) => string) {
    this.boxOf = boxOf;
  }

  add(
    fromUnit: string,
    toUnit: string,
    tone: EdgeTone,
    flows: readonly FlowEntry[],
    flowKey: string,
    because: readonly Because[],
    note?: string,
  ): void {
    const [from, to] = [this.boxOf(fromUnit), this.boxOf(toUnit)];
    if (from === to && fromUnit !== toUnit && from !== fromUnit) return;
    const key = `${from} ${to} ${tone}`;
    const known = this.found.get(key);
    if (known === undefined) {
      const edge = { from, to, tone, flows, count: 1, because, ...(note === undefined || note === "" ? {} : { note }) };
      this.found.set(key, { edge, keys: new Set([flowKey]) });
      return;
    }
    const { edge, keys } = known;
    const all = keys.has(flowKey) ? edge.flows : merged(edge.flows, flows);
    this.found.set(key, { edge: { ...edge, count: edge.count + 1, flows: all }, keys: keys.add(flowKey) });
  }

  edges(): readonly TopologyEdge[] {
    return [...this.found.values()].map(({ edge }) => edge);
  }
}

function merged(a: readonly FlowEntry[], b: readonly FlowEntry[]): readonly FlowEntry[] {
  const text = (entry: FlowEntry): string => `${entry.protocol} ${entry.ports} ${entry.application.key}`;
  const known = new Set(a.map(text));
  return [...a, ...b.filter((entry) => !known.has(text(entry)))];
}

// ── the north ──────────────────────────────────────────────────────────────────────────────────────────────────────

function entrancesOf(engine: Engine, boxOf: (unit: string) => string): readonly TopologyEntrance[] {
  const out = new Map<string, TopologyEntrance>();
  for (const one of exposure(engine).endpoints) {
    for (const way of one.waysIn) {
      if (way.way === "pod-address" || way.way === "node-address") continue;
      const { label, detail } = entranceLabel(way);
      const to = boxOf(one.unit.name);
      const key = `${label} ${detail} ${to} ${way.verdict}`;
      const ports = way.port === undefined ? "" : `${way.port.protocol} ${way.port.port}`;
      const tone = way.verdict === "deny" ? "closed" : way.verdict;
      if (!out.has(key)) out.set(key, { id: `${label} ${detail}`, label, detail, to, ports, tone });
    }
  }
  return [...out.values()];
}

function entranceLabel(way: WayIn): { readonly label: string; readonly detail: string } {
  if (way.through !== undefined) {
    const [kind = "", , name = ""] = way.through.object.split("/");
    const path = /^path (\S+)/.exec(way.through.match)?.[1] ?? "";
    const host = way.through.host === "*" ? "any host" : way.through.host;
    return { label: `${kind} ${name}`, detail: `${host}${path}` };
  }
  const names: Readonly<Record<string, string>> = {
    "load-balancer": "LoadBalancer",
    "node-port": "NodePort",
    "external-address": "External address",
    "host-port": "Host port",
    "host-network": "Host network",
  };
  return { label: names[way.way] ?? way.way, detail: way.dialled ?? "" };
}

/** Whether something is in it at all. */
export function isEmptyTopology(topology: Topology): boolean {
  return topology.nodes.length === 0 && topology.entrances.length === 0;
}
