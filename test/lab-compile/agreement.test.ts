/**
 * What the lab is told to enforce, compiled from the rule form, says the same as the engine: for every two ends and every
 * port that a scene asks about. No kernel here; `test/lab` shows that packets obey the tables.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readDocuments } from "../../src/documents/reader.ts";
import { planOf } from "../../src/lab/compile/plan-of.ts";
import { rulesetOf } from "../../src/lab/compile/ruleset-of.ts";
import { populationOf } from "../../src/lab/sites.ts";
import { judgementOf, PROTOCOL_NUMBER, VerdictCompiler, type VerdictTables } from "../../src/lab/verdicts.ts";
import { openDialect } from "../../src/policy/registry.ts";
import { Engine } from "../../src/reach/engine.ts";
import { type Verdict, pointVerdict } from "../../src/reach/explain.ts";
import { ciliumScene, type Dialect, DIALECTS, documentsOf, kubernetesScene, type Scene } from "../property/scenes.ts";
import { isWholeEverywhere } from "../whole.ts";
import { endsOf } from "./ends.ts";

/** Scenes a dialect. */
const SCENES = isWholeEverywhere ? 1_500 : 150;

interface Compared {
  /** Rules that the lab refuses make a scene none of its business. */
  readonly supported: boolean;
  readonly asked: number;
  readonly differences: readonly string[];
}

function compare(scene: Scene): Compared {
  const sources = documentsOf(scene).map((document, i) => ({ name: `${i}.json`, text: JSON.stringify(document) }));
  const dialect = openDialect(scene.dialect);
  if (dialect === undefined) throw new Error(`no dialect ${scene.dialect}`);
  const engine = Engine.open(readDocuments(sources).documents, { dialect, asCluster: true });
  const lab = planOf(engine.world, dialect);
  const { ruleset, unsupported } = rulesetOf(engine.policies, lab.population);
  if (unsupported.length > 0) return { supported: false, asked: 0, differences: [] };
  const tables = new VerdictCompiler().compile(populationOf(lab.plan), ruleset);
  const ends = endsOf(engine, lab, scene);
  const points = new Map(
    scene.flows.flatMap(({ protocol, port }) =>
      protocol === "VRRP" || port === undefined ? [] : [[`${protocol} ${port}`, { protocol, port }] as const],
    ),
  );
  const differences: string[] = [];
  let asked = 0;
  for (const from of ends) {
    for (const to of ends) {
      if (from === to || from.family !== to.family || from.address === to.address) continue;
      if (from.endpoint === to.endpoint && from.endpoint.kind === "node") continue;
      if (from.endpoint.kind === "outside" && to.endpoint.kind === "outside") continue;
      const bounds = engine.connections.between(from.endpoint, to.endpoint);
      for (const { protocol, port } of points.values()) {
        if (protocol === (from.family === "IPv4" ? "ICMPv6" : "ICMP")) continue;
        const word = pointVerdict(bounds, { family: from.family, protocol, port });
        if (word === "unsure") continue;
        asked++;
        const packet = {
          source: from.address,
          destination: to.address,
          protocol: PROTOCOL_NUMBER[protocol],
          destinationPort: port,
        };
        const told = judge(tables, packet);
        if (told !== word) {
          differences.push(
            `${from.endpoint.name} → ${to.endpoint.name} ${protocol} ${port}: engine ${word}, lab ${told}`,
          );
        }
      }
    }
  }
  return { supported: true, asked, differences };
}

function judge(tables: VerdictTables, packet: Parameters<typeof judgementOf>[2]): Verdict {
  const both = (["egress", "ingress"] as const).map((direction) => judgementOf(tables, direction, packet));
  return both.some((judgement) => judgement?.action === "deny") ? "deny" : "allow";
}

const sceneOf = (dialect: Dialect): fc.Arbitrary<Scene> =>
  dialect === "kubernetes" ? kubernetesScene(8) : ciliumScene(dialect, 8);

describe("the lab's tables and the engine", () => {
  test.each(DIALECTS)("agree under %s", (dialect) => {
    let supported = 0;
    let asked = 0;
    fc.assert(
      fc.property(sceneOf(dialect), (scene) => {
        const compared = compare(scene);
        if (compared.supported) supported++;
        asked += compared.asked;
        expect(compared.differences.slice(0, 5)).toEqual([]);
      }),
      { numRuns: SCENES, seed: 20_260_101 },
    );
    // The comparison is worth something only where most of it happens.
    expect({ supported: supported > SCENES / 20, asked: asked > SCENES * 20 }).toEqual({
      supported: true,
      asked: true,
    });
  });
});
