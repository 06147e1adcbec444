/**
 * What the lab is told to enforce, compiled from the rule form, says the same as the engine: for every two ends and every
 * port that a scene asks about. No kernel here; `test/lab` shows that packets obey the tables.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { populationOf } from "../../src/lab/sites.ts";
import { judgementOf, PROTOCOL_NUMBER, VerdictCompiler, type VerdictTables } from "../../src/lab/verdicts.ts";
import { patternMatches } from "../../src/net/path-language.ts";
import { ciliumScene, type Dialect, DIALECTS, documentsOf, kubernetesScene, type Scene } from "../property/scenes.ts";
import { isWholeEverywhere } from "../whole.ts";
import { openCluster, pointsOf } from "./opened.ts";

/** Scenes a dialect. */
const SCENES = isWholeEverywhere ? 1_500 : 150;

interface Compared {
  /** Rules that the lab refuses make a scene none of its business. */
  readonly supported: boolean;
  readonly asked: number;
  readonly differences: readonly string[];
}

function compare(scene: Scene): Compared {
  const opened = openCluster(scene.dialect, documentsOf(scene));
  const { ruleset, unsupported } = opened.compiled;
  if (unsupported.length > 0) return { supported: false, asked: 0, differences: [] };
  const tables = new VerdictCompiler(patternMatches).compile(populationOf(opened.lab.plan), ruleset);
  const differences: string[] = [];
  let asked = 0;
  for (const { from, to, protocol, port, word } of pointsOf(opened, scene)) {
    asked++;
    const told = judge(tables, {
      source: from.address,
      destination: to.address,
      protocol: PROTOCOL_NUMBER[protocol],
      destinationPort: port,
    });
    if (told !== word)
      differences.push(`${from.endpoint.name} → ${to.endpoint.name} ${protocol} ${port}: engine ${word}, lab ${told}`);
  }
  return { supported: true, asked, differences };
}

function judge(tables: VerdictTables, packet: Parameters<typeof judgementOf>[2]): "allow" | "deny" {
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
