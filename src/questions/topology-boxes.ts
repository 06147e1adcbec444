/** The boxes of a topology, and the arrows between them. */
import type { Because } from "../base/because.ts";
import type { FlowEntry } from "../reach/flow-list.ts";
import { applicationName } from "../reach/grouping.ts";
import type { Unit } from "./network.ts";
import type { EdgeTone, TopologyEdge, TopologyNode } from "./topology-form.ts";

/** More endpoints than this are drawn by application. */
export const MANY_ENDPOINTS = 40;

/** Where every endpoint is drawn. */
export interface Boxes {
  readonly columns: readonly string[];
  readonly boxOf: (unit: string) => string;
  readonly nodes: (
    open: (members: readonly string[]) => boolean,
    governed: (members: readonly string[]) => boolean,
  ) => readonly TopologyNode[];
}

/** A box for every endpoint in a column for every application; `folded`: for every application, in its namespace. */
export function boxesOf(units: readonly Unit[], folded: boolean): Boxes {
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

/** Arrows between boxes: those that look alike are one. */
export class EdgeSet {
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
