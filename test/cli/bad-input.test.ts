/** What a user gets for input that is broken, and for input that is legal and seldom meant. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bulkhead, EXAMPLE, json, withFiles } from "./run.ts";
import { schemaProblems } from "./schema.ts";

const POLICY = (spec: string, name = "p"): string =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ${name}, namespace: default}\nspec:\n${spec}`;

/** Title, text, and where the message stands. */
const BROKEN = [
  ["YAML that is broken", "a: [\n  b: c\n", /in\.yaml:\d+:\d+: error BH001/],
  [
    "a selector with an unknown operator",
    POLICY("  podSelector:\n    matchExpressions: [{key: a, operator: Is, values: [b]}]\n"),
    /in\.yaml:6:43: error BH206: .*operator/,
  ],
  [
    "a port out of range",
    POLICY("  podSelector: {}\n  ingress:\n    - ports: [{port: 70000}]\n"),
    /in\.yaml:7:22: error BH204: .*70000/,
  ],
  ["a field that does not exist", POLICY("  podSelector: {}\n  ingres: []\n"), /in\.yaml:6:3: error BH201: .*"ingres"/],
  [
    "two policies of one name",
    `${POLICY("  podSelector: {}\n")}---\n${POLICY("  podSelector: {}\n")}`,
    /in\.yaml:\d+:\d+: error BH243: .*written twice/,
  ],
] as const;

const LEGAL = [
  [
    "a Service that selects nothing",
    "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: default}\nspec: {selector: {app: none}, ports: [{port: 80}]}\n",
    /in\.yaml:4:18: warning BH304/,
  ],
  [
    "a policy that selects nothing",
    POLICY("  podSelector: {matchLabels: {app: none}}\n"),
    /in\.yaml:5:3: warning BH130/,
  ],
] as const;

describe.concurrent("input that gives no answer", () => {
  test.each(BROKEN)("%s: a message with its place, exit 2", async (_title, text, message) => {
    await withFiles({ "in.yaml": text }, async (folder) => {
      const { code, stdout, stderr } = await bulkhead(["reach", "in.yaml", "-o", "json"], { cwd: folder });
      expect(stderr).toMatch(message);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    });
  });

  test("a file that is missing", async () => {
    const { code, stderr } = await bulkhead(["reach", "missing.yaml"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^missing\.yaml: error BH020/);
  });

  test("a folder that is empty", async () => {
    await withFiles({}, async (folder) => {
      mkdirSync(join(folder, "empty"));
      const { code, stderr } = await bulkhead(["reach", "empty"], { cwd: folder });
      expect(code).toBe(2);
      expect(stderr).toMatch(/^empty: error BH022/);
    });
  });

  test("nothing named at all", async () => {
    const { code, stderr } = await bulkhead(["reach"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error BH025/);
  });

  test("as a cluster would take it: without the broken object, and marked", async () => {
    const [, text] = BROKEN[2];
    await withFiles({ "in.yaml": text }, async (folder) => {
      const args = ["reach", "in.yaml", "-o", "json", "--as-cluster"];
      const loose = await bulkhead(args, { cwd: folder });
      expect(loose.code).toBe(0);
      expect(json(loose.stdout)).toMatchObject({ complete: false });
      expect(schemaProblems("reach", json(loose.stdout))).toEqual([]);
      const strict = await bulkhead([...args, "--strict"], { cwd: folder });
      expect(strict.code).toBe(1);
      expect(strict.stdout).toBe(loose.stdout);
    });
  });
});

describe.concurrent("input that is legal and seldom meant", () => {
  test.each(LEGAL)("%s: a warning with its place, exit 0; none with --quiet", async (_title, text, message) => {
    await withFiles({ "in.yaml": text }, async (folder) => {
      const loud = await bulkhead(["reach", "in.yaml"], { cwd: folder });
      expect(loud.stderr).toMatch(message);
      expect(loud.code).toBe(0);
      const quiet = await bulkhead(["reach", "in.yaml", "--quiet"], { cwd: folder });
      expect(quiet).toMatchObject({ code: 0, stderr: "" });
    });
  });
});

describe.concurrent("usage", () => {
  test.each([
    [["nonsense"], /unknown command 'nonsense'/],
    [["reach", "--nonsense"], /unknown option '--nonsense'/],
    [["reach", EXAMPLE, "-o", "xml"], /Allowed choices are text, json/],
    [["reach", EXAMPLE, "--port", "0/TCP"], /from 1 to 65535/],
    [["reach", EXAMPLE, "--port", "80/XYZ"], /80\/TCP/],
    [["reach", EXAMPLE, "--pod-cidr", "10.0.0.1"], /Write a prefix/],
    [["reach", EXAMPLE, "--from", "default/nobody"], /no Pod, workload or Service is called default\/nobody/],
    [["why", "default/client-a", "-f", EXAMPLE], /missing required argument 'to'/],
    [["why", "default/client-a", "default/client-b", "-f", EXAMPLE], /declares no port/],
    [["why", "default/client-a", "default/service-a", "--http", "GET", "-f", EXAMPLE], /method and a path/],
    [["lab", "up", "--name", "Upper Case", "-f", EXAMPLE], /name is made of/],
    [["lab", "status", "--name", "not-there"], /no lab named not-there/],
    [["verify"], /missing required argument 'path'/],
  ])("%j: exit 2", async (args, message) => {
    const { code, stdout, stderr } = await bulkhead(args);
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  test.each([[["--help"]], [["--version"]], [["reach", "--help"]], [["lab", "up", "--help"]]])(
    "%j: exit 0",
    async (args) => {
      const { code, stdout } = await bulkhead(args);
      expect(code).toBe(0);
      expect(stdout).not.toBe("");
    },
  );
});
