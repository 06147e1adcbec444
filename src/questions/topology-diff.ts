/** What is drawn of a difference. */
import type { Engine } from "../reach/engine.ts";
import type { Diff } from "./diff.ts";
import { unitsOf } from "./network.ts";
import { boxesOf, EdgeSet, MANY_ENDPOINTS } from "./topology-boxes.ts";
import type { Topology, TopologyNode } from "./topology-form.ts";

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
