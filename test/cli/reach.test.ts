import { describe, expect, test } from "vitest";
import { bulkhead, COMMAND, EXAMPLE, json, run, withFiles } from "./run.ts";
import { schemaProblems } from "./schema.ts";

const STORY = [EXAMPLE, "-f", `${EXAMPLE}/policies/cilium`];

describe.concurrent("reach", () => {
  test("the JSON keeps to its schema and to the contract", async () => {
    const { code, stdout } = await bulkhead(["reach", ...STORY, "-o", "json"]);
    expect(code).toBe(0);
    const answer = json(stdout);
    expect(schemaProblems("reach", answer)).toEqual([]);
    expect(answer).toMatchObject({ schemaVersion: 1, dialect: "cilium@1.19", complete: true, diagnostics: [] });
    expect(answer).toHaveProperty(
      "connections",
      expect.arrayContaining([
        {
          from: "default/Deployment/client-a",
          to: "default/Deployment/service-a",
          allow: [
            {
              family: "any",
              protocol: "TCP",
              ports: "80",
              http: null,
              decidedBy: [
                { direction: "egress", reason: "no-policy" },
                {
                  direction: "ingress",
                  reason: "rule",
                  kind: "CiliumNetworkPolicy",
                  namespace: "default",
                  name: "service-a",
                  rule: 0,
                },
              ],
            },
          ],
          unsure: [],
        },
      ]),
    );
    expect(stdout).not.toMatch(/"from":"default\/Deployment\/client-b","to":"default\/Deployment\/service-a"/);
  });

  test("the same input gives the same bytes", async () => {
    const [a, b] = await Promise.all([
      bulkhead(["reach", ...STORY, "-o", "json"]),
      bulkhead(["reach", ...STORY, "-o", "json"]),
    ]);
    expect(a.stdout).toBe(b.stdout);
  });

  test("--no-provenance leaves out what decided", async () => {
    const { stdout } = await bulkhead(["reach", ...STORY, "-o", "json", "--no-provenance"]);
    expect(schemaProblems("reach", json(stdout))).toEqual([]);
    expect(stdout).not.toContain("decidedBy");
  });

  test.each([
    [["--from", "default/client-b"], ["client-a", "service-b"], ["service-a"]],
    [["--to", "default/service-a"], ["client-a"], ["client-b"]],
    [["--port", "80/TCP"], ["TCP 80"], ["everything"]],
    [["--by", "application"], ["default/application-a", "default/application-b"], ["Deployment"]],
    [["--by", "namespace"], ["default"], ["Deployment"]],
  ])("%j", async (flags, has, hasNot) => {
    const { code, stdout } = await bulkhead(["reach", ...STORY, ...flags]);
    expect(code).toBe(0);
    for (const text of has) expect(stdout).toContain(text);
    for (const text of hasNot) expect(stdout).not.toContain(text);
  });

  test("what is outside is one row; --no-outside leaves it out", async () => {
    const { stdout } = await bulkhead(["reach", ...STORY, "-o", "csv"]);
    expect(stdout).toContain("default/Deployment/client-b,internet,allow");
    expect(stdout).not.toContain("internet,default/Deployment/service-a");
    const inside = await bulkhead(["reach", ...STORY, "-o", "csv", "--no-outside"]);
    expect(inside.stdout).not.toContain("internet");
  });

  test.each([
    ["csv", /^from,to,verdict,.*\n/],
    ["md", /^\| From \| To \|/],
    ["dot", /^digraph bulkhead \{[\s\S]*\}\n$/],
    ["svg", /^<svg [\s\S]*<\/svg>\n$/],
    ["html", /^<!doctype html>[\s\S]*<\/html>\n$/],
  ])("-o %s", async (format, shape) => {
    const { code, stdout } = await bulkhead(["reach", ...STORY, "-o", format]);
    expect(code).toBe(0);
    expect(stdout).toMatch(shape);
    expect(stdout).toContain("client-a");
  });

  test("standard input is a file named -", async () => {
    const { code, stderr } = await bulkhead(["reach", "-"], { input: "kind: Pod\n" });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^-:1:1: error BH004/);
  });

  test("a folder means its own files, and those below with -R", async () => {
    const own = await bulkhead(["reach", EXAMPLE]);
    expect(own.stdout).toContain("kubernetes");
    const policies = `${EXAMPLE}/policies`;
    expect((await bulkhead(["reach", policies])).code).toBe(2);
    const all = await bulkhead(["reach", policies, "-R"]);
    expect(all.stdout).toContain("cilium@1.19");
  });

  test("--dialect decides, and an unknown one names what is meant", async () => {
    const old = await bulkhead(["reach", ...STORY, "--dialect", "cilium@1.17"]);
    expect(old.stdout).toContain("cilium@1.17");
    const wrong = await bulkhead(["reach", ...STORY, "--dialect", "cillium"]);
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toContain("Did you mean cilium?");
  });

  test("--names tells what DNS names resolve to", async () => {
    const policy = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: names, namespace: default}
spec:
  endpointSelector: {matchLabels: {class: client-a}}
  egress:
    - toFQDNs: [{matchName: api.example.com}]
    - toEntities: [cluster]
      toPorts: [{ports: [{port: "53", protocol: ANY}], rules: {dns: [{matchPattern: "*"}]}}]
`;
    await withFiles({ "policy.yaml": policy, "names.json": '{"api.example.com": ["203.0.113.7"]}' }, async (folder) => {
      const why = [
        "why",
        "default/client-a",
        "ip:203.0.113.7",
        "--port",
        "443",
        "-f",
        EXAMPLE,
        "-f",
        `${folder}/policy.yaml`,
      ];
      expect((await bulkhead(why)).stdout).toMatch(/^unsure/);
      expect((await bulkhead([...why, "--names", `${folder}/names.json`])).stdout).toMatch(/^allow/);
    });
  });

  test("a pipe that closes early is no failure", async () => {
    const command = COMMAND.map((part) => `'${part}'`).join(" ");
    const { code, stderr } = await run("bash", [
      "-c",
      `set -o pipefail; ${command} reach ${EXAMPLE} -o html | head -c 10`,
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  test("no colours in a pipe", async () => {
    const { stdout } = await bulkhead(["reach", ...STORY], { env: { FORCE_COLOR: "1" } });
    expect(stdout).not.toContain("\u001b");
  });
});
