/** `reach -o jsonl`: the answer of `-o json`, a line for each part of it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { bulkhead, COMMAND, EXAMPLE, json, ROOT } from "./run.ts";
import { schemaProblems } from "./schema.ts";

const STORY = [EXAMPLE, `${EXAMPLE}/policies/cilium`];

/** The parts of one kind. */
function parts(lines: readonly unknown[], key: string): readonly unknown[] {
  return lines
    .flatMap((line) => (typeof line === "object" && line !== null ? Object.entries(line) : []))
    .flatMap(([name, part]) => (name === key ? [part] : []));
}

describe("reach -o jsonl", () => {
  test("says line by line what -o json says", async () => {
    const whole = await bulkhead(["reach", ...STORY, "-o", "json"]);
    const { code, stdout } = await bulkhead(["reach", ...STORY, "-o", "jsonl"]);
    expect(code).toBe(0);
    expect(stdout.endsWith("}\n")).toBe(true);
    const [head, ...lines] = stdout.trimEnd().split("\n").map(json);
    expect(head).toEqual({ schemaVersion: 1, dialect: "cilium@1.19", complete: true });
    const answer = json(whole.stdout);
    expect(schemaProblems("reach", answer)).toEqual([]);
    for (const line of [head, ...lines]) expect(schemaProblems("reach-line", line)).toEqual([]);
    expect(parts(lines, "connection").length).toBeGreaterThan(3);
    expect(parts(lines, "path").length).toBeGreaterThan(0);
    expect(answer).toMatchObject({
      endpoints: parts(lines, "endpoint"),
      connections: parts(lines, "connection"),
      paths: parts(lines, "path"),
      diagnostics: parts(lines, "diagnostic"),
    });
  });

  test("ends quietly when its reader has seen enough", async () => {
    const [command, ...first] = COMMAND;
    const child = spawn(command, [...first, "reach", ...STORY, "-o", "jsonl"], { cwd: ROOT });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
    child.stdout.destroy();
    await once(child, "close");
    expect(child.exitCode).toBe(0);
    expect(stderr).not.toContain("defect");
  });
});
