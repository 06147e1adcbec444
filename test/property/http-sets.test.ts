/** What the algebra of requests says of whole sets, held against the reference one request at a time (cilium.md section 6). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Reference } from "../../reference/index.ts";
import { readDocuments } from "../../src/documents/reader.ts";
import {
  type Application,
  applicationEquals,
  applicationHas,
  applicationIncludes,
  applicationIntersect,
  applicationIsEmpty,
  applicationSubtract,
  applicationUnion,
  applicationWitness,
  NOTHING,
} from "../../src/net/application.ts";
import { flowAt } from "../../src/net/flow-set.ts";
import { openDialect } from "../../src/policy/registry.ts";
import { Engine } from "../../src/reach/engine.ts";
import { type Fields, list } from "./arbitraries.ts";
import type { HttpRequest } from "./flows.ts";
import { httpApplication, httpRulesIn, requestNear } from "./http-rules.ts";
import { isWhole } from "../whole.ts";

const httpList = httpApplication(false).filter((item) => httpRulesIn(item).length > 0);

const lists = fc
  .tuple(httpList, httpList)
  .chain(([a, b]) =>
    fc.tuple(fc.constant([a, b] as const), list(requestNear([...httpRulesIn(a), ...httpRulesIn(b)]), 12, 12)),
  );

/** Two lists of rules on two ports of one pod. */
function documentsOf(applications: readonly Fields[]): readonly Fields[] {
  const pod = (name: string): Fields => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "a", labels: { app: name } },
    spec: { containers: [{ name: "m", image: "i" }] },
  });
  const toPorts = applications.map((application, i) => ({
    ports: [{ port: String(80 + i), protocol: "TCP" }],
    ...application,
  }));
  return [
    pod("x"),
    pod("p"),
    {
      apiVersion: "cilium.io/v2",
      kind: "CiliumNetworkPolicy",
      metadata: { name: "one", namespace: "a" },
      spec: { endpointSelector: { matchLabels: { app: "p" } }, ingress: [{ toPorts }] },
    },
  ];
}

/** The sets of requests that the engine lets through on each port. */
function setsOf(documents: readonly Fields[]): readonly Application[] {
  const read = readDocuments(documents.map((one, i) => ({ name: `${i}.json`, text: JSON.stringify(one) })));
  const dialect = openDialect("cilium@1.19");
  if (dialect === undefined) throw new Error("no dialect");
  const engine = Engine.open(read.documents, { dialect });
  const ends = ["a/x", "a/p"].flatMap((name) => {
    const resolved = engine.inventory.resolve(name);
    return resolved.kind === "endpoints" ? resolved.members : [];
  });
  const [from, to] = ends;
  if (from === undefined || to === undefined) throw new Error("no ends");
  const { must } = engine.connections.between(from, to);
  return [80, 81].map((port) => flowAt(must, "IPv4", "TCP", port) ?? NOTHING);
}

describe("sets of requests", () => {
  test(
    "[R6.1.1 … R6.1.6, R6.3.4] witnesses, differences, inclusion and emptiness are what the reference says of requests",
    () => {
      const counts = { witnesses: 0, differences: 0, empty: 0, included: 0, requests: 0 };
      for (const [applications, requests] of fc.sample(lists, { seed: 64, numRuns: isWhole ? 3000 : 500 })) {
        const documents = documentsOf(applications);
        const [a = NOTHING, b = NOTHING] = setsOf(documents);
        const reference = new Reference(documents, { dialect: "cilium@1.19" });
        const passes = (http: HttpRequest, port: number): boolean =>
          reference.ask({ from: "a/x", to: "a/p", protocol: "TCP", port, http }).verdict === "allow";
        const text = JSON.stringify(applications);
        /** A request of the set, of which the reference must say the same. */
        const witness = (set: Application, isIn: (http: HttpRequest) => boolean): boolean => {
          const found = applicationWitness(set);
          if (found === undefined) return false;
          const { method = "GET", path = "/", host = "h", headers = new Map<string, string>() } = found.http ?? {};
          const http = { method, path, host, headers: Object.fromEntries(headers) };
          expect(isIn(http), `${JSON.stringify(http)} of ${text}`).toBe(true);
          return true;
        };
        for (const [port, set] of [
          [80, a],
          [81, b],
        ] as const) {
          if (witness(set, (http) => passes(http, port))) counts.witnesses += 1;
          // Each box on its own.
          for (const rule of httpRulesIn(applications[port - 80])) {
            const [one = NOTHING] = setsOf(documentsOf([{ rules: { http: [rule] } }]));
            if (witness(one, (http) => passes(http, port))) counts.witnesses += 1;
          }
        }
        const less = applicationSubtract(a, b);
        if (witness(less, (http) => passes(http, 80) && !passes(http, 81))) counts.differences += 1;
        const isEmpty = applicationIsEmpty(less);
        if (isEmpty === "yes") counts.empty += 1;
        const isIncluded = applicationIncludes(b, a);
        if (isIncluded === "yes") counts.included += 1;
        expect([isEmpty, isIncluded], text).toEqual([isIncluded, isEmpty]);
        if (applicationEquals(a, b) === "yes") expect(isIncluded, text).toBe("yes");
        const both = applicationIntersect(a, b);
        const either = applicationUnion(a, b);
        for (const http of requests) {
          counts.requests += 1;
          const [inA, inB] = [passes(http, 80), passes(http, 81)];
          const has = (set: Application): string =>
            applicationHas(set, { http: { ...http, headers: lower(http.headers) } });
          const said = [a, b, both, either, less].map(has);
          const meant = [inA, inB, inA && inB, inA || inB, inA && !inB].map((is) => (is ? "yes" : "no"));
          expect(said, `${JSON.stringify(http)} of ${text}`).toEqual(meant);
          if (isEmpty === "yes") expect(inA && !inB, `${JSON.stringify(http)} of ${text}`).toBe(false);
        }
      }
      // The draws are worth something: sets differ and are included, one way and the other.
      expect(counts.witnesses).toBeGreaterThan(500);
      expect(counts.differences).toBeGreaterThan(200);
      expect(counts.empty).toBeGreaterThan(20);
      expect(counts.included).toBe(counts.empty);
      console.log(JSON.stringify(counts));
    },
    isWhole ? 3_600_000 : 240_000,
  );
});

function lower(headers: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
