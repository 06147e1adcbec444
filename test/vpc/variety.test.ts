/**
 * Random VPCs whose flows go where rules lead: engine and reference agree, every kind of rule decides often, hardly anything
 * is unsure and nothing without a planted reason, and without the rule that an answer names the answer is another.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { VpcReference } from "../../reference/vpc/index.ts";
import { VpcEngine, type VpcAnswer } from "../../src/vpc/engine.ts";
import { readDescribe } from "../../src/vpc/read/describe.ts";
import { isWholeEverywhere } from "../whole.ts";
import { questionOf } from "./questions-of-flows.ts";
import { aimedScenes, type Scene } from "./networks.ts";
import { withoutDecider } from "./removal.ts";

const SCENES = isWholeEverywhere ? 3_000 : 300;
/** Milliseconds. */
const TIME = isWholeEverywhere ? 3_600_000 : 300_000;

/** Kinds of what decides, and how many flows of the full run each decides at least. */
const LEAST: Readonly<Record<string, number>> = {
  "group rule, addresses, ingress": 500,
  "group rule, group, ingress": 500,
  "group rule, prefix list, ingress": 500,
  "group rule, egress": 500,
  "no rule of a group, ingress": 500,
  "no rule of a group, egress": 500,
  "entry of an ACL, ingress": 500,
  "entry of an ACL, egress": 500,
  "end of an ACL, ingress": 500,
  "end of an ACL, egress": 500,
  "reply dropped": 500,
  "no route": 500,
  "another route": 500,
  "no public address": 500,
  "load balancer": 500,
};

function kindOf(decider: string): string {
  const group = /^sg-\w+#(ingress|egress):(.*)$/.exec(decider);
  if (group !== null) {
    const [, direction = "", rest = ""] = group;
    if (rest === "none") return `no rule of a group, ${direction}`;
    if (direction === "egress") return "group rule, egress";
    if (/\/sg-\w+$/.test(rest)) return "group rule, group, ingress";
    return `group rule, ${/\/pl-\d$/.test(rest) ? "prefix list" : "addresses"}, ingress`;
  }
  const entry = /^acl-[\w-]+#(ingress|egress):(\d+|\*)$/.exec(decider);
  if (entry !== null) return `${entry[2] === "*" ? "end" : "entry"} of an ACL, ${entry[1] ?? ""}`;
  if (decider.endsWith("#no-route")) return "no route";
  if (decider.startsWith("rtb-")) return "another route";
  if (decider.endsWith("#no-public-ip")) return "no public address";
  return decider.startsWith("arn:") ? "load balancer" : "other";
}

class Table {
  readonly verdicts = new Map<string, number>();
  readonly kinds = new Map<string, number>();
  total = 0;
  removals = 0;
  /** Answers that are unsure for no reason that was planted. */
  readonly unplanted: string[] = [];

  add({ planted }: Scene, answer: VpcAnswer): void {
    this.total += 1;
    this.verdicts.set(answer.verdict, (this.verdicts.get(answer.verdict) ?? 0) + 1);
    // Health checks of which some get no answer are unsure by themselves.
    const isPlanted = planted || answer.because.every((one) => one.code === "partly");
    if (answer.verdict === "unsure" && !isPlanted)
      this.unplanted.push(answer.because.map((one) => `${one.code}: ${one.detail}`).join("; "));
    const kinds = new Set(answer.decidedBy.map(kindOf));
    if (answer.ways.some((way) => way.oneWay)) kinds.add("reply dropped");
    for (const kind of kinds) this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1);
  }

  share(verdict: string): number {
    return (this.verdicts.get(verdict) ?? 0) / this.total;
  }

  toString(): string {
    const percent = [...this.verdicts].map(([verdict]) => `${verdict} ${(100 * this.share(verdict)).toFixed(1)} %`);
    const rows = [...this.kinds].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, n]) => `${kind.padEnd(36)} ${n}`);
    return [`flows ${this.total}: ${percent.join(", ")}; asked again ${this.removals}`, ...rows].join("\n");
  }
}

function engineOf(input: unknown): VpcEngine {
  return new VpcEngine(readDescribe([input], "describe.json"));
}

/** What is wrong where the named rules are gone: the same verdict for the same reason, or two witnesses apart. */
function removalProblem(scene: Scene, flow: Scene["flows"][number], answer: VpcAnswer): string | undefined {
  let input: Readonly<Record<string, unknown>> = scene.input;
  for (const decider of answer.decidedBy) {
    const less = withoutDecider(input, decider);
    if (less === undefined) return undefined;
    input = less;
  }
  const again = engineOf(input).why(questionOf(flow));
  const reference = new VpcReference(input).ask(flow);
  if (again.verdict !== reference && again.verdict !== "unsure")
    return `engine ${again.verdict}, reference ${reference}`;
  const isSame = again.verdict === answer.verdict && again.decidedBy.join() === answer.decidedBy.join();
  return isSame ? `still ${answer.verdict} by ${answer.decidedBy.join()}` : "";
}

test(
  "aimed at rules, every kind of rule decides, and the rule that is named is the one that decides",
  () => {
    const table = new Table();
    let scenes = 0;
    fc.assert(
      fc.property(aimedScenes, (scene) => {
        scenes += 1;
        const engine = engineOf(scene.input);
        const reference = new VpcReference(scene.input);
        let asked = 0;
        for (const flow of scene.flows) {
          const answer = engine.why(questionOf(flow));
          table.add(scene, answer);
          const verdict = reference.ask(flow);
          if (answer.verdict !== "unsure" || verdict === "unsure")
            expect({ flow, verdict: answer.verdict }).toEqual({ flow, verdict });
          const isPlain = (answer.verdict === "allow" || answer.verdict === "deny") && answer.decidedBy.length > 0;
          if (scenes % 4 !== 0 || asked >= 3 || !isPlain || flow.flow !== undefined) continue;
          const problem = removalProblem(scene, flow, answer);
          if (problem === undefined) continue;
          asked += 1;
          table.removals += 1;
          expect({ flow, decidedBy: answer.decidedBy, problem }).toMatchObject({ problem: "" });
        }
      }),
      { numRuns: SCENES, seed: 11 },
    );
    const told = String(table);
    if (isWholeEverywhere) process.stdout.write(`${told}\n`);
    const seldom = Object.entries(LEAST).filter(
      ([kind, n]) => (table.kinds.get(kind) ?? 0) < (isWholeEverywhere ? n : n / 10),
    );
    expect(seldom, told).toEqual([]);
    expect(table.share("allow"), told).toBeGreaterThanOrEqual(0.25);
    expect(table.share("allow"), told).toBeLessThanOrEqual(0.75);
    expect(table.share("unsure"), told).toBeLessThan(0.01);
    expect(table.unplanted, told).toEqual([]);
    expect(table.removals, told).toBeGreaterThan(SCENES / 4);
  },
  TIME,
);
