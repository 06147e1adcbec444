import { expect, test } from "vitest";
import { flowsKey, restrictFamilies } from "../../src/net/flow-set.ts";
import { VpcEngine } from "../../src/vpc/engine.ts";
import { readDescribe } from "../../src/vpc/read/describe.ts";
import { solve } from "../../src/vpc/solve.ts";
import { isWholeEverywhere } from "../whole.ts";
import { sceneOf } from "./networks.ts";

test("the factored answer is the answer for each pair, where nothing is left open", () => {
  let compared = 0;
  for (let seed = 0; seed < (isWholeEverywhere ? 600 : 60); seed++) {
    const engine = new VpcEngine(readDescribe([sceneOf(seed).input], "describe.json"));
    const solved = solve(engine);
    const places = new Map(
      [...engine.network.owners.values()].flatMap((owner) =>
        engine.inventory
          .end(owner)
          .places.flatMap((p) => (p.face !== undefined && p.family === "IPv4" ? [[p.face.name, p] as const] : [])),
      ),
    );
    for (const a of solved.classes) {
      for (const b of solved.classes) {
        const from = places.get(a.members[0] ?? "");
        const to = places.get(b.members[0] ?? "");
        if (from === undefined || to === undefined || from === to || from.vpc !== to.vpc) continue;
        // Middleboxes and peerings go by more than subnets and groups.
        const stages = engine.stages(from, to);
        if (
          stages.some(
            (s) =>
              s.kind === "route" &&
              !s
                .judge({ family: "IPv4", protocol: "TCP", first: 1, last: 1 })
                .deciders.every((d) => d.endsWith("->local")),
          )
        )
          continue;
        if (stages.some((s) => s.order === 4)) continue;
        const passage = engine.passage(from, to);
        if (passage.because.length > 0) continue;
        compared++;
        expect(flowsKey(restrictFamilies(solved.between(a, b), ["IPv4"]))).toBe(
          flowsKey(restrictFamilies(passage.every, ["IPv4"])),
        );
      }
    }
  }
  expect(compared).toBeGreaterThan(300);
});
