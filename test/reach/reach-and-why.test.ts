/** What `reach` lists of all pairs at once is what `why` says of each flow of them, in the worlds of the rules and in random ones. */
import { describe, expect, test } from "vitest";
import { readDocuments } from "../../src/documents/reader.ts";
import { openDialect } from "../../src/policy/registry.ts";
import { Engine } from "../../src/reach/engine.ts";
import { drawScenes } from "../property/running.ts";
import { ciliumScene, documentsOf, httpScene, kubernetesScene, namesScene } from "../property/scenes.ts";
import { ruleFiles } from "../rules/rule-file.ts";
import { openEngineOf } from "../rules/witnesses.ts";
import { differences, factoredDifferences, groupDifferences, leftOut, PROBES } from "./two-ways.ts";

const CASES = ruleFiles().flatMap(([, cases]) => cases.filter((item) => item.rows.length > 0));

const BYS = ["namespace", "application", "identity"] as const;

describe("what reach lists is what why says", () => {
  for (const [i, item] of CASES.filter((_, i) => i % 4 === 0).entries()) {
    const [dialect] = item.dialects;
    if (dialect === undefined) continue;
    // The pods of the specification's world have addresses of one family, which is all that reach tells of them.
    const probes = dialect === "kubernetes" ? PROBES.filter(({ family }) => family === "IPv4") : PROBES;
    test(`${item.title} (${dialect})`, () => {
      const engine = openEngineOf(item, dialect);
      expect(differences(engine, probes)).toEqual([]);
      expect(groupDifferences(engine, BYS[i % BYS.length] ?? "namespace")).toEqual([]);
      expect(factoredDifferences(engine)).toEqual([]);
    });
  }
});

const SPACES = [
  ["kubernetes", kubernetesScene(1)],
  ["cilium@1.17", ciliumScene("cilium@1.17", 1)],
  ["cilium@1.19", ciliumScene("cilium@1.19", 1)],
  ["cilium@1.19", httpScene("cilium@1.19", 1)],
  ["cilium@1.19", namesScene("cilium@1.19", 1)],
] as const;

describe("… in random scenes", () => {
  for (const [space, [name, arbitrary]] of SPACES.entries())
    for (const [i, scene] of drawScenes(arbitrary, 17, space).entries())
      test(`${name} ${space}.${i}`, () => {
        const sources = documentsOf(scene).map((object, k) => ({ name: `${k}.json`, text: JSON.stringify(object) }));
        const dialect = openDialect(name);
        if (dialect === undefined) throw new Error(name);
        const engine = Engine.open(readDocuments(sources).documents, { dialect, asCluster: true });
        expect(
          differences(
            engine,
            PROBES.filter(({ family }) => family === "IPv4"),
          ),
        ).toEqual([]);
        expect(
          leftOut(
            engine,
            PROBES.filter(({ family }) => family === "IPv4"),
          ),
        ).toEqual([]);
        expect(factoredDifferences(engine)).toEqual([]);
      });
});
