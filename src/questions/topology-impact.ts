/** What is drawn of an area of impact: a column a step, and the ways on which the steps are taken. */
import { applicationName } from "../reach/grouping.ts";
import type { Engine } from "../reach/engine.ts";
import type { Impact, Step, WayTo } from "./impact.ts";
import type { Unit } from "./network.ts";
import { EdgeSet, MANY_ENDPOINTS } from "./topology-boxes.ts";
import type { Topology, TopologyNode } from "./topology-form.ts";
import { isGoverned } from "./topology.ts";

/** What falls with one endpoint; a step that is not certain is drawn so. */
export function topologyOfImpact(engine: Engine, units: readonly Unit[], impact: Impact, title: string): Topology {
  const columns = new Map([[impact.endpoint, 0]]);
  const steps = [...impact.steps, ...impact.possible];
  for (const { to, distance } of steps) columns.set(to, distance);
  const unsure = new Set(impact.possible.map(({ to }) => to));
  const name = (step: number): string => (step === 0 ? "falls first" : step === 1 ? "directly" : `after ${step} steps`);
  return drawn(engine, units, { title, columns, name, steps, isUnsure: ({ to }) => unsure.has(to) });
}

/** The shortest ways to a target, from west to east. */
export function topologyOfWays(
  engine: Engine,
  units: readonly Unit[],
  found: readonly { readonly from: string; readonly ways: readonly WayTo[] }[],
  title: string,
): Topology {
  const rest = new Map<string, number>();
  const steps = new Map<string, Step>();
  for (const { ways } of found) {
    for (const way of ways) {
      const nodes = [way.steps[0]?.from ?? "", ...way.steps.map(({ to }) => to)];
      for (const [i, node] of nodes.entries()) {
        const left = nodes.length - 1 - i;
        rest.set(node, Math.min(left, rest.get(node) ?? left));
      }
      for (const step of way.steps) steps.set(`${step.from} ${step.to}`, step);
    }
  }
  const most = Math.max(0, ...rest.values());
  const columns = new Map([...rest].map(([node, left]) => [node, most - left]));
  const name = (step: number): string =>
    step === most ? "target" : most - step === 1 ? "1 step before" : `${most - step} steps before`;
  const isUnsure = ({ because }: Step): boolean => because.length > 0;
  return drawn(engine, units, { title, columns, name, steps: [...steps.values()], isUnsure });
}

interface Drawing {
  readonly title: string;
  /** The column of every endpoint that is drawn. */
  readonly columns: ReadonlyMap<string, number>;
  readonly name: (column: number) => string;
  readonly steps: readonly Step[];
  readonly isUnsure: (step: Step) => boolean;
}

function drawn(engine: Engine, units: readonly Unit[], { title, columns, name, steps, isUnsure }: Drawing): Topology {
  const shown = units.filter((unit) => columns.has(unit.name));
  const folded = shown.length > MANY_ENDPOINTS;
  const namespaces = new Set(shown.map((unit) => unit.group.workload.namespace));
  const boxes = new Map<string, { column: number; label: string; governed: boolean; count: number }>();
  const boxOf = new Map<string, string>();
  for (const unit of shown) {
    const column = columns.get(unit.name) ?? 0;
    const application = applicationName(unit.group.workload);
    const id = folded && column > 0 ? `${application}, ${name(column)}` : unit.name;
    const [namespace = "", ...rest] = unit.name.split("/");
    const own = folded && column > 0 ? application.slice(namespace.length + 1) : (rest.at(-1) ?? unit.name);
    const label = namespaces.size > 1 ? `${namespace}/${own}` : own;
    const box = boxes.get(id) ?? { column, label, governed: false, count: 0 };
    boxes.set(id, { ...box, governed: box.governed || isGoverned(engine, unit), count: box.count + 1 });
    boxOf.set(unit.name, id);
  }
  const edges = new EdgeSet((unit) => boxOf.get(unit) ?? unit);
  for (const step of steps) {
    const tone = isUnsure(step) ? "unsure" : step.narrowed ? "narrowed" : "allow";
    const key = step.flows.map((flow) => `${flow.protocol} ${flow.ports} ${flow.application.key}`).join();
    edges.add(step.from, step.to, tone, step.flows, key, step.because);
  }
  const numbers = [...new Set(columns.values())].sort((a, b) => a - b);
  const nodes = [...boxes].map(
    ([id, { column, ...box }]): TopologyNode => ({ id, column: name(column), open: false, ...box }),
  );
  return { title, columns: numbers.map(name), nodes, edges: edges.edges(), entrances: [], folded };
}
