/** What an update does: rules about objects that come a second time, on both evaluators. */
import { describe, expect, test } from "vitest";
import { Reference } from "../../reference/index.ts";
import type { Document } from "../../src/documents/document.ts";
import { readDocuments } from "../../src/documents/reader.ts";
import { openDialect } from "../../src/policy/registry.ts";
import { Engine } from "../../src/reach/engine.ts";

const pod = (name: string): unknown => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "a", labels: { app: name } },
  spec: { containers: [{ name: "m" }] },
});

const rule = (...peers: readonly string[]): unknown => ({
  endpointSelector: { matchLabels: { app: "p" } },
  ingress: peers.map((app) => ({ fromEndpoints: [{ matchLabels: { app } }] })),
});

const policy = (...specs: readonly unknown[]): unknown => ({
  apiVersion: "cilium.io/v2",
  kind: "CiliumNetworkPolicy",
  metadata: { name: "one", namespace: "a" },
  specs,
});

const WORLD = ["p", "x", "y", "z"].map(pod);

function read(...values: readonly unknown[]): readonly Document[] {
  return readDocuments(values.map((value, i) => ({ name: `${i}.json`, text: JSON.stringify(value) }))).documents;
}

function engineOf(...values: readonly unknown[]): Engine {
  const dialect = openDialect("cilium");
  if (dialect === undefined) throw new Error("no dialect");
  return Engine.open(read(...values), { dialect });
}

const SOURCES = ["a/x", "a/y", "a/z"];
const verdicts = (ask: (from: string) => string): readonly string[] => SOURCES.map(ask);
const ofEngine = (engine: Engine): readonly string[] =>
  verdicts((from) => engine.why({ from, to: "a/p", protocol: "TCP", port: 80 }).verdict);
const ofReference = (...values: readonly unknown[]): readonly string[] => {
  const reference = new Reference(values, { dialect: "cilium@1.19" });
  return verdicts((from) => reference.ask({ from, to: "a/p", protocol: "TCP", port: 80 }).verdict);
};

describe("updates", () => {
  const before = policy(rule("x"), rule("y"));
  const after = policy(rule("z"));

  test("[R1.2.5] an update replaces all rules of the object, and nothing of before is left", () => {
    const engine = engineOf(...WORLD, before);
    expect(ofEngine(engine)).toEqual(["allow", "allow", "deny"]);
    const delta = engine.apply({ upsert: read(after) });
    expect(delta.changed.map(({ name }) => name)).toEqual(["one"]);
    expect(ofEngine(engine)).toEqual(["deny", "deny", "allow"]);
    expect(ofReference(...WORLD, before)).toEqual(["allow", "allow", "deny"]);
    expect(ofReference(...WORLD, before, after)).toEqual(["deny", "deny", "allow"]);
  });

  test("[R1.2.5] an object that is taken away takes its rules along", () => {
    const engine = engineOf(...WORLD, before);
    engine.apply({ remove: [{ kind: "CiliumNetworkPolicy", namespace: "a", name: "one" }] });
    expect(ofEngine(engine)).toEqual(["allow", "allow", "allow"]);
    expect(ofReference(...WORLD)).toEqual(["allow", "allow", "allow"]);
  });
});
