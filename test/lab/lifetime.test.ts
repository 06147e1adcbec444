import { describeWithPackets, uniqueName } from "./unprivileged.ts";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { labDown, labExec, labNames, labProbe, labStatus, labUp } from "../../src/lab/client.ts";
import { NO_RULES } from "../../src/lab/ruleset.ts";
import { twoApplications } from "./clusters.ts";

const temporary = mkdtempSync(join(tmpdir(), "lifetime-"));
process.env["TMPDIR"] = temporary;
/** Kills at random instants. */
const ROUNDS = process.env["BULKHEAD_FULL"] === "1" ? 100 : 5;
const DURATION = String(100_000 + process.pid);
const KINDS = ["net", "mnt", "pid", "user", "uts"] as const;

interface Process {
  readonly pid: number;
  readonly command: string;
  readonly namespaces: readonly string[];
}

/** Processes that may be looked into: this user's. */
function processes(): readonly Process[] {
  const found: Process[] = [];
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${entry}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      found.push({
        pid: Number(entry),
        command,
        namespaces: KINDS.map((kind) => readlinkSync(`/proc/${entry}/ns/${kind}`)),
      });
    } catch {
      // Ended meanwhile, or not ours.
    }
  }
  return found;
}

function folder(path: string): readonly string[] {
  return existsSync(path) ? readdirSync(path).toSorted() : [];
}

/** Mounts and files of this machine that a lab could leave behind; the temporary folder is this test's own. */
function files(): Record<string, readonly string[]> {
  return {
    mounts: readFileSync("/proc/self/mounts", "utf8").split("\n"),
    temporary: folder(temporary).filter((entry) => !entry.startsWith("tsx-")),
    // Tests that run beside this one have folders such as `bulkhead-cli-NJk0yp`.
    machineTemporary: folder("/tmp").filter(
      (entry) => /bulkhead|lab-/.test(entry) && !/^bulkhead-[a-z]+-\w{6}$/.test(entry),
    ),
    runtime: folder("/run"),
    netns: folder("/run/netns"),
    shared: folder("/dev/shm"),
  };
}

const own = new Set(processes().flatMap((one) => (one.pid === process.pid ? one.namespaces : [])));

/** The namespaces that a lab made. */
function namespacesOf(name: string): ReadonlySet<string> {
  const mine = processes().filter(({ command }) => command.includes(`--bulkhead-lab=${name}`));
  return new Set(mine.flatMap(({ namespaces }) => namespaces).filter((namespace) => !own.has(namespace)));
}

/** Processes of a lab by name, or by living in one of its namespaces. */
function remains(name: string, namespaces: ReadonlySet<string>): readonly string[] {
  return processes()
    .filter(
      (one) =>
        one.command.includes(`--bulkhead-lab=${name}`) || one.namespaces.some((namespace) => namespaces.has(namespace)),
    )
    .map(({ command }) => command);
}

/** Runs for ever, with a child that outlives its parent; recognised by its unusual duration. */
function orphanMaker(duration: string): readonly string[] {
  return ["sh", "-c", `sleep ${duration} & exec sleep ${duration}`];
}

function running(duration: string): number {
  return processes().filter(({ command }) => command === `sleep ${duration}`).length;
}

async function until(condition: () => boolean, withinMs = 30_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${condition.toString()}`);
    await sleep(10);
  }
}

describeWithPackets("what a lab leaves behind", () => {
  const names: string[] = [];
  const fresh = (): string => {
    const name = uniqueName();
    names.push(name);
    return name;
  };
  afterEach(async () => {
    for (const name of names.splice(0)) await labDown({ name }).catch(() => {});
  });

  /** A lab with a program running inside that has a child of its own. */
  async function busyLab(name: string): Promise<{
    readonly pid: number;
    readonly exec: Promise<{ readonly code: number }>;
    readonly namespaces: ReadonlySet<string>;
  }> {
    const { pid } = await labUp(twoApplications(), NO_RULES, { name });
    const exec = labExec("default/client-a", orphanMaker(DURATION), { name, stdio: "collect" });
    await until(() => running(DURATION) === 2);
    const namespaces = namespacesOf(name);
    expect(namespaces.size).toBe(KINDS.length);
    expect(remains(name, namespaces).length).toBeGreaterThan(3);
    return { pid, exec, namespaces };
  }

  test("down leaves nothing, with a program running", async () => {
    const before = files();
    const name = fresh();
    const { exec, namespaces } = await busyLab(name);
    await labDown({ name });
    expect((await exec).code).toBe(137);
    expect(remains(name, namespaces)).toEqual([]);
    expect(files()).toEqual(before);
  });

  test("kill -9 of the daemon leaves nothing, with a program running", async () => {
    const before = files();
    const name = fresh();
    const { pid, exec, namespaces } = await busyLab(name);
    process.kill(pid, "SIGKILL");
    expect((await exec).code).toBe(137);
    await until(() => remains(name, namespaces).length === 0);
    expect(files()).toEqual(before);
  });

  test("kill -9 of the process that holds the namespaces open leaves nothing", async () => {
    const before = files();
    const name = fresh();
    const { pid, exec, namespaces } = await busyLab(name);
    const parent = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
    process.kill(parent, "SIGKILL");
    await exec;
    await until(() => remains(name, namespaces).length === 0);
    expect(files()).toEqual(before);
  });

  const driver = fileURLToPath(new URL("./driver.ts", import.meta.url));
  const drive = (...argv: readonly string[]) =>
    spawn(process.execPath, ["--import", import.meta.resolve("tsx"), driver, ...argv], {
      stdio: ["ignore", "pipe", "inherit"],
    });
  const line = (child: ReturnType<typeof drive>): Promise<string> =>
    new Promise((resolve) => child.stdout.setEncoding("utf8").once("data", resolve));
  const ended = (child: ReturnType<typeof drive>): Promise<void> =>
    new Promise((resolve) => child.once("exit", () => resolve()));

  test.each(["SIGKILL", "SIGINT"] as const)(
    "%s of the process that holds an attached lab ends the lab",
    async (signal) => {
      const before = files();
      const name = fresh();
      const child = drive("attached", name);
      expect(await line(child)).toContain("up");
      const namespaces = namespacesOf(name);
      expect(labNames()).toContain(name);
      const gone = ended(child);
      child.kill(signal);
      await gone;
      await until(() => remains(name, namespaces).length === 0);
      expect(files()).toEqual(before);
    },
  );

  test("kill -9 of lab exec ends its program, and the lab goes on", async () => {
    const name = fresh();
    await labUp(twoApplications(), NO_RULES, { name });
    const child = drive("exec", name, DURATION);
    await until(() => running(DURATION) === 1);
    const gone = ended(child);
    child.kill("SIGKILL");
    await gone;
    await until(() => running(DURATION) === 0);
    const results = await labProbe([{ from: "default/client-a", to: "default/service-a", protocol: "TCP", port: 80 }], {
      name,
    });
    expect(results[0]?.outcome).toBe("allow");
  });

  test("kill -9 while a lab starts leaves nothing, and the next start works", async () => {
    const before = files();
    const name = fresh();
    for (const afterMs of [350, 450, 550, 700]) {
      const child = drive("detached", name);
      const gone = ended(child);
      await sleep(afterMs);
      const namespaces = namespacesOf(name);
      child.kill("SIGKILL");
      await gone;
      // Either it was up already and stays until it is ended, or it ends by itself.
      await sleep(300);
      await labDown({ name }).catch(() => {});
      await until(() => remains(name, namespaces).length === 0);
      expect(files()).toEqual(before);
    }
    await labUp(twoApplications(), NO_RULES, { name });
    expect((await labStatus({ name })).generation).toBe(1);
  });

  test("kill -9 of any process at random instants: the lab goes on, or is gone whole", {
    timeout: ROUNDS * 20_000,
  }, async () => {
    const before = files();
    const random = randomNumbers(5);
    const name = fresh();
    for (let round = 0; round < ROUNDS; round++) {
      await labUp(twoApplications(), NO_RULES, { name });
      const child = drive("exec", name, DURATION);
      const traffic = drive("traffic", name);
      const gone = Promise.all([ended(child), ended(traffic)]);
      await sleep(400 + random() * 400);
      const namespaces = namespacesOf(name);
      const mine = processes().filter(
        (one) => one.command.includes(name) || one.namespaces.some((namespace) => namespaces.has(namespace)),
      );
      const victim = mine[Math.floor(random() * mine.length)];
      if (victim !== undefined) process.kill(victim.pid, "SIGKILL");
      await sleep(200);
      if (labNames().includes(name)) {
        const [result] = await labProbe(
          [{ from: "default/client-a", to: "default/service-a", protocol: "TCP", port: 80 }],
          { name },
        );
        expect(result?.outcome, `after the end of ${victim?.command}`).toBe("allow");
        await labDown({ name });
      }
      child.kill("SIGKILL");
      traffic.kill("SIGKILL");
      await gone;
      await until(() => remains(name, namespaces).length === 0 && running(DURATION) === 0);
      expect(files()).toEqual(before);
    }
  });
});

/** Random numbers within [0, 1) that are the same in every run (a linear congruential generator). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
