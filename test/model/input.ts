/** Small inputs for the tests of the model. */
import { expect } from "vitest";
import type { Diagnostic } from "../../src/base/diagnostic.ts";
import { readDocuments } from "../../src/documents/reader.ts";
import { type BuiltWorld, buildWorld, type WorldOptions } from "../../src/model/build.ts";
import { type Labels, labelValueText } from "../../src/model/labels.ts";
import type { PodInstance, Service, Workload, World } from "../../src/model/world.ts";

/** Reads manifests and builds the world; the account must always be whole. */
export function build(text: string, options: WorldOptions = {}): BuiltWorld {
  const { documents, diagnostics } = readDocuments([{ name: "in.yaml", text }]);
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const built = buildWorld(documents, options);
  const { understood, irrelevant, refused } = built.account;
  const aside = [...irrelevant.values()].reduce((sum, count) => sum + count, 0);
  expect(understood + aside + refused.length, "every object is accounted for").toBe(documents.length);
  return built;
}

/** The world of manifests that hold no error. */
export function worldOf(text: string, options: WorldOptions = {}): World {
  const { world, diagnostics } = build(text, options);
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return world;
}

/** Findings as `code line: message`, without those of another code where one is given. */
export function findings(text: string, code?: string, options: WorldOptions = {}): string[] {
  return build(text, options)
    .diagnostics.filter((finding) => code === undefined || finding.code === code)
    .map(brief);
}

export function brief(finding: Diagnostic): string {
  return `${finding.code} ${finding.line}:${finding.column} ${finding.message}`;
}

/** Codes of the errors. */
export function errors(text: string): string[] {
  return build(text)
    .diagnostics.filter(({ severity }) => severity === "error")
    .map(({ code }) => code);
}

export function workload(world: World, id: string): Workload {
  const found = world.workloads.find((candidate) => candidate.id === id);
  if (found === undefined) throw new Error(`no ${id} among ${world.workloads.map((one) => one.id).join(", ")}`);
  return found;
}

export function onlyPod(world: World, id: string): PodInstance {
  const { pods } = workload(world, id);
  expect(pods).toHaveLength(1);
  const [pod] = pods;
  if (pod === undefined) throw new Error(`${id} has no pod`);
  return pod;
}

export function service(world: World, name: string): Service {
  const found = world.services.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no Service ${name}`);
  return found;
}

/** Labels as an object; a value that only the cluster knows is `?`. */
export function plain(labels: Labels): Record<string, string> {
  return Object.fromEntries([...labels].map(([key, value]) => [key, labelValueText(value)]));
}

/** Several objects in one text. */
export function objects(...texts: readonly string[]): string {
  return texts.map((text) => `${text.trim()}\n`).join("---\n");
}

// ── builders: an object a line, in the flow form of YAML ───────────────────────────────────────────────────────────

export interface Tweaks {
  readonly namespace?: string;
  /** Flow mappings and lists. */
  readonly labels?: string;
  readonly metadata?: string;
  readonly spec?: string;
  readonly ports?: string;
  readonly status?: string;
}

function metadata(name: string, tweaks: Tweaks): string {
  const { namespace, labels, metadata: more } = tweaks;
  const parts = [
    `name: ${name}`,
    ...(namespace === undefined ? [] : [`namespace: ${namespace}`]),
    ...(labels === undefined ? [] : [`labels: ${labels}`]),
    ...(more === undefined ? [] : [more]),
  ];
  return `metadata: {${parts.join(", ")}}`;
}

function podSpec(tweaks: Tweaks): string {
  const container = `{name: c, image: i${tweaks.ports === undefined ? "" : `, ports: ${tweaks.ports}`}}`;
  return `{containers: [${container}]${tweaks.spec === undefined ? "" : `, ${tweaks.spec}`}}`;
}

export function pod(name: string, tweaks: Tweaks = {}): string {
  const status = tweaks.status === undefined ? "" : `\nstatus: ${tweaks.status}`;
  return `apiVersion: v1\nkind: Pod\n${metadata(name, tweaks)}\nspec: ${podSpec(tweaks)}${status}`;
}

const API: Readonly<Record<string, string>> = {
  Job: "batch/v1",
  CronJob: "batch/v1",
  ReplicationController: "v1",
};

export interface ControllerTweaks extends Tweaks {
  /** Fields of the controller's own spec. */
  readonly own?: string;
  /** Labels of the template, `{app: a}` unless given; the selector is `{app: a}` unless `own` has another. */
  readonly template?: string;
}

/** A controller whose template carries `app: a`. */
export function controller(kind: string, name: string, tweaks: ControllerTweaks = {}): string {
  const { own = "", template = "{app: a}", status } = tweaks;
  const labels = `metadata: {labels: ${template}}`;
  const selects = !["Job", "CronJob", "ReplicationController"].includes(kind) && !own.includes("selector");
  const parts = [
    ...(own === "" ? [] : [own]),
    ...(selects ? ["selector: {matchLabels: {app: a}}"] : []),
    `template: {${labels}, spec: ${podSpec(tweaks)}}`,
  ];
  const spec = kind === "CronJob" ? `jobTemplate: {spec: {template: {${labels}, spec: ${podSpec(tweaks)}}}}` : "";
  const body = kind === "CronJob" ? [spec, ...(own === "" ? [] : [own])] : parts;
  return [
    `apiVersion: ${API[kind] ?? "apps/v1"}`,
    `kind: ${kind}`,
    metadata(name, tweaks),
    `spec: {${body.join(", ")}}`,
    ...(status === undefined ? [] : [`status: ${status}`]),
  ].join("\n");
}

export function object(apiVersion: string, kind: string, name: string, spec: string, tweaks: Tweaks = {}): string {
  const status = tweaks.status === undefined ? "" : `\nstatus: ${tweaks.status}`;
  return `apiVersion: ${apiVersion}\nkind: ${kind}\n${metadata(name, tweaks)}\nspec: ${spec}${status}`;
}

export function serviceText(name: string, spec: string, tweaks: Tweaks = {}): string {
  return object("v1", "Service", name, spec, tweaks);
}

/** An owner reference to the controller of a pod. */
export function owner(kind: string, name: string, apiVersion = "apps/v1"): string {
  return `ownerReferences: [{apiVersion: ${apiVersion}, kind: ${kind}, name: ${name}, uid: u, controller: true}]`;
}
