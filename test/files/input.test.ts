import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { formatDiagnostic } from "../../src/base/diagnostic.ts";
import { findExpectationFiles } from "../../src/files/expectation-files.ts";
import { type Input, loadInput } from "../../src/files/input.ts";
import { readProblem } from "../../src/files/source-file.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bulkhead-files-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";
const SEGREGATION = "apiVersion: bulkhead.dev/v1\nkind: Segregation\napplications: {}\n";

/** Writes files below the folder. */
function write(files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

function load(paths: string[], recursive = false): Input {
  return loadInput(
    paths.map((path) => (path === "-" ? path : join(folder, path))),
    { recursive, cwd: folder, stdin: () => Buffer.from(OBJECT) },
  );
}

function names(sources: Input["sources"]): string[] {
  return sources.map((source) => source.name);
}

describe("a folder", () => {
  test("means its own YAML and JSON, by name", () => {
    write({ "b.yml": OBJECT, "a.yaml": OBJECT, "C.json": "{}", "d.txt": "x", "e.yaml.bak": "x", "sub/f.yaml": OBJECT });
    const { sources, diagnostics } = load(["."]);
    expect(names(sources)).toEqual(["C.json", "a.yaml", "b.yml"]);
    expect(sources[1]?.text).toBe(OBJECT);
    expect(diagnostics).toEqual([]);
  });

  test("means those below as well when asked, a folder's own first", () => {
    write({ "z.yaml": OBJECT, "b/y.yaml": OBJECT, "a/x.yaml": OBJECT, "a/a/w.yaml": OBJECT });
    expect(names(load(["."], true).sources)).toEqual(["z.yaml", "a/x.yaml", "a/a/w.yaml", "b/y.yaml"]);
  });

  test("below that holds nothing is an error that names -R, unless it was given", () => {
    write({ "sub/a.yaml": OBJECT, "empty/b.txt": "" });
    expect(load(["."]).diagnostics.map(formatDiagnostic)).toEqual([
      ".: error BH022: the folder . holds no *.yaml, *.yml or *.json\n  help: A folder means its own *.yaml, *.yml and *.json; add -R for the folders below.",
    ]);
    expect(load(["empty"], true).diagnostics.map((d) => [d.code, d.file])).toEqual([["BH022", "empty"]]);
  });

  test("that leads to itself is read once", () => {
    write({ "a/x.yaml": OBJECT });
    symlinkSync("..", join(folder, "a/up"));
    symlinkSync("a", join(folder, "b"));
    expect(names(load(["."], true).sources)).toEqual(["a/x.yaml"]);
  });

  test("may hold links to files", () => {
    write({ "sub/x.txt": OBJECT });
    symlinkSync("sub/x.txt", join(folder, "l.yaml"));
    symlinkSync("nowhere", join(folder, "m.yaml"));
    const { sources, diagnostics } = load(["."]);
    expect(names(sources)).toEqual(["l.yaml"]);
    expect(diagnostics.map((d) => [d.code, d.file])).toEqual([["BH020", "m.yaml"]]);
  });
});

describe("a file", () => {
  test("that is named is read whatever its ending", () => {
    write({ "a.txt": OBJECT });
    expect(names(load(["a.txt"]).sources)).toEqual(["a.txt"]);
  });

  test.each<[string, string | Uint8Array | undefined, string]>([
    ["is missing", undefined, "f.yaml: error BH020: there is no file f.yaml"],
    ["is binary", Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 0, 1), "f.yaml: error BH023: f.yaml is a binary file"],
    ["is no UTF-8", Uint8Array.of(0x61, 0xe9, 0x62), "f.yaml: error BH023: f.yaml is not UTF-8 text"],
    ["is half UTF-16", Uint8Array.of(0xff, 0xfe, 0x61), "f.yaml: error BH023: f.yaml begins as UTF-16 but is not"],
  ])("that %s is reported", (_, content, want) => {
    if (content !== undefined) write({ "f.yaml": content });
    const { sources, diagnostics } = load(["f.yaml"]);
    expect(sources).toEqual([]);
    expect(diagnostics.map((d) => formatDiagnostic(d).split("\n")[0])).toEqual([want]);
  });

  test.each([
    ["EACCES", "f.yaml: error BH021: f.yaml may not be read"],
    ["ELOOP", "f.yaml: error BH021: f.yaml is a link that leads to itself"],
    ["EIO", "f.yaml: error BH021: f.yaml cannot be read (EIO)"],
  ])("that fails with %s is reported", (code, want) => {
    const problem = readProblem(Object.assign(new Error("no"), { code }), "f.yaml");
    expect(formatDiagnostic(problem).split("\n")[0]).toBe(want);
  });

  test("in UTF-16 with its mark is read", () => {
    write({ "f.yaml": Buffer.from(`\uFEFF${OBJECT}`, "utf16le") });
    expect(load(["f.yaml"]).sources[0]?.text).toBe(`\uFEFF${OBJECT}`);
  });

  test("that is no file is reported", () => {
    expect(loadInput(["/dev/fd/none"], { cwd: folder }).diagnostics.map((d) => d.code)).toEqual(["BH020"]);
  });

  test("named twice is read once, with a warning", () => {
    write({ "a.yaml": OBJECT, "b.yaml": OBJECT });
    const { sources, diagnostics } = load(["b.yaml", ".", "-", "-"]);
    expect(names(sources)).toEqual(["b.yaml", "a.yaml", "-"]);
    expect(diagnostics.map((d) => [d.severity, d.code, d.file])).toEqual([
      ["warning", "BH026", "b.yaml"],
      ["warning", "BH026", "-"],
    ]);
  });

  test("has the name that the user gave, relative and with no absolute path", () => {
    write({ "sub/a.yaml": OBJECT });
    const relative = (paths: string[]): string[] => names(loadInput(paths, { cwd: folder }).sources);
    expect(relative([join(folder, "sub/a.yaml")])).toEqual(["sub/a.yaml"]);
    expect(relative([`${folder}/./sub/`])).toEqual(["sub/a.yaml"]);
    expect(names(loadInput([join(folder, "sub")], { cwd: join(folder, "other") }).sources)).toEqual(["../sub/a.yaml"]);
  });
});

test("no path at all is an error", () => {
  expect(load([]).diagnostics.map((d) => d.code)).toEqual(["BH025"]);
});

test("standard input is a source like any other", () => {
  const { sources } = load(["-"]);
  expect(sources).toEqual([{ name: "-", text: OBJECT }]);
});

describe("the role of a file", () => {
  test("follows from its name, and a Segregation's from its content", () => {
    write({
      "expect.yaml": "assertions: []\n",
      "more.expect.yaml": "assertions: [{from: a, to: b, decidedBy: kind}]\n",
      "expect.yml": OBJECT,
      "refused.yaml": "refused: [Pod/a/b]\n",
      "exposure.yaml": "exposed: []\n",
      "placement.yaml": "nodes: []\n",
      "bulkhead.yaml": "podCIDRs: []\n",
      "team.yaml": SEGREGATION,
      "team.json": JSON.stringify({ apiVersion: "bulkhead.dev/v1", kind: "Segregation" }),
      "pods.yaml": OBJECT,
    });
    const input = load(["."]);
    expect(names(input.sources)).toEqual(["expect.yml", "pods.yaml"]);
    expect(names(input.expectationFiles)).toEqual(["expect.yaml", "more.expect.yaml"]);
    expect(names(input.caseFiles)).toEqual(["exposure.yaml", "placement.yaml", "refused.yaml"]);
    expect(names(input.configFiles)).toEqual(["bulkhead.yaml"]);
    expect(names(input.segregationFiles)).toEqual(["team.json", "team.yaml"]);
    expect(input.diagnostics).toEqual([]);
  });

  test("is that of a manifest when it holds an object, whatever its name", () => {
    write({ "placement.yaml": OBJECT, "exposure.yaml": `${OBJECT}---\n${OBJECT}`, "expect.yaml": OBJECT });
    const input = load(["."]);
    expect(names(input.sources)).toEqual(["expect.yaml", "exposure.yaml", "placement.yaml"]);
    expect([...input.caseFiles, ...input.expectationFiles]).toEqual([]);
  });

  test("is both when a Segregation stands among objects", () => {
    write({
      "all.yaml": `${SEGREGATION}---\n${OBJECT}`,
      "talk.yaml": `${OBJECT}  annotations: {about: Segregation}\n`,
    });
    const input = load(["."]);
    expect(names(input.sources)).toEqual(["all.yaml", "talk.yaml"]);
    expect(names(input.segregationFiles)).toEqual(["all.yaml"]);
  });
});

describe("files of expectations", () => {
  test("are found below a folder, by name, not among dependencies", () => {
    write({
      "expect.yaml": "",
      "b/x.expect.yaml": "",
      "a/expect.yaml": "",
      "a/deep/expect.yaml": "",
      "a/manifests.yaml": OBJECT,
      "node_modules/p/expect.yaml": "",
      ".git/expect.yaml": "",
    });
    const { files, diagnostics } = findExpectationFiles(folder, folder);
    expect(files.map((file) => file.slice(folder.length + 1))).toEqual([
      "expect.yaml",
      "a/expect.yaml",
      "a/deep/expect.yaml",
      "b/x.expect.yaml",
    ]);
    expect(diagnostics).toEqual([]);
  });

  test("may be named themselves", () => {
    write({ "odd.yaml": "" });
    expect(findExpectationFiles(join(folder, "odd.yaml"), folder).files).toEqual([join(folder, "odd.yaml")]);
  });

  test("that are not there are reported", () => {
    write({ "a.yaml": OBJECT });
    expect(findExpectationFiles(folder, folder).diagnostics.map(formatDiagnostic)).toEqual([
      ".: error BH022: . holds no expectations\n  help: Expectations are in expect.yaml or *.expect.yaml.",
    ]);
    expect(findExpectationFiles(join(folder, "none"), folder).diagnostics.map((d) => d.code)).toEqual(["BH020"]);
  });
});
