import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VpcReference } from "../../reference/vpc/index.ts";
import { VpcEngine } from "../../src/vpc/engine.ts";
import { readDescribe } from "../../src/vpc/read/describe.ts";
import { scenes } from "./networks.ts";
import { isWholeEverywhere } from "../whole.ts";
import { questionOf } from "./questions-of-flows.ts";

const RUNS = isWholeEverywhere ? 2_500 : 250;
/** Milliseconds. */
const TIME = isWholeEverywhere ? 3_600_000 : 300_000;

describe("engine and reference", () => {
  test(
    "agree on random VPCs, which show every verdict and every layer",
    () => {
      const seen = new Map<string, number>();
      const note = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1);
      fc.assert(
        fc.property(scenes, ({ input, flows }) => {
          const engine = new VpcEngine(readDescribe([input], "describe.json"));
          const reference = new VpcReference(input);
          for (const flow of flows) {
            const answer = engine.why(questionOf(flow));
            note(answer.verdict);
            for (const one of answer.decidedBy) note(layerOf(one));
            for (const way of answer.ways) if (way.oneWay) note("one way");
            if (flow.via !== undefined) note(`via ${answer.verdict}`);
            const verdict = reference.ask(flow);
            // One thing that is not known may count twice in the engine, in a rule and in a route: then it is less sure.
            if (answer.verdict === "unsure" && verdict !== "unsure") note("less sure");
            else expect({ flow, verdict: answer.verdict }).toEqual({ flow, verdict });
          }
        }),
        { numRuns: RUNS, seed: 10 },
      );
      const total = RUNS * 14;
      expect(seen.get("less sure") ?? 0).toBeLessThan(total / 1000);
      const wanted: Readonly<Record<string, number>> = {
        allow: 0.03,
        deny: 0.3,
        unsure: 0.01,
        mixed: 0.004,
        "group ingress none": 0.03,
        "group egress none": 0.03,
        "acl ingress": 0.01,
        "acl egress": 0.01,
        route: 0.01,
        "no public address": 0.005,
        "no listener": 0.002,
        "one way": 0.01,
        "via allow": 0.001,
        "via deny": 0.02,
      };
      for (const [what, share] of Object.entries(wanted)) {
        expect({ what, isEnough: (seen.get(what) ?? 0) >= share * total, count: seen.get(what) }).toMatchObject({
          isEnough: true,
        });
      }
    },
    TIME,
  );
});

function layerOf(decider: string): string {
  if (/#(ingress|egress):none$/.test(decider))
    return `group ${decider.includes("#ingress") ? "ingress" : "egress"} none`;
  if (decider.startsWith("acl-")) return `acl ${decider.includes("#ingress") ? "ingress" : "egress"}`;
  if (decider.startsWith("rtb-")) return "route";
  if (decider.endsWith("#no-public-ip")) return "no public address";
  return decider.includes("#no-listener") ? "no listener" : "other";
}
