/**
 * The daemon's half of the proxy: starts it when a policy set first needs it, answers what it asks, starts it anew when
 * it ends. While it is away the kernel drops what is meant for it.
 */

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { LabError } from "../failure.ts";
import type { Judgement } from "../verdicts.ts";
import type { Connection, FromProxy, NameLookup, Report, Side, SideNumber, ToProxy } from "./seam.ts";

/** By which the process is told from others. */
export const PROXY_MARK = "--bulkhead-proxy";
const START_MS = 20_000;
const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 5_000;

/** The judgements of both sides' rules; null where nothing judges. */
export interface Judgements {
  readonly egress: Judgement | null;
  readonly ingress: Judgement | null;
}

interface InForce {
  readonly generation: number;
  readonly pathsAsSent: boolean;
  readonly refusesAsNameError: boolean;
}

export class ProxySupervisor {
  private readonly judge: (connection: Connection) => Judgements;
  private readonly heard: (report: Report) => void;
  private readonly learn: (lookup: NameLookup) => void;
  private child: ChildProcess | null = null;
  private ready = false;
  private delay = FIRST_DELAY_MS;
  private inForce: InForce = { generation: 0, pathsAsSent: false, refusesAsNameError: false };
  private acknowledged = -1;
  /** What the process knows of the sides of this generation. */
  private readonly told = new Set<SideNumber>();
  private readonly waiting = new Set<() => void>();

  /** `learn` has the addresses of a name open when it returns. */
  constructor(
    judge: (connection: Connection) => Judgements,
    heard: (report: Report) => void,
    learn: (lookup: NameLookup) => void,
  ) {
    this.judge = judge;
    this.heard = heard;
    this.learn = learn;
  }

  /** Process id in the lab; null: none runs. */
  get pid(): number | null {
    return this.child?.pid ?? null;
  }

  /** Starts the proxy unless it runs; resolves when it takes connections. */
  async start(): Promise<void> {
    if (this.child === null) this.spawn();
    await this.until(() => this.ready, "the lab's proxy does not start");
  }

  /** Has the proxy ask anew what is in force, where more has changed than the policy set. */
  forget(generation: number): void {
    this.inForce = { ...this.inForce, generation };
    if (this.ready) this.tellGeneration();
  }

  /** Puts a policy set in force in a proxy that has been started; resolves when no request is judged by the one before. */
  async announce(inForce: InForce): Promise<void> {
    this.inForce = inForce;
    if (this.child === null) return;
    if (this.ready) this.tellGeneration();
    await this.until(
      () => this.acknowledged >= inForce.generation,
      "the lab's proxy does not take the policy set that is in force",
    );
  }

  private spawn(): void {
    const here = import.meta.url;
    const program = new URL(here.endsWith(".ts") ? "./main.ts" : "./main.js", here);
    const child = fork(fileURLToPath(program), [PROXY_MARK], {
      cwd: "/",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.child = child;
    child.on("message", (message: FromProxy) => {
      if (this.child === child) this.receive(message);
    });
    // Its end is told by the channel: the daemon collects the children of others too, and may come first.
    child.on("disconnect", () => this.ended(child));
    child.on("error", () => this.ended(child));
  }

  private ended(child: ChildProcess): void {
    if (this.child !== child) return;
    this.child = null;
    this.ready = false;
    this.acknowledged = -1;
    this.told.clear();
    child.kill("SIGKILL");
    setTimeout(() => {
      if (this.child === null) this.spawn();
    }, this.delay);
    this.delay = Math.min(this.delay * 2, LONGEST_DELAY_MS);
  }

  private tell(message: ToProxy): void {
    // A process that ends meanwhile is told of by the channel.
    this.child?.send(message, () => {});
  }

  private tellGeneration(): void {
    this.told.clear();
    this.tell({ kind: "generation", ...this.inForce });
  }

  private receive(message: FromProxy): void {
    switch (message.kind) {
      case "ready":
        this.ready = true;
        this.tellGeneration();
        break;
      case "in-force":
        this.acknowledged = message.generation;
        this.delay = FIRST_DELAY_MS;
        break;
      case "resolve":
        this.resolve(message.id, message.connection);
        return;
      case "learn":
        this.learn(message.lookup);
        this.tell({ kind: "learned", id: message.id });
        return;
      case "reports":
        for (const report of message.reports) this.heard(report);
        return;
    }
    for (const wake of this.waiting) wake();
  }

  private resolve(id: number, connection: Connection): void {
    const { egress, ingress } = this.judge(connection);
    const [from, to] = [egress, ingress].map((judgement) => this.side(judgement));
    this.tell({
      kind: "resolution",
      id,
      generation: this.inForce.generation,
      egress: from ?? 0,
      ingress: to ?? 0,
    });
  }

  private side(judgement: Judgement | null): SideNumber {
    if (judgement === null) return 0;
    if (!this.told.has(judgement.id)) {
      this.told.add(judgement.id);
      this.tell({ kind: "side", number: judgement.id, side: sideOf(judgement) });
    }
    return judgement.id;
  }

  private until(isSo: () => boolean, failure: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.waiting.delete(wake);
      };
      const wake = (): void => {
        if (!isSo()) return;
        end();
        resolve();
      };
      const timer = setTimeout(() => {
        end();
        reject(new LabError("internal", failure));
      }, START_MS);
      this.waiting.add(wake);
      wake();
    });
  }
}

function sideOf({ action, policies, applications }: Judgement): Side {
  switch (action) {
    case "allow":
      return { kind: "open", policies };
    case "deny":
      return { kind: "denied", policies };
    case "redirect":
      return { kind: "rules", policies, entries: applications };
  }
}
