/** An engine that has followed changes answers as one that read the objects afresh. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Document } from "../../src/documents/document.ts";
import { readDocuments } from "../../src/documents/reader.ts";
import { flowsKey } from "../../src/net/flow-set.ts";
import { openDialect } from "../../src/policy/registry.ts";
import type { Origin } from "../../src/policy/rule.ts";
import type { Bounded } from "../../src/reach/bounded.ts";
import { Engine } from "../../src/reach/engine.ts";
import type { Factored } from "../../src/reach/factored.ts";
import { randomOf } from "../../bench/cluster.ts";
import type { Fields } from "../property/arbitraries.ts";
import { isWhole } from "../whole.ts";
import { ciliumScene, type Dialect, documentsOf, kubernetesScene, namesScene, type Scene } from "../property/scenes.ts";

const STEPS = 12;
const QUESTIONS = 6;

function read(objects: readonly Fields[]): readonly Document[] {
  return readDocuments(objects.map((object, i) => ({ name: `${i}.json`, text: JSON.stringify(object) }))).documents;
}

const keyOf = ({ kind, namespace, name }: Document): string => `${kind}/${namespace ?? ""}/${name}`;

/** The factored answer without the numbers of its classes. */
function factoredText({ classes, sides }: Factored): readonly string[] {
  const names = new Map(
    classes.map(({ id, members }) => [
      id,
      members
        .map(({ name }) => name)
        .sort()
        .join(),
    ]),
  );
  const flows = ({ must, may }: Bounded): string => `${flowsKey(must)} ≤ ${flowsKey(may)}`;
  return sides
    .map(({ direction, classId, otherwise, groups }) => {
      const others = groups.map((group) => {
        const members = group.others.map((id) => names.get(id) ?? "?").sort();
        return `${members.join(" & ")}: ${flows(group.flows)}`;
      });
      // Where the groups list every class, there is no other.
      const told = groups.reduce((sum, group) => sum + group.others.length, 0);
      const rest = told === classes.length ? "" : flows(otherwise);
      return `${direction} of ${names.get(classId) ?? "?"}: ${rest}; ${others.sort().join("; ")}`;
    })
    .sort();
}

function answersOf(engine: Engine, flows: Scene["flows"]): unknown {
  const origin = ({ kind, namespace, name, section, index }: Origin): unknown => [
    kind,
    namespace,
    name,
    section,
    index,
  ];
  const pairs = engine.reach({ by: "endpoint", provenance: true, outside: false }).pairs;
  return {
    diagnostics: engine.diagnostics,
    refused: engine.refused,
    understood: engine.account.understood,
    workloads: engine.world.workloads.map(({ id, pods, replicas }) => [id, replicas, pods.map(({ name }) => name)]),
    policies: engine.policies.policies.map(({ kind, namespace, name }) => `${kind}/${namespace ?? ""}/${name}`),
    factored: factoredText(engine.solve()),
    reach: [...pairs].map(({ from, to, allow, unsure }) => [
      from,
      to,
      allow.map(({ protocol, ports, family, deciders }) => [
        protocol,
        ports,
        family,
        deciders.map((one) => [one.direction, one.reason, one.origins.map(origin)]),
      ]),
      unsure.map(({ protocol, ports, because }) => [protocol, ports, because]),
    ]),
    why: flows.map((flow) => why(engine, flow)),
  };
}

function why(engine: Engine, { from, to, protocol, port, family }: Scene["flows"][number]): unknown {
  const asked = { from, to, protocol, ...(port === undefined ? {} : { port }) };
  try {
    const answer = engine.why(family === undefined ? asked : { ...asked, family });
    return [answer.verdict, answer.because, answer.pairs.map((pair) => [pair.from.name, pair.to.name, pair.verdict])];
  } catch (error) {
    return String(error);
  }
}

/** Runs one sequence; counts the changes, and those that were followed rather than read anew. */
function runSequence(dialectName: Dialect, [first, second]: readonly [Scene, Scene], seed: number): readonly boolean[] {
  const dialect = openDialect(dialectName);
  if (dialect === undefined) throw new Error(dialectName);
  const random = randomOf(seed);
  const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];
  const options = { dialect, asCluster: true };
  const now = new Map(read(documentsOf(first)).map((document) => [keyOf(document), document]));
  const coming = read(documentsOf(second)).filter(({ kind }) => kind !== "ConfigMap");
  const engine = Engine.open(now.values(), options);
  const flows = [...first.flows, ...second.flows];
  const followed: boolean[] = [];
  for (let step = 0; step < STEPS; step++) {
    const { connections } = engine;
    const old = random() < 0.4 ? pick([...now.values()].filter(({ kind }) => kind !== "Namespace")) : undefined;
    const document = pick(coming);
    if (old !== undefined) {
      now.delete(keyOf(old));
      const { kind, namespace, name } = old;
      engine.apply({ remove: [namespace === undefined ? { kind, name } : { kind, namespace, name }] });
    } else if (document !== undefined) {
      now.set(keyOf(document), document);
      engine.apply({ upsert: [document] });
    }
    if (old?.kind !== "Node" && old?.kind !== "Service") followed.push(engine.connections === connections);
    const asked = Array.from({ length: QUESTIONS }, () => pick(flows)).filter((flow) => flow !== undefined);
    expect(answersOf(engine, asked)).toEqual(answersOf(Engine.open(now.values(), options), asked));
  }
  return followed;
}

const SPACES = [
  ["kubernetes", kubernetesScene(8), 41],
  ["cilium@1.17", ciliumScene("cilium@1.17", 8), 42],
  ["cilium@1.19", ciliumScene("cilium@1.19", 8), 43],
  ["cilium@1.19", namesScene("cilium@1.19", 8), 44],
] as const;

describe("a sequence of changes gives the answers of the objects read afresh", () => {
  for (const [dialect, arbitrary, seed] of SPACES) {
    const pairs = fc.sample(fc.tuple(arbitrary, arbitrary), { seed, numRuns: isWhole ? 400 : 15 });
    for (const [i, pair] of pairs.entries())
      test(`${dialect}, seed ${seed}, ${i}`, () => void runSequence(dialect, pair, seed + i));
  }
});

test("many changes are followed rather than read anew", () => {
  const followed = SPACES.flatMap(([dialect, arbitrary, seed]) =>
    fc
      .sample(fc.tuple(arbitrary, arbitrary), { seed: seed + 100, numRuns: 3 })
      .flatMap((pair, i) => runSequence(dialect, pair, seed + i)),
  );
  expect(followed.filter(Boolean).length / followed.length).toBeGreaterThan(0.3);
});
