import { describeWithPackets, uniqueName } from "../lab/unprivileged.ts";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bulkhead, COMMAND, json, ROOT, run } from "./run.ts";
import { schemaProblems } from "./schema.ts";

/** What a reader of `demo -o json` relies on. */
interface DemoJson {
  readonly steps: readonly {
    readonly name: string;
    readonly pairs: readonly {
      readonly from: string;
      readonly to: string;
      readonly predicted: string;
      readonly observed: string | null;
      readonly http?: { readonly method: string; readonly path: string; readonly status: number | null };
    }[];
  }[];
  readonly agree: boolean;
}

function demoJson(text: string): DemoJson {
  const value: DemoJson = JSON.parse(text);
  return value;
}

function cell(demo: DemoJson, step: string, from: string, to: string): string {
  const pair = demo.steps
    .find(({ name }) => name === step)
    ?.pairs.find((one) => one.from.endsWith(from) && one.to.endsWith(to));
  return pair === undefined ? "not asked" : `${pair.predicted}/${pair.observed}`;
}

describeWithPackets("the demo with packets", () => {
  test("tells the founding story as JSON, and predicted equals observed", async () => {
    const { code, stdout, stderr } = await bulkhead(["demo", "-o", "json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(schemaProblems("demo", json(stdout))).toEqual([]);
    const demo = demoJson(stdout);
    expect(demo.agree).toBe(true);
    expect(demo.steps.map(({ name }) => name)).toEqual(["before", "after", "ingress", "http"]);
    for (const [step, from, to, verdict] of [
      ["before", "client-a", "service-a", "allow"],
      ["before", "client-a", "service-b", "allow"],
      ["before", "client-b", "service-a", "allow"],
      ["before", "client-b", "service-b", "allow"],
      ["before", "ingress-controller", "service-a", "allow"],
      ["after", "client-a", "service-a", "allow"],
      ["after", "client-b", "service-a", "deny"],
      ["after", "client-b", "service-b", "allow"],
      ["after", "ingress-controller", "service-a", "deny"],
      ["after", "ingress-controller", "service-b", "allow"],
      ["ingress", "ingress-controller", "service-a", "allow"],
      ["ingress", "client-a", "service-a", "allow"],
      ["ingress", "client-b", "service-a", "deny"],
    ] as const) {
      expect(`${step} ${from} ${to} ${cell(demo, step, from, to)}`).toBe(`${step} ${from} ${to} ${verdict}/${verdict}`);
    }
    expect(json(stdout)).toMatchObject({
      attacker: "default/Deployment/client-b",
      impact: {
        before: expect.arrayContaining(["default/Deployment/service-a"]),
        after: expect.not.arrayContaining(["default/Deployment/service-a"]),
      },
    });
  });

  test("tells its last chapter alone: the same connection, request by request", async () => {
    const { code, stdout } = await bulkhead(["demo", "http", "-o", "json"]);
    expect(code).toBe(0);
    expect(schemaProblems("demo", json(stdout))).toEqual([]);
    const asked = demoJson(stdout).steps.map(({ name, pairs }) => [
      name,
      ...pairs.flatMap(({ from, predicted, observed, http }) =>
        http === undefined
          ? []
          : [
              `${from.split("/").at(-1)} ${http.method} ${http.path} ${predicted}/${observed} ${http.status ?? ""}`.trim(),
            ],
      ),
    ]);
    expect(asked).toEqual([
      [
        "after",
        "client-a GET /public allow/allow 200",
        "client-a GET /admin allow/allow 200",
        "client-a POST /public allow/allow 200",
        "client-a GET /public/../admin allow/allow 200",
        "client-b GET /public deny/deny",
      ],
      [
        "http",
        "client-a GET /public allow/allow 200",
        "client-a GET /admin deny/deny 403",
        "client-a POST /public deny/deny 403",
        "client-a GET /public/../admin deny/deny 403",
        "client-b GET /public deny/deny",
      ],
    ]);
    const text = await bulkhead(["demo", "http"]);
    expect(text.stdout).toContain("403 Access denied");
    expect(text.stdout).toMatch(
      /FORWARDED client-a → service-a {2}HTTP\/1\.1 GET http:\/\/service-a\/public {2}by CiliumNetworkPolicy\/default\/service-a/,
    );
    expect(text.stdout).toMatch(/DROPPED +client-a → service-a {2}HTTP\/1\.1 GET http:\/\/service-a\/admin/);
  });

  test("tells it as text, the same bytes every time", async () => {
    const [first, second] = [await bulkhead(["demo"]), await bulkhead(["demo"])];
    expect(first.code).toBe(0);
    expect(first.stdout).toBe(second.stdout);
    expect(first.stdout).not.toContain("\u001b");
    for (const text of [
      "Ingress applications",
      "Before any policy",
      "◀ changed",
      "Why is client-b shut out of service-a:80?",
      "policies/cilium/service-a.yaml:14",
      "the kernel dropped",
      "It opens outside, through the Ingress → service-a:80, and changes nothing else.",
      "Predicted and observed agree in all",
    ]) {
      expect(first.stdout).toContain(text);
    }
  });

  test.each(["README.md", "examples/two-applications/README.md"])("%s shows what it prints", async (file) => {
    const { stdout } = await bulkhead(["demo"]);
    expect(readFileSync(join(ROOT, file), "utf8")).toContain(`\`\`\`text\n${stdout.trim()}\n\`\`\`\n`);
  });

  test("the commands to try next work as printed", async () => {
    const { stdout } = await bulkhead(["demo"]);
    const printed = stdout.split("\n").filter((line) => line.startsWith("  npx bulkhead"));
    expect(printed).toHaveLength(3);
    const command = COMMAND.map((part) => `'${part}'`).join(" ");
    const name = uniqueName();
    const lines = printed.map((line) =>
      // A lab of its own name, so that no other lab stands in the way.
      line
        .trim()
        .replaceAll("npx bulkhead", command)
        .replaceAll(/ lab (up|exec) /g, ` lab $1 --name ${name} `),
    );
    const [why, reach, lab] = await Promise.all(lines.map((line) => run("bash", ["-c", line])));
    const down = await bulkhead(["lab", "down", "--name", name]);
    expect(why).toMatchObject({ code: 0, stdout: expect.stringMatching(/^deny/) });
    expect(reach).toMatchObject({ code: 0, stdout: expect.stringContaining("TCP 80") });
    expect(lab).toMatchObject({ code: 0, stdout: expect.stringContaining("served by default/service-a") });
    expect(down.code).toBe(0);
  });

  test.each([
    ["pass default/client-b default/service-a", /DISAGREE client-b → service-a:80: predicted deny .* observed allow/],
    [
      "drop default/client-a default/service-b",
      /DISAGREE client-a → service-b:80: predicted allow .* observed (deny|lost)/,
    ],
  ])("a fault in the lab's rules (%s) is seen: exit 1", async (fault, message) => {
    const { code, stdout } = await bulkhead(["demo"], { env: { BULKHEAD_DEMO_FAULT: fault } });
    expect(stdout).toMatch(message);
    expect(stdout).toMatch(/Predicted and observed differ in \d+ of \d+ cells/);
    expect(code).toBe(1);
  });

  test("where user namespaces are closed everything predicted is shown, with the remedy; exit 3", async () => {
    const command = COMMAND.map((part) => `'${part}'`).join(" ");
    const closed = `echo 0 > /proc/sys/user/max_user_namespaces && exec ${command} demo`;
    const text = await run("unshare", ["-Ur", "sh", "-c", closed]);
    expect(text.code).toBe(3);
    expect(text.stdout).toContain("Predicted only: this machine cannot run the lab.");
    expect(text.stdout).toContain("What helps: Allow unprivileged user namespaces");
    expect(text.stdout).toContain("✗ deny");
    expect(text.stdout).not.toContain("observed  ");
    const asJson = await run("unshare", ["-Ur", "sh", "-c", `${closed} -o json`]);
    expect(asJson.code).toBe(3);
    expect(schemaProblems("demo", json(asJson.stdout))).toEqual([]);
    expect(cell(demoJson(asJson.stdout), "after", "client-b", "service-a")).toBe("deny/null");
  });
});

describe("the demo without a lab", () => {
  test("an unknown story is bad usage", async () => {
    const { code, stderr } = await bulkhead(["demo", "nonsense"]);
    expect(code).toBe(2);
    expect(stderr).toContain("Allowed choices are policy, http, all");
  });
});
