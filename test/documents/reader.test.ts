import { describe, expect, test } from "vitest";
import { formatDiagnostic } from "../../src/base/diagnostic.ts";
import { readDocuments } from "../../src/documents/reader.ts";
import { configMap, lines, one, read } from "./read.ts";

const A = configMap("a");
const B = configMap("b");

describe("a stream", () => {
  test.each([
    // text, documents, objects, empty
    ["one object", A, 1, 1, 0],
    ["two objects", `${A}---\n${B}`, 2, 2, 0],
    ["a marker before the first", `---\n${A}---\n${B}`, 2, 2, 0],
    ["a marker after the last, which opens an empty one", `${A}---\n`, 2, 1, 1],
    ["an end marker after the last, which opens nothing", `${A}...\n`, 1, 1, 0],
    ["comments before the first marker", `# c\n\n---\n${A}`, 1, 1, 0],
    ["comments between markers", `${A}---\n# c\n---\n${B}`, 3, 2, 1],
    ["a comment on the marker", `--- # c\n${A}--- # d\n${B}`, 2, 2, 0],
    ["markers alone", "---\n---\n---\n", 3, 0, 3],
    ["null", "--- ~\n--- null\n---\n...\n", 3, 0, 3],
    ["nothing", "", 0, 0, 0],
    ["blank lines", "\n  \n\t\n", 0, 0, 0],
    ["comments", "# a\n  # b\n", 0, 0, 0],
    ["an object on the marker's line", "--- {apiVersion: v1, kind: A, metadata: {name: a}}\n", 1, 1, 0],
    ["a document after an end marker", `${A}...\n${B}`, 2, 2, 0],
    ["several end markers", `${A}...\n...\n# c\n...\n---\n${B}`, 2, 2, 0],
    ["carriage returns", `${A}---\n${B}`.replaceAll("\n", "\r\n"), 2, 2, 0],
    ["carriage returns alone", `${A}---\n${B}`.replaceAll("\n", "\r"), 2, 2, 0],
    ["a byte order mark", `\uFEFF${A}`, 1, 1, 0],
    ["a byte order mark before a marker", `\uFEFF---\n${A}`, 1, 1, 0],
    ["a directive of version 1.1", `%YAML 1.1\n---\n${A}`, 1, 1, 0],
    ["dashes that are no marker", `${A}data:\n  a: |\n    ---\n  b: ----\n  c: "---a"\n`, 1, 1, 0],
    ["dashes that begin a word", `${A}data: {a: "x"}\n---\n${B}`, 2, 2, 0],
  ] as const)("with %s", (_, text, documents, objects, empty) => {
    const { counts, diagnostics } = read(text);
    expect(diagnostics.filter((d) => d.code !== "BH012")).toEqual([]);
    expect(counts).toEqual({ documents, objects, lists: 0, empty, refused: 0, items: 0, refusedItems: 0 });
  });

  test("gives each object its own place", () => {
    const text = `# one\n${A}---\n# two\n${B}`;
    const { documents } = read(text);
    expect(documents.map((d) => [d.name, d.index, d.source])).toEqual([
      ["a", 0, "a.yaml"],
      ["b", 1, "a.yaml"],
    ]);
    expect(documents.map((d) => text.slice(d.offset, d.offset + d.length))).toEqual([
      `# one\n${A}`,
      `---\n# two\n${B}`,
    ]);
    expect(documents[1]?.locate(["metadata", "name"])).toEqual({ file: "a.yaml", line: 11, column: 9 });
  });

  test("loses one document to an error, not the others", () => {
    const { documents, diagnostics, counts } = read(`${A}---\na: [\n---\n${B}---\n- x\n`);
    expect(documents.map((d) => d.name)).toEqual(["a", "b"]);
    expect(lines(diagnostics)).toEqual([
      "6:4 BH001 no ] follows to close this",
      "13:1 BH003 a list is no Kubernetes object",
    ]);
    expect(counts).toMatchObject({ documents: 4, objects: 2, refused: 2 });
  });

  test("of several sources is read one source after the other", () => {
    const { documents } = readDocuments([
      { name: "x.yaml", text: A },
      { name: "-", text: B },
    ]);
    expect(documents.map((d) => d.source)).toEqual(["x.yaml", "-"]);
  });
});

describe("a document is refused", () => {
  test.each([
    ["text", "hello", '1:1 BH003 "hello" is no Kubernetes object'],
    ["a number", "12", "1:1 BH003 12 is no Kubernetes object"],
    ["a list", "- a", "1:1 BH003 a list is no Kubernetes object"],
    ["without both", "a: b", "1:1 BH004 neither apiVersion nor kind: this is no Kubernetes object"],
    ["an empty mapping", "{}", "1:1 BH004 neither apiVersion nor kind: this is no Kubernetes object"],
    ["without apiVersion", "kind: A\nmetadata: {name: a}", "1:1 BH004 the object has no apiVersion"],
    ["without kind", "apiVersion: v1\nmetadata: {name: a}", "1:1 BH005 the object has no kind"],
    ["with an empty kind", "apiVersion: v1\nkind: ''", "1:1 BH005 the object has no kind"],
    ["with a kind that is no text", "apiVersion: v1\nkind: 1", "2:7 BH203 kind must be text, not 1"],
    ["with an apiVersion that is no text", "apiVersion: 1\nkind: A", "1:13 BH203 apiVersion must be text, not 1"],
    ["without metadata", "apiVersion: v1\nkind: Pod", "1:1 BH006 the Pod has no metadata.name"],
    ["without a name", "apiVersion: v1\nkind: Pod\nmetadata: {}", "3:11 BH006 the Pod has no metadata.name"],
    [
      "with a generated name",
      "apiVersion: v1\nkind: Pod\nmetadata:\n  generateName: a-",
      "4:3 BH006 the Pod has no metadata.name; a name that is generated cannot be known beforehand",
    ],
    ["with a number as name", `${configMap("1234")}`, "4:9 BH203 metadata.name must be text, not 1234"],
    ["with a truth value as name", `${configMap("yes")}`, "4:9 BH203 metadata.name must be text, not true"],
    ["with a number as namespace", `${A}  namespace: 010\n`, "5:14 BH203 metadata.namespace must be text, not 8"],
    [
      "with a list as metadata",
      "apiVersion: v1\nkind: A\nmetadata: [a]",
      "3:11 BH203 metadata must be a mapping, not a list",
    ],
    ["with a tab", "apiVersion: v1\nkind: A\nmetadata:\n\tname: a", "4:1 BH001 a tab cannot indent; use spaces"],
    ["with a key twice", `${A}  name: b\n`, '5:3 BH002 the key "name" is written twice in one mapping'],
    ["with infinity", `${A}data: {a: .inf}\n`, "5:11 BH009 .inf is a number that JSON cannot express"],
    [
      "with a control character",
      `${A}data: {a: "\u0007"}\n`,
      "5:12 BH001 the control character U+0007 cannot stand in YAML",
    ],
    [
      "with a null character",
      `${A}data: {a: b\u0000}\n`,
      "5:12 BH001 the control character U+0000 cannot stand in YAML",
    ],
    [
      "of version 1.2",
      `%YAML 1.2\n---\n${A}`,
      "1:1 BH001 Kubernetes reads YAML 1.1 without tag directives; remove this line",
    ],
    [
      "with a tag directive",
      `%TAG !e! x:\n---\n${A}`,
      "1:1 BH001 Kubernetes reads YAML 1.1 without tag directives; remove this line",
    ],
    ["that is a directive alone", "%YAML 1.1\n", "1:1 BH001 --- must follow a directive"],
    ["with an alias to nothing", `${A}data: {a: *b}\n`, "5:11 BH001 no anchor &b comes before this alias"],
  ])("%s", (_, text, want) => {
    const { documents, diagnostics, counts } = read(text);
    expect(documents).toEqual([]);
    expect(lines(diagnostics.filter((d) => d.severity === "error"))).toEqual([want]);
    expect(counts).toMatchObject({ documents: 1, refused: 1 });
  });

  test("as a template, with what to do about it", () => {
    const { diagnostics } = read("apiVersion: v1\nkind: A\nmetadata:\n  name: {{ .Values.name }}\n  {{- with .x }}\n");
    expect(diagnostics[0]?.code).toBe("BH007");
    expect(diagnostics.map(formatDiagnostic)[0]).toMatch(
      /^a\.yaml:\d+:\d+: error BH007: .*line 4.*\n {2}help: .*helm template/s,
    );
  });

  test("not for braces within text", () => {
    expect(read(`${A}data: {a: "{{ .x }}"}\n`).diagnostics).toEqual([]);
  });
});

describe("a List", () => {
  const item = (name: string): string => `- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: ${name}}\n`;

  test("is replaced by its items, each with its place", () => {
    const { documents, counts } = read(`apiVersion: v1\nkind: List\nitems:\n${item("a")}${item("b")}`);
    expect(documents.map((d) => [d.name, d.base])).toEqual([
      ["a", ["items", 0]],
      ["b", ["items", 1]],
    ]);
    expect(documents[1]?.locate(["metadata", "name"])).toMatchObject({ line: 9, column: 20 });
    expect(documents[1]?.locate([])).toMatchObject({ line: 7, column: 3 });
    expect(counts).toMatchObject({ documents: 1, objects: 0, lists: 1, items: 2, refusedItems: 0 });
  });

  test("gives kind and apiVersion to items without", () => {
    const { documents } = read("apiVersion: apps/v1\nkind: DeploymentList\nitems:\n- metadata: {name: a}\n");
    expect(documents.map((d) => [d.apiVersion, d.kind, d.name])).toEqual([["apps/v1", "Deployment", "a"]]);
  });

  test("without kind of its own gives none", () => {
    const { diagnostics, counts } = read("apiVersion: v1\nkind: List\nitems:\n- metadata: {name: a}\n");
    expect(lines(diagnostics)).toContain("4:3 BH004 the object has no apiVersion");
    expect(counts).toMatchObject({ lists: 1, items: 0, refusedItems: 1 });
  });

  test("may hold Lists, nothing, or null", () => {
    const nested = JSON.stringify({
      apiVersion: "v1",
      kind: "List",
      items: [{ apiVersion: "v1", kind: "List", items: [{ apiVersion: "v1", kind: "A", metadata: { name: "a" } }] }],
    });
    expect(read(nested).documents.map((d) => d.base)).toEqual([["items", 0, "items", 0]]);
    for (const items of ["[]", "", "null"])
      expect(read(`apiVersion: v1\nkind: List\nitems: ${items}\n`).counts).toMatchObject({ lists: 1, items: 0 });
  });

  test("refuses items one by one", () => {
    const { documents, diagnostics, counts } = read(`apiVersion: v1\nkind: List\nitems:\n${item("a")}- b\n- null\n`);
    expect(documents).toHaveLength(1);
    expect(lines(diagnostics)).toEqual([
      '7:3 BH003 "b" is no Kubernetes object',
      "8:3 BH003 null is no Kubernetes object",
    ]);
    expect(counts).toMatchObject({ lists: 1, items: 1, refusedItems: 2 });
  });

  test("has a list of items", () => {
    const { diagnostics } = read("apiVersion: v1\nkind: List\nitems: {a: b}\n");
    expect(lines(diagnostics)).toContain("3:8 BH011 items of the List is no list");
  });

  test("is not any kind that ends so", () => {
    expect(one("apiVersion: a/v1\nkind: AllowList\nmetadata: {name: a}\nspec: {}").kind).toBe("AllowList");
  });
});

describe("JSON", () => {
  const a = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { k: "v / é" } };

  test.each([
    ["on one line", JSON.stringify(a)],
    ["over several lines", JSON.stringify(a, null, 2)],
    ["with tabs", JSON.stringify(a, null, "\t")],
    ["with blanks around", `\n  ${JSON.stringify(a)}\n\n`],
    ["with a byte order mark", `\uFEFF${JSON.stringify(a)}`],
    ["with escapes", JSON.stringify(a).replace("/", "\\/").replace("é", "\\u00e9")],
    ["after a marker", `---\n${JSON.stringify(a, null, 2)}`],
  ])("is read %s", (_, text) => {
    expect(one(text).value).toEqual(a);
  });

  test("has places", () => {
    const document = one(JSON.stringify(a, null, "\t"));
    expect(document.locate(["metadata", "name"])).toMatchObject({ line: 5, column: 11 });
    expect(document.locate(["metadata", "name"], { key: true })).toMatchObject({ line: 5, column: 3 });
    expect(document.locate(["metadata", "none", "x"])).toMatchObject({ line: 4, column: 14 });
  });

  test("of several values in a row is several documents", () => {
    const b = { ...a, metadata: { name: "b" } };
    const { documents, counts } = read(`${JSON.stringify(a)}\n${JSON.stringify(b, null, 2)}${JSON.stringify(a)}`);
    expect(documents.map((d) => [d.name, d.index])).toEqual([
      ["a", 0],
      ["b", 1],
      ["a", 2],
    ]);
    expect(documents[1]?.locate(["metadata", "name"])).toMatchObject({ line: 6, column: 13 });
    expect(counts).toMatchObject({ documents: 3, objects: 3 });
  });

  test("that breaks off after some values loses none of them", () => {
    const { documents, diagnostics, counts } = read(`${JSON.stringify(a)}\n{"kind": `);
    expect(documents).toHaveLength(1);
    expect(lines(diagnostics)).toEqual(["2:10 BH010 the text ends before its value does"]);
    expect(counts).toMatchObject({ documents: 2, objects: 1, refused: 1 });
  });

  test.each([
    ['{"kind": A}', "1:10 BH010 a value is expected here"],
    ['{"kind" "A"}', "1:9 BH010 a colon is expected here"],
    ['{"a": 1,}', "1:9 BH010 a key in double quotes is expected here"],
    ['{"a": [1 2]}', "1:10 BH010 a comma or ] is expected here"],
    ['{"a": 01}', "1:7 BH010 a value is expected here"],
    ['{"a": "\n"}', "1:8 BH010 a control character must be written as an escape"],
    ['{"a": "\\x"}', "1:8 BH010 there is no such escape"],
    ['{"a": "b', "1:7 BH010 this quotation mark has no counterpart"],
    ['{"a": 1, "a": 2}', '1:10 BH002 the key "a" is written twice in one object'],
    ['{"a": {"b": [{"c": 1, "c": 1}]}}', '1:23 BH002 the key "c" is written twice in one object'],
    ['{"a\\"": 1, "b": 1, "a\\u0022": 2}', '1:20 BH002 the key "a\\"" is written twice in one object'],
    ["[1, 2]", "1:1 BH003 a list is no Kubernetes object"],
  ])("%s is refused", (text, want) => {
    const { diagnostics } = read(text, "a.json");
    expect(lines(diagnostics.filter((d) => d.severity === "error"))).toEqual([want]);
  });

  test("may be a mapping of YAML in braces", () => {
    expect(one("{apiVersion: v1, kind: A, metadata: {name: a}} # c\n").name).toBe("a");
    expect(
      read("{apiVersion: v1, kind: A, metadata: {name: a}}\n---\n{apiVersion: v1, kind: A, metadata: {name: b}}")
        .documents,
    ).toHaveLength(2);
  });

  test("nested without measure is refused", () => {
    const deep = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`;
    expect(read(deep, "a.json").diagnostics.map((d) => d.code)).toEqual(["BH008"]);
  });
});

test("a Secret keeps its name and labels and nothing else", () => {
  const document = one(
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  labels: {a: b}\n  annotations: {last: hush}\ntype: Opaque\ndata: {p: aHVzaA==}\nstringData: {q: hush}\n",
  );
  expect(JSON.stringify(document.value)).not.toMatch(/hush|aHVzaA/);
  expect(document.value).toMatchObject({ kind: "Secret", metadata: { name: "s", labels: { a: "b" } }, type: "Opaque" });
});

test("configuration files that no cluster serves need no name", () => {
  expect(one("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n").name).toBe("");
});

test("a bare y or n is text, with one warning a source", () => {
  const { documents, diagnostics } = read(
    `${configMap("y")}  namespace: n\n---\n${configMap("yes-man")}data: {y: no-one}\n`,
  );
  expect(documents.map((d) => d.name)).toEqual(["y", "yes-man"]);
  expect(lines(diagnostics)).toEqual(["4:9 BH014 a bare y is read as text here (3 such in this file)"]);
});

test("an empty namespace is none", () => {
  expect(one(`${A}  namespace: ""\n`).namespace).toBeUndefined();
  expect(one(`${A}  namespace: b\n`).namespace).toBe("b");
});

test("a source without objects is mentioned", () => {
  for (const text of ["", "# only\n", "---\n", "\uFEFF"])
    expect(lines(read(text).diagnostics)).toEqual(["-:- BH012 the source holds no object"]);
});
