/** The processes that try mutants: as many as told, each replaced when it hangs, breaks or is spoilt. */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { Limits, Recorded, Reply, Request } from "./worker.ts";

/** What became of one mutant with some cases. */
export interface Tried {
  /** The case that failed; `-1`: the process had to be ended. Absent: none did. */
  readonly caught?: number;
}

/** A mutant that keeps a process for so long, in milliseconds, has no end. */
const PATIENCE = 120_000;

class Mate {
  private readonly folder: string;
  private child: ChildProcess | undefined;
  private limits: Limits | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Starts the process; how many cases it found. */
  async start(): Promise<number> {
    this.child = fork(join(this.folder, "scripts/mutation/worker.ts"), [this.folder], {
      execArgv: ["--import", "tsx"],
      cwd: this.folder,
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    const reply = await this.reply(20 * PATIENCE);
    if (reply?.kind !== "ready") throw new Error("the cases could not be loaded");
    if (this.limits !== undefined) this.child.send(this.limits);
    return reply.cases;
  }

  stop(): void {
    this.child?.kill("SIGKILL");
    this.child = undefined;
  }

  bound(limits: Limits): void {
    this.limits = limits;
    this.child?.send(limits);
  }

  async record(part: number, parts: number): Promise<readonly Recorded[]> {
    const reply = await this.ask({ kind: "record", part, parts }, 20 * PATIENCE);
    if (reply?.kind !== "recorded") throw new Error("the cases could not be recorded");
    return reply.cases;
  }

  async try(mutant: number, cases: readonly number[]): Promise<Tried> {
    const first = await this.ask({ kind: "try", mutant, cases });
    if (first?.kind !== "tried") {
      await this.renew();
      return { caught: -1 };
    }
    if (first.spoilt !== true) return first;
    await this.renew();
    const second = await this.ask({ kind: "try", mutant, cases });
    if (second?.kind !== "tried") {
      await this.renew();
      return { caught: -1 };
    }
    // What is spoilt by the mutant itself, in a fresh process, is caught.
    if (second.spoilt === true) await this.renew();
    return second;
  }

  private async renew(): Promise<void> {
    this.stop();
    await this.start();
  }

  private ask(request: Request, patience = PATIENCE): Promise<Reply | undefined> {
    this.child?.send(request);
    return this.reply(patience);
  }

  /** The next message; undefined where the process ends or says nothing for too long. */
  private reply(patience = PATIENCE): Promise<Reply | undefined> {
    const { child } = this;
    return new Promise((resolve) => {
      const done = (reply: Reply | undefined): void => {
        clearTimeout(timer);
        child?.off("message", onMessage);
        child?.off("exit", onExit);
        resolve(reply);
      };
      const onMessage = (message: unknown): void => done(isReply(message) ? message : undefined);
      const onExit = (): void => done(undefined);
      const timer = setTimeout(onExit, patience);
      child?.once("message", onMessage);
      child?.once("exit", onExit);
    });
  }
}

function isReply(message: unknown): message is Reply {
  return typeof message === "object" && message !== null && "kind" in message;
}

export class Crew {
  private readonly mates: readonly Mate[];

  constructor(folder: string, size: number) {
    this.mates = Array.from({ length: size }, () => new Mate(folder));
  }

  /** Runs every case once without a mutant. Those that meet none are left out. */
  async record(): Promise<readonly Recorded[]> {
    await Promise.all(this.mates.map((mate) => mate.start()));
    const parts = await Promise.all(this.mates.map((mate, i) => mate.record(i, this.mates.length)));
    const recorded = parts.flat().sort((a, b) => a.index - b.index);
    const steps = recorded.map((one) => [one.index, one.steps] as const);
    for (const mate of this.mates) mate.bound({ kind: "limits", steps });
    return recorded;
  }

  /** Does every task once, each with whoever is free. */
  async each<T>(tasks: readonly T[], run: (task: T, attempt: Mate["try"]) => Promise<void>): Promise<void> {
    const queue = [...tasks];
    await Promise.all(
      this.mates.map(async (mate) => {
        for (let task = queue.shift(); task !== undefined; task = queue.shift())
          await run(task, (mutant, cases) => mate.try(mutant, cases));
      }),
    );
  }

  stop(): void {
    for (const mate of this.mates) mate.stop();
  }
}
