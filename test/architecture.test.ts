/** The house: a folder imports only from those before it, no file leads back to itself, and the core touches nothing outside. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const SRC = join(dirname(fileURLToPath(import.meta.url)), "../src");

/** The core, in order: each folder knows itself and those before it. */
const CORE = ["base", "net", "documents", "model", "policy", "reach", "vpc", "verify", "questions", "lint", "report"];

/** The edges, with what of the house each may know. */
const EDGES: Readonly<Record<string, readonly string[]>> = {
  files: ["base", "documents", "files"],
  // The lab is a witness of its own: from the model and the rule form, never from answers.
  lab: ["base", "net", "documents", "model", "policy", "lab"],
  cli: [...CORE, "files", "lab", "cli"],
};

/** Packages that the core may use: they touch nothing either. */
const CORE_PACKAGES = ["js-yaml", "re2js", "refa"];

interface Import {
  readonly file: string;
  readonly folder: string;
  readonly what: string;
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return entry.name.endsWith(".ts") ? [path] : [];
  });
}

/** The text without comments, so that what is only written about does not count. */
function code(path: string): string {
  return readFileSync(path, "utf8").replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, "");
}

function folderOf(path: string): string {
  const [first = "", ...rest] = relative(SRC, path).split(sep);
  return rest.length === 0 ? "" : first;
}

const FILES = sources(SRC);
/** `import … from "x"`, `export … from "x"`, `import "x"` and `import("x")`. */
const IMPORT = /^(?:import|export)\b[^;"]*?\bfrom\s*"([^"]+)"|^import\s*"([^"]+)"|\bimport\("([^"]+)"\)/gm;

const IMPORTS: readonly Import[] = FILES.flatMap((path) =>
  [...code(path).matchAll(IMPORT)].map(([, from, bare, called]) => ({
    file: relative(SRC, path),
    folder: folderOf(path),
    what: whatIs(path, from ?? bare ?? called ?? ""),
  })),
);

/** The folder that an import means, or the package. */
function whatIs(path: string, text: string): string {
  return text.startsWith(".") ? folderOf(resolve(dirname(path), text)) || "index" : text;
}

const isLocal = ({ what }: Import): boolean => what in EDGES || CORE.includes(what) || what === "index";
const shown = ({ file, what }: Import): string => `${file} imports ${what}`;

describe("the house", () => {
  test("there are sources, and every folder has its place", () => {
    expect(FILES.length).toBeGreaterThan(50);
    const folders = new Set(FILES.map(folderOf));
    expect([...folders].filter((folder) => folder !== "" && !CORE.includes(folder) && !(folder in EDGES))).toEqual([]);
  });

  test.each(CORE.map((folder, i) => [folder, CORE.slice(0, i + 1)] as const))("%s knows only %j", (folder, known) => {
    const own = IMPORTS.filter((one) => one.folder === folder && isLocal(one));
    expect(own.filter(({ what }) => !known.includes(what)).map(shown)).toEqual([]);
  });

  test.each(Object.entries(EDGES))("%s knows only %j", (folder, known) => {
    const own = IMPORTS.filter((one) => one.folder === folder && isLocal(one));
    expect(own.filter(({ what }) => !known.includes(what)).map(shown)).toEqual([]);
  });

  test("the library is the core", () => {
    const own = IMPORTS.filter((one) => one.file === "index.ts");
    expect(own.length).toBeGreaterThan(0);
    expect(own.filter(({ what }) => !CORE.includes(what)).map(shown)).toEqual([]);
  });
});

/** The files that a file imports, types included. */
const IMPORTED = new Map(
  FILES.map((path) => {
    const local = [...code(path).matchAll(IMPORT)].flatMap(([, from, bare, called]) => from ?? bare ?? called ?? []);
    return [path, local.filter((text) => text.startsWith(".")).map((text) => resolve(dirname(path), text))] as const;
  }),
);

/** The way along imports from a file back to itself, if there is one. */
function wayBack(start: string): readonly string[] {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (let file = queue.shift(); file !== undefined; file = queue.shift())
    for (const next of IMPORTED.get(file) ?? []) {
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, file);
      queue.push(next);
    }
  if (!cameFrom.has(start)) return [];
  const way = [start];
  for (let file = cameFrom.get(start); file !== undefined; file = file === start ? undefined : cameFrom.get(file))
    way.unshift(file);
  return way.map((path) => relative(SRC, path));
}

test("no file leads back to itself", () => {
  expect([...IMPORTED.values()].flat().length).toBeGreaterThan(FILES.length);
  expect(FILES.map(wayBack).filter((way) => way.length > 0)).toEqual([]);
});

describe("the core touches nothing", () => {
  test("no module of Node, and no package that does", () => {
    const own = IMPORTS.filter((one) => CORE.includes(one.folder) && !isLocal(one));
    expect(own.filter(({ what }) => !CORE_PACKAGES.includes(what)).map(shown)).toEqual([]);
  });

  test.each([
    ["process", /\bprocess\./],
    ["a clock", /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\./],
    ["chance", /\bMath\.random\b|\bcrypto\b/],
    ["the network", /(?<!\.|private )\bfetch\(|\bWebSocket\b|\bXMLHttpRequest\b/],
    ["timers", /\bset(?:Timeout|Interval|Immediate)\(/],
    ["Node's globals", /\bBuffer\b|\b__dirname\b|\brequire\(/],
    ["the terminal", /\bconsole\./],
  ])("not %s", (_what, pattern) => {
    const core = FILES.filter((path) => CORE.includes(folderOf(path)));
    expect(core.filter((path) => pattern.test(code(path))).map((path) => relative(SRC, path))).toEqual([]);
  });
});
