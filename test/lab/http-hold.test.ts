/** The HTTP proxy in a lab under clients as nobody should be: its memory, and what others notice. */

import { describeWithPackets, uniqueName } from "./unprivileged.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { labDown, labExec, labUp } from "../../src/lab/client.ts";
import type { Plan } from "../../src/lab/plan.ts";
import { EMPTY, entry, ingress, pod, rules } from "./clusters.ts";
import { proxyPid, residentMemory } from "./proxy-process.ts";

const name = uniqueName();
const PORT = 81;
const PLAN: Plan = {
  ...EMPTY,
  pods: [
    pod("default/web", 1001, "10.0.0.1"),
    pod("default/client", 1002, "10.0.0.2"),
    pod("default/noisy", 1003, "10.0.0.3"),
  ],
};
const RULES = rules(
  ingress(1001, [
    entry({
      traffic: { protocol: "TCP", ports: { first: PORT, last: PORT } },
      application: [{ kind: "http", rules: [{ path: "/public.*", headers: [], at: [] }] }],
    }),
  ]),
);
/** A server that reads no body, and has answers without an end. */
const SERVER = `
const zeros = Buffer.alloc(65536);
require("http").createServer((request, response) => {
  if (request.url !== "/public/endless") return request.method === "POST" ? undefined : response.end("here");
  response.setHeader("Content-Length", 1e12);
  const more = () => { while (response.write(zeros)); };
  response.on("drain", more);
  more();
}).listen(${PORT})`;
/** Clients of each kind. */
const EACH = 60;
const KINDS = 7;
const TIME_MS = 6_000;
/** MiB beyond what the proxy needs for nobody. */
const MORE_MAX = 250;

async function curl(): Promise<string> {
  const argv = ["curl", "-s", "--max-time", "10", "-w", "%{http_code}", `http://10.0.0.1:${PORT}/public`];
  return (await labExec("default/client", argv, { name, stdio: "collect" })).stdout;
}

describeWithPackets("HTTP, held", () => {
  beforeAll(async () => {
    await labUp(PLAN, RULES, { name });
    void labExec("default/web", [process.execPath, "-e", SERVER], { name, stdio: "collect" });
  }, 60_000);

  afterAll(async () => {
    await labDown({ name });
  });

  test("a crowd of slow, flooding and silent clients costs little memory, and the others nothing", {
    timeout: 60_000,
  }, async () => {
    await expect.poll(curl, { timeout: 20_000 }).toBe("here200");
    const pid = await proxyPid(name);
    if (pid === null) throw new Error("no proxy runs");
    const before = residentMemory(pid);
    const program = fileURLToPath(new URL("crowd.mjs", import.meta.url));
    const argv = [process.execPath, program, "10.0.0.1", String(PORT), String(EACH), String(TIME_MS)];
    let isOver = false;
    const crowd = labExec("default/noisy", argv, { name, stdio: "collect" }).finally(() => (isOver = true));
    let most = before;
    const answers: string[] = [];
    while (!isOver) {
      answers.push(await curl());
      most = Math.max(most, residentMemory(pid));
      await sleep(100);
    }
    expect(Number((await crowd).stdout)).toBe(EACH * KINDS);
    expect(new Set(answers)).toEqual(new Set(["here200"]));
    expect(most - before).toBeLessThan(MORE_MAX);
    expect(await proxyPid(name)).toBe(pid);
  });
});
