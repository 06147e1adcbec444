/** A copy of the project in which every mutant of some folders is compiled in, and the numbers of rules beside them. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { instrument, type Mutant } from "./instrument.ts";

/** Folders whose mutants count, and one more where numbered rules are kept. */
export const SCORED = ["src/policy", "src/reach"] as const;
const FOLDERS = [...SCORED, "src/model"];

export interface Workshop {
  readonly folder: string;
  readonly mutants: readonly Mutant[];
  /** Numbers of rules in comments, by file, each with its line. */
  readonly comments: ReadonlyMap<string, readonly (readonly [rule: string, line: number])[]>;
}

/** Numbers of rules of the semantics documents, without their examples. */
export const RULE = /\b(?:R\d+(?:\.\d+)+|(?:K8|CNP|WL)-\d+|[VK]\d{1,2})\b/g;

/** Makes the copy below `node_modules` of the project; `remove` takes it away. */
export function openWorkshop(root: string): Workshop {
  const folder = join(root, "node_modules", `.bulkhead-mutation-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  for (const part of ["src", "reference", "scripts", "bench"])
    cpSync(join(root, part), join(folder, part), { recursive: true });
  const data = join(root, "test/conformance");
  cpSync(join(root, "test"), join(folder, "test"), { recursive: true, filter: (path) => path !== data });
  symlinkSync(data, join(folder, "test/conformance"));
  for (const part of ["examples", "schemas", "package.json"]) symlinkSync(join(root, part), join(folder, part));
  // Test files import the runner by its name; here they find the harness.
  const runner = join(folder, "node_modules/vitest");
  mkdirSync(runner, { recursive: true });
  writeFileSync(join(runner, "package.json"), '{"name": "vitest", "type": "module", "exports": "./index.js"}');
  writeFileSync(join(runner, "index.js"), 'export * from "../../scripts/mutation/harness.ts";\n');
  const mutants: Mutant[] = [];
  const comments = new Map<string, (readonly [string, number])[]>();
  for (const file of FOLDERS.flatMap((part) => sourcesOf(root, part))) {
    const source = readFileSync(join(root, file), "utf8");
    const made = instrument(file, source, mutants.length + 1);
    mutants.push(...made.mutants);
    writeFileSync(join(folder, file), made.text);
    comments.set(file, rulesOf(source));
  }
  return { folder, mutants, comments };
}

export function closeWorkshop({ folder }: Workshop): void {
  rmSync(folder, { recursive: true, force: true });
}

function sourcesOf(root: string, part: string): readonly string[] {
  return readdirSync(join(root, part), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map((name) => `${part}/${name}`);
}

function rulesOf(source: string): (readonly [string, number])[] {
  return source.split("\n").flatMap((text, index) => {
    const comment = /(?:\/\/|^\s*\/?\*)(.*)/.exec(text)?.[1] ?? "";
    return (comment.match(RULE) ?? []).map((rule) => [rule, index + 1] as const);
  });
}
