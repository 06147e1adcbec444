/**
 * The lab's one process: process 1 of its own process namespace, in its own user, network and mount namespaces, so
 * that everything it made ends with it, however it ends. Started by `launch.ts`; told what to do over the control
 * socket.
 *
 * Standard input is the rope to the process that started it: when it is cut before the first order is carried out, or
 * at any time in an attached lab, the daemon ends.
 */

import { mkdirSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import {
  CONTROL_SOCKET,
  errorReply,
  LAB_FOLDER,
  type Methods,
  onLines,
  parseLine,
  type Reply,
  type Request,
} from "./control.ts";
import { LabError } from "./failure.ts";
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, mount, reapChildren, setHostName, SystemError } from "./kernel/libc.ts";
import { homeNamespace } from "./kernel/namespace.ts";
import { beginNamespaces } from "./kernel/namespace-maker.ts";
import { openFiles } from "./kernel/open-files.ts";
import type { Lab } from "./lab.ts";

function prepareMachine(name: string): void {
  try {
    mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=64m");
  } catch (error) {
    if (error instanceof SystemError)
      throw new LabError("namespaces-closed", `a file system cannot be mounted in the lab: ${error.message}`);
    throw error;
  }
  mkdirSync(LAB_FOLDER, { mode: 0o700 });
  try {
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC);
  } catch {
    // A container that hides parts of /proc forbids a fresh one; the machine's own works, it only shows more.
  }
  try {
    setHostName(`bulkhead-${name}`.slice(0, 64));
  } catch {
    // The machine's name will do.
  }
  homeNamespace();
}

function serve(lab: Lab, committed: () => void): void {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    onLines(socket, (line) => {
      let request: Request;
      try {
        request = parseLine<Request>(line);
      } catch {
        socket.destroy();
        return;
      }
      void answer(lab, socket, request, committed);
    });
  });
  server.listen(CONTROL_SOCKET, () => process.stdout.write("ready\n"));
}

async function answer(lab: Lab, socket: Socket, request: Request, committed: () => void): Promise<void> {
  const write = (reply: Reply): void => {
    if (!socket.destroyed) socket.write(`${JSON.stringify(reply)}\n`);
  };
  try {
    const result = await carryOut(lab, request, socket, write, committed);
    if (result !== undefined) write({ kind: "result", result });
  } catch (error) {
    write(errorReply(error));
  }
}

function is<M extends keyof Methods>(request: Request, method: M): request is Request<M> {
  return request.method === method;
}

async function carryOut(
  lab: Lab,
  request: Request,
  socket: Socket,
  write: (reply: Reply) => void,
  committed: () => void,
): Promise<unknown> {
  if (is(request, "apply")) {
    const result = await lab.apply(request.params);
    if (request.params.commit === true) committed();
    return result;
  }
  if (is(request, "move")) return lab.move(request.params.pod, request.params.node);
  if (is(request, "status")) return lab.status(process.pid);
  if (is(request, "probe")) return lab.probe(request.params.probes);
  if (is(request, "exec")) return lab.execContext(request.params.place);
  if (is(request, "fault")) {
    lab.fault(request.params);
    return null;
  }
  if (is(request, "flows")) {
    const filter = request.params;
    if (filter.follow !== true) return lab.history(filter);
    for (const item of lab.history(filter)) write({ kind: "item", item });
    socket.on(
      "close",
      lab.follow(filter, (item) => write({ kind: "item", item })),
    );
    return undefined;
  }
  socket.end(`${JSON.stringify({ kind: "result", result: null })}\n`, () => process.exit(0));
  return undefined;
}

async function main(): Promise<void> {
  // Each connection that a probe resets makes an error object in Node; its stack would cost more than all the rest.
  Error.stackTraceLimit = 4;
  const flags = new Map(
    process.argv
      .slice(2)
      .map((argument) => argument.split("=", 2))
      .map(([key = "", value = ""]) => [key, value]),
  );
  const name = flags.get("--bulkhead-lab") ?? "bulkhead";
  let attached = true;
  const committed = (): void => {
    attached = flags.has("--attached");
  };
  process.stdin.on("end", () => {
    if (attached) process.exit(0);
  });
  process.stdin.on("error", () => {
    if (attached) process.exit(0);
  });
  process.stdin.resume();
  // The reader of these may be gone long before the lab.
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(0));
  process.on("SIGCHLD", () => reapChildren());
  prepareMachine(name);
  const sites = Number(flags.get("--sites") ?? 0);
  const { open, limit } = openFiles();
  // Where that would leave few open files, the plan is refused before any is made.
  if (open + 2 * sites < limit) beginNamespaces(sites);
  // Loaded only now: namespaces are made meanwhile.
  const { Lab } = await import("./lab.ts");
  serve(new Lab(name, LAB_FOLDER), committed);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${JSON.stringify(errorReply(error))}\n`, () => process.exit(1));
}
