/**
 * What is drawn: applications with their endpoints, the ways in from outside above them, and who talks to whom. Beyond a
 * number of endpoints that an eye can follow, an application is one box; and who is open to everybody is marked so instead
 * of being drawn with an arrow from each.
 */
import type { Because } from "../base/because.ts";
import {
  ALL_FLOWS,
  type FlowSet,
  flowIntersect,
  flowsEmpty,
  flowsKey,
  flowSubtract,
  portFlows,
} from "../net/flow-set.ts";
import type { Engine } from "../reach/engine.ts";
import { type FlowEntry, listFlows } from "../reach/flow-list.ts";
import { exposure, type Exposed, type WayIn } from "./exposure.ts";
import { CONNECTIONS, openness, passing, sharedFamilies, type Unit, unitsOf } from "./network.ts";
import { boxesOf, EdgeSet, MANY_ENDPOINTS } from "./topology-boxes.ts";
import type { EdgeTone, Topology, TopologyEntrance } from "./topology-form.ts";

/** What is drawn of all; a field that is left out draws everything. */
export interface TopologyQuery {
  /** Endpoints, by name, that arrows leave. */
  readonly from?: ReadonlySet<string>;
  /** Endpoints, by name, that arrows reach. */
  readonly to?: ReadonlySet<string>;
  /** Flows of which arrows speak. */
  readonly flows?: FlowSet;
  /** Boxes are applications, however few endpoints there are. */
  readonly byApplication?: boolean;
  /** Whether ways in from outside are drawn; they are by default. */
  readonly entrances?: boolean;
}

export function topologyOf(engine: Engine, title: string, query: TopologyQuery = {}): Topology {
  const every = unitsOf(engine);
  const isPart = query.from !== undefined || query.to !== undefined || query.flows !== undefined;
  const arrows = arrowsOf(engine, every, query, isPart);
  const exposed =
    query.entrances === false ? [] : exposure(engine).endpoints.filter((one) => isAsked(query.to, one.unit));
  const touched = new Set([
    ...(query.from ?? []),
    ...(query.to ?? []),
    ...arrows.found.flatMap(({ from, to }) => [from.name, to.name]),
    ...exposed.filter(({ waysIn }) => waysIn.some(isDrawn)).map(({ unit }) => unit.name),
  ]);
  const units = isPart ? every.filter((unit) => touched.has(unit.name)) : every;
  const folded = query.byApplication === true || units.length > MANY_ENDPOINTS;
  const boxes = boxesOf(units, folded);
  const raw = new EdgeSet(boxes.boxOf);
  for (const { from, to, tone, set, because } of arrows.found) {
    const flows = listFlows(set, sharedFamilies(from.endpoint, to.endpoint));
    raw.add(from.name, to.name, tone, flows, flowsKey(set), because);
  }
  const governed = new Set(units.filter((unit) => isGoverned(engine, unit)).map((unit) => unit.name));
  return inSteps({
    title,
    columns: boxes.columns,
    nodes: boxes.nodes(
      (members) => members.every((name) => arrows.open.has(name)),
      (members) => members.some((name) => governed.has(name)),
    ),
    edges: raw.edges(),
    entrances: entrancesOf(exposed, boxes.boxOf, query.flows),
    folded,
  });
}

function isAsked(names: ReadonlySet<string> | undefined, unit: { readonly name: string }): boolean {
  return names === undefined || names.has(unit.name);
}

/** Ways over something; addresses of their own are no place in a picture. */
function isDrawn({ way }: WayIn): boolean {
  return way !== "pod-address" && way !== "node-address";
}

/** Whether a policy selects it. */
export function isGoverned(engine: Engine, unit: Unit): boolean {
  const { connections } = engine;
  return connections.sides.subject(connections.viewOf(unit.endpoint)).selections.length > 0;
}

interface Arrow {
  readonly from: Unit;
  readonly to: Unit;
  readonly tone: EdgeTone;
  readonly set: FlowSet;
  readonly because: readonly Because[];
}

/** Who talks to whom; who lets everybody in is named instead, where all is drawn. */
function arrowsOf(
  engine: Engine,
  units: readonly Unit[],
  query: TopologyQuery,
  isPart: boolean,
): { readonly found: readonly Arrow[]; readonly open: ReadonlySet<string> } {
  const found: Arrow[] = [];
  const open = new Set<string>();
  const asked = query.flows;
  for (const to of units) {
    if (!isAsked(query.to, to)) continue;
    if (!isPart && units.length > 1 && letsEverybodyIn(engine, units, to)) open.add(to.name);
    for (const from of units) {
      if (from === to || !isAsked(query.from, from)) continue;
      const all = passing(engine, from.endpoint, to.endpoint);
      const bounds =
        asked === undefined
          ? all
          : { ...all, must: flowIntersect(all.must, asked), may: flowIntersect(all.may, asked) };
      const { verdict, narrowed } = openness(bounds);
      if (verdict === "deny") continue;
      const set = verdict === "allow" ? bounds.must : flowSubtract(bounds.may, bounds.must);
      // Of whom lets everybody in, only what the source limits is drawn.
      if (open.has(to.name) && isEverything(listFlows(set, sharedFamilies(from.endpoint, to.endpoint)))) continue;
      const tone = verdict === "unsure" ? "unsure" : narrowed ? "narrowed" : "allow";
      found.push({ from, to, tone, set, because: verdict === "unsure" ? bounds.because : [] });
    }
  }
  return { found, open };
}

function isEverything(flows: readonly FlowEntry[]): boolean {
  return flows.length === 1 && flows[0]?.protocol === "any";
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

// ── the north ──────────────────────────────────────────────────────────────────────────────────────────────────────

function meets(asked: FlowSet, { protocol, port }: NonNullable<WayIn["port"]>): boolean {
  return !flowsEmpty(flowIntersect(asked, portFlows(protocol, port, port)));
}

function entrancesOf(
  exposed: readonly Exposed[],
  boxOf: (unit: string) => string,
  asked: FlowSet | undefined,
): readonly TopologyEntrance[] {
  const out = new Map<string, TopologyEntrance>();
  for (const one of exposed) {
    for (const way of one.waysIn) {
      if (!isDrawn(way)) continue;
      if (asked !== undefined && way.port !== undefined && !meets(asked, way.port)) continue;
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
