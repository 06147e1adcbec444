import { describeWithPackets, uniqueName } from "./unprivileged.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { labApply, labDown, labExec, labFault, labFlows, labUp } from "../../src/lab/client.ts";
import type { Plan } from "../../src/lab/plan.ts";
import { NO_RULES, type Peer, type Ruleset } from "../../src/lab/ruleset.ts";
import { EMPTY, egress, entry, HTTP, ingress, pod, rules } from "./clusters.ts";

const name = uniqueName();
const load = fileURLToPath(new URL("./load.mjs", import.meta.url));
const FULL = process.env["BULKHEAD_FULL"] === "1";
/** Attempts in each group. */
const ATTEMPTS = FULL ? 50_000 : 10_000;

const GROUPS = ["allowed", "denied", "changed"] as const;
/**
 * How long an attempt waits, in milliseconds: what both sets allow as long as a busy machine may take, what may be dropped
 * only so long that the attempts come to an end.
 */
const PATIENCE = { allowed: 20_000, denied: 40, changed: 40 } as const;
const PLAN: Plan = {
  ...EMPTY,
  pods: GROUPS.flatMap((group, index) => [
    pod(`default/client-${group}`, 1001 + index, `10.0.0.${index + 1}`),
    pod(`default/server-${group}`, 2001 + index, `10.0.1.${index + 1}`, { ports: [HTTP] }),
  ]),
};
const from = (identity: number): Peer => ({ kind: "identities", identities: [identity] });

/** Both sets allow the first pair, by other rules; both deny the second, each on its own side; the third changes. */
const ONE: Ruleset = rules(
  ingress(2001, [entry({ peer: from(1001) })]),
  egress(1002, [entry()]),
  ingress(2002, []),
  ingress(2003, [entry()]),
);
const OTHER: Ruleset = rules(
  egress(1001, [entry({ peer: from(2001) })]),
  egress(1002, []),
  ingress(2002, [entry()]),
  ingress(2003, []),
);

interface Seen {
  readonly connected: number;
  readonly silent: number;
  readonly refused: number;
}

async function attempts(group: (typeof GROUPS)[number], address: string, count: number): Promise<Seen> {
  const { stdout, stderr, code } = await labExec(
    `default/client-${group}`,
    [process.execPath, load, "attempts", address, "80", String(count), String(PATIENCE[group])],
    {
      name,
      stdio: "collect",
    },
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const seen: Seen = JSON.parse(stdout);
  return seen;
}

/** Attempts of every group while the two sets replace each other; and what the kernel logged of them. */
async function underLoad(
  count: number,
): Promise<{ readonly seen: readonly Seen[]; readonly swaps: number; readonly drops: ReadonlySet<string> }> {
  const drops = new Set<string>();
  const stop = new AbortController();
  const reading = (async () => {
    for await (const { flow } of labFlows({ follow: true, verdict: "DROPPED" }, { name, signal: stop.signal }))
      drops.add(`${flow.source.pod_name} ${flow.destination.pod_name}`);
  })();
  const state = { running: true };
  const work = Promise.all(GROUPS.map((group, index) => attempts(group, `10.0.1.${index + 1}`, count)));
  const finished = work.finally(() => {
    state.running = false;
  });
  let swaps = 0;
  while (state.running) {
    await labApply({ ruleset: swaps % 2 === 0 ? OTHER : ONE }, { name });
    swaps++;
    // The load needs the processor as well.
    await sleep(2);
  }
  const seen = await finished;
  await sleep(50);
  stop.abort();
  await reading;
  return { seen, swaps, drops };
}

describeWithPackets("a policy swap", () => {
  beforeAll(async () => {
    await labUp(PLAN, ONE, { name, attached: true });
  });
  afterAll(() => labDown({ name }));

  test("under load: nothing forbidden by both passes, nothing allowed by both is dropped", {
    timeout: 120_000 + ATTEMPTS * 6,
  }, async () => {
    await labApply({ ruleset: ONE }, { name });
    const { seen, swaps, drops } = await underLoad(ATTEMPTS);
    const [allowed, denied, changed] = seen;
    expect(swaps).toBeGreaterThan(50);
    expect(denied).toEqual({ connected: 0, silent: ATTEMPTS, refused: 0 });
    expect([...drops]).not.toContain("client-allowed server-allowed");
    expect(allowed).toEqual({ connected: ATTEMPTS, silent: 0, refused: 0 });
    // Both sets were met many times.
    expect(changed?.connected).toBeGreaterThan(ATTEMPTS / 50);
    expect(changed?.silent).toBeGreaterThan(ATTEMPTS / 50);
  });

  test("a swap in two steps is noticed", async () => {
    await labFault({ kind: "torn-swap" }, { name });
    const { seen } = await underLoad(1500);
    await labFault({ kind: "none" }, { name });
    expect(seen[1]?.connected).toBeGreaterThan(0);
  });

  test("a new deny cuts an open connection at once", async () => {
    await labApply({ ruleset: NO_RULES }, { name });
    const holding = labExec("default/client-changed", [process.execPath, load, "hold", "10.0.1.3", "80", "8000"], {
      name,
      stdio: "collect",
    });
    // Time enough to start on a busy machine, and to go on for long where nothing cuts it.
    await sleep(4000);
    await labApply({ ruleset: OTHER }, { name });
    const cut = Date.now();
    const answers: readonly number[] = JSON.parse((await holding).stdout);
    expect(answers.filter((at) => at < cut).length).toBeGreaterThan(3);
    // What was on its way may still come.
    expect(answers.filter((at) => at > cut + 1000)).toEqual([]);
  });
});
