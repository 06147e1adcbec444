/**
 * The founding story, computed: the same questions before a policy, after it, and after the one that mends what it
 * broke. Everything that is told later comes from here; nothing is written down beforehand.
 */
import { join } from "node:path";
import { type Diagnostic, hasErrors } from "../../base/diagnostic.ts";
import type { Document } from "../../documents/document.ts";
import { readDocuments } from "../../documents/reader.ts";
import { loadInput } from "../../files/input.ts";
import type { Dialect } from "../../policy/dialect.ts";
import { chooseDialect } from "../../policy/registry.ts";
import { Engine } from "../../reach/engine.ts";
import { EXIT, SilentFailure } from "../exit.ts";
import { printDiagnostics } from "../terminal.ts";

export type ChapterName = "before" | "after" | "ingress" | "http";

/** Which story is told: the founding one with its last chapter, or that chapter with what leads to it. */
export type StoryName = "policy" | "http" | "all";

const CHAPTERS: Readonly<Record<StoryName, readonly ChapterName[]>> = {
  policy: ["before", "after", "ingress", "http"],
  http: ["after", "http"],
  all: ["before", "after", "ingress", "http"],
};

/** A moment of the story: the policies that come into force with it. */
export interface Chapter {
  readonly name: ChapterName;
  readonly documents: readonly Document[];
}

export interface Story {
  readonly dialect: Dialect;
  readonly engine: Engine;
  readonly chapters: readonly Chapter[];
}

/** Where the policies of each chapter lie, below the folder of the example. */
const POLICIES = {
  after: "policies/cilium",
  ingress: "policies/cilium-ingress",
  http: "http",
} as const;

/** Reads the example. Prints what it finds; throws where the example gives no answer. Paths are as seen from `cwd`. */
export function openStory(folder: string, cwd: string, name: StoryName = "policy"): Story {
  const diagnostics: Diagnostic[] = [];
  const read = (path: string): readonly Document[] => {
    const input = loadInput([path], { cwd });
    const { documents, diagnostics: found } = readDocuments(input.sources);
    diagnostics.push(...input.diagnostics, ...found);
    return documents;
  };
  const manifests = read(folder);
  const chapters = CHAPTERS[name].map(
    (chapter): Chapter => ({
      name: chapter,
      documents: chapter === "before" ? [] : read(join(folder, POLICIES[chapter])),
    }),
  );
  // A policy may come again, changed: in every chapter the last that came counts.
  const choice = chooseDialect([...manifests, ...chapters.flatMap(({ documents }) => documents)]);
  if (choice.dialect === undefined) return fail([...diagnostics, ...choice.diagnostics]);
  const { dialect } = choice;
  // The whole is read once, so that a policy that no cluster would take ends the story before it begins.
  const whole = Engine.open(manifests, { dialect });
  for (const { documents } of chapters) whole.apply({ upsert: documents });
  diagnostics.push(...whole.diagnostics);
  if (hasErrors(diagnostics)) return fail(diagnostics);
  printDiagnostics(diagnostics, false);
  const engine = Engine.open(manifests, { dialect });
  return {
    dialect,
    engine,
    chapters,
  };
}

function fail(diagnostics: readonly Diagnostic[]): never {
  printDiagnostics(diagnostics, false);
  throw new SilentFailure(EXIT.input);
}

/** The endpoints that something passes to, from one of them: what an attacker who holds it reaches next. */
export function reachableFrom(engine: Engine, name: string): string[] {
  const { pairs } = engine.reach({ from: name, by: "endpoint", provenance: false, outside: false });
  return [...pairs].filter((pair) => pair.allow.length > 0 && pair.to !== name).map((pair) => pair.to);
}
