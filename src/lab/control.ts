/**
 * The talk between a client and a lab's daemon: one JSON object a line over a socket in the lab's own file system.
 * Who may reach that file system is the kernel's decision: `/proc/PID/root` opens for the lab's user alone.
 */

import { createConnection, type Socket } from "node:net";
import type { ApplyResult, Fault, FlowFilter, FlowRecord, LabStatus, Probe, ProbeResult } from "./answers.ts";
import { isLabFailureCode, LabError } from "./failure.ts";
import type { ExecContext } from "./lab.ts";
import type { Plan } from "./plan.ts";
import type { Ruleset } from "./ruleset.ts";

/** Folder of a lab in its own file system. */
export const LAB_FOLDER = "/run/bulkhead";
export const CONTROL_SOCKET = `${LAB_FOLDER}/control.sock`;

/** What can be asked, with its answer. */
export interface Methods {
  apply: {
    params: { readonly plan?: Plan; readonly ruleset?: Ruleset; readonly commit?: boolean };
    result: ApplyResult;
  };
  move: { params: { readonly pod: string; readonly node: string }; result: ApplyResult };
  status: { params: Record<string, never>; result: Omit<LabStatus, "pid"> };
  probe: { params: { readonly probes: readonly Probe[] }; result: readonly ProbeResult[] };
  flows: { params: FlowFilter; result: readonly FlowRecord[] };
  exec: { params: { readonly place: string }; result: ExecContext };
  fault: { params: Fault; result: null };
  down: { params: Record<string, never>; result: null };
}

export type Method = keyof Methods;

export interface Request<M extends Method = Method> {
  readonly method: M;
  readonly params: Methods[M]["params"];
}

export type Reply<Result = unknown, Item = unknown> =
  | { readonly kind: "result"; readonly result: Result }
  /** One element of an answer that goes on. */
  | { readonly kind: "item"; readonly item: Item }
  | { readonly kind: "error"; readonly code: string; readonly message: string };

/** Calls `heard` with each line of a stream. */
export function onLines(socket: Socket, heard: (line: string) => void): void {
  let pending: string[] = [];
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    const parts = chunk.split("\n");
    const last = parts.pop() ?? "";
    for (const [index, part] of parts.entries()) {
      heard(index === 0 ? pending.join("") + part : part);
      if (index === 0) pending = [];
    }
    pending.push(last);
  });
}

/** The one place where bytes from the other half of this program become its types again. */
export function parseLine<T>(line: string): T {
  const value: T = JSON.parse(line);
  return value;
}

export function errorReply(error: unknown): Reply {
  if (error instanceof LabError) return { kind: "error", code: error.code, message: error.message };
  return {
    kind: "error",
    code: "internal",
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
  };
}

function errorOf(reply: Extract<Reply, { kind: "error" }>): LabError {
  return new LabError(isLabFailureCode(reply.code) ? reply.code : "internal", reply.message);
}

function connect(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path });
    socket.once("error", () => reject(new LabError("lab-died", "the lab does not answer")));
    socket.once("connect", () => resolve(socket));
  });
}

/** Asks a lab one thing. */
export async function ask<M extends Method>(
  path: string,
  method: M,
  params: Methods[M]["params"],
): Promise<Methods[M]["result"]> {
  const socket = await connect(path);
  try {
    return await new Promise((resolve, reject) => {
      onLines(socket, (line) => {
        const reply = parseLine<Reply<Methods[M]["result"]>>(line);
        if (reply.kind === "error") reject(errorOf(reply));
        else if (reply.kind === "result") resolve(reply.result);
      });
      socket.on("error", () => reject(new LabError("lab-died", `the lab ended during ${method}`)));
      socket.on("close", () => reject(new LabError("lab-died", `the lab ended during ${method}`)));
      const request: Request<M> = { method, params };
      socket.write(`${JSON.stringify(request)}\n`);
    });
  } finally {
    socket.destroy();
  }
}

/** Asks for an answer that goes on until the iteration ends, the signal stops it or the lab ends. */
export async function* askStream(
  path: string,
  method: "flows",
  params: FlowFilter,
  signal: AbortSignal | undefined,
): AsyncGenerator<FlowRecord> {
  const socket = await connect(path);
  const stop = (): unknown => socket.destroy();
  signal?.addEventListener("abort", stop);
  const queue: FlowRecord[] = [];
  let wake: (() => void) | null = null;
  let failure: LabError | null = null;
  let ended = false;
  const stir = (): void => {
    wake?.();
    wake = null;
  };
  onLines(socket, (line) => {
    const reply = parseLine<Reply<never, FlowRecord>>(line);
    if (reply.kind === "item") queue.push(reply.item);
    else if (reply.kind === "error") failure = errorOf(reply);
    stir();
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    ended = true;
    stir();
  });
  socket.write(`${JSON.stringify({ method, params })}\n`);
  try {
    if (signal?.aborted === true) socket.destroy();
    for (;;) {
      const next = queue.shift();
      if (next !== undefined) yield next;
      else if (failure !== null) throw failure;
      else if (ended) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    signal?.removeEventListener("abort", stop);
    socket.destroy();
  }
}
