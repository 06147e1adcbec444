/**
 * The proxy's process: accepts what the kernel hands it, asks the daemon what is in force, and leaves each connection to
 * the protocol that its rules are about. Ends with the daemon.
 */

import { createServer, type Socket } from "node:net";
import koffi from "koffi";
import type { ApplicationRule } from "../../policy/rule.ts";
import { canonical, type Family } from "../kernel/address.ts";
import { type Datagram, DatagramReader, transparentDatagrams } from "../kernel/datagrams.ts";
import { homeNamespace } from "../kernel/namespace.ts";
import { PROXY_LISTEN, PROXY_PORT } from "../redirection.ts";
import { ForeignSender, onwardDatagrams } from "./datagrams.ts";
import { HttpStreams } from "./http-streams.ts";
import { Learner } from "./learner.ts";
import { Lookups } from "./lookups.ts";
import { Reports } from "./reports.ts";
import { Resolver } from "./resolver.ts";
import type { Connection, DatagramProtocol, FromProxy, Proxy, Resolution, StreamProtocol, ToProxy } from "./seam.ts";
import { ServerNames } from "./server-names.ts";
import { onwardStream, proxyListener } from "./sockets.ts";
import { Tunnel } from "./tunnel.ts";

function tell(message: FromProxy): void {
  if (process.connected) process.send?.(message, () => {});
}

const resolver = new Resolver(tell);
const reports = new Reports(tell);
const learner = new Learner(tell);
const proxy: Proxy = {
  resolve: (connection) => resolver.resolve(connection),
  connect: onwardStream,
  connectDatagrams: onwardDatagrams,
  learn: (lookup) => learner.learn(lookup),
  report: (report) => reports.add(report),
};
const tunnel = new Tunnel(proxy);
const lookups = new Lookups(proxy);
const foreign = new ForeignSender();
/** By the kind of the rules that they are about. */
const protocols: Partial<Readonly<Record<ApplicationRule["kind"], StreamProtocol>>> = {
  dns: lookups,
  http: new HttpStreams(proxy),
  tls: new ServerNames(proxy),
};
const open = new Map<Socket, Connection>();

const datagramProtocols: Partial<Readonly<Record<ApplicationRule["kind"], DatagramProtocol>>> = {
  dns: lookups.datagrams,
};

/** The kind of the first rule of either side. */
function kindOf({ egress, ingress }: Resolution): ApplicationRule["kind"] | undefined {
  const entries = [egress, ingress].flatMap((side) => (side.kind === "rules" ? side.entries : []));
  return entries.flatMap(({ rules }) => rules)[0]?.kind;
}

/** Who speaks with a connection whose rules are these; null: nobody does. */
function protocolOf(resolution: Resolution): StreamProtocol | null {
  if (isDenied(resolution)) return null;
  const kind = kindOf(resolution);
  return kind === undefined ? tunnel : (protocols[kind] ?? null);
}

/** Whether it must not go on. What the target's side alone denies is told by the protocol, in its own words. */
function isDenied({ egress, ingress }: Resolution): boolean {
  return egress.kind === "denied" || (ingress.kind === "denied" && egress.kind !== "rules");
}

async function accept(socket: Socket): Promise<void> {
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  socket.on("error", () => socket.destroy());
  if (localAddress === undefined || remoteAddress === undefined) {
    socket.destroy();
    return;
  }
  const connection: Connection = {
    protocol: "TCP",
    client: { address: canonical(remoteAddress), port: remotePort ?? 0 },
    server: { address: canonical(localAddress), port: localPort ?? 0 },
  };
  open.set(socket, connection);
  socket.on("close", () => open.delete(socket));
  const resolution = await proxy.resolve(connection);
  const protocol = protocolOf(resolution);
  if (protocol === null) socket.resetAndDestroy();
  else protocol.take(socket, connection, resolution);
}

/** What comes after the protocol has been found is judged by its rules; what has none is dropped, as in the kernel. */
async function takeDatagram({ bytes, source, destination }: Datagram): Promise<void> {
  const connection: Connection = { protocol: "UDP", client: source, server: destination };
  const resolution = await proxy.resolve(connection);
  const kind = isDenied(resolution) ? undefined : kindOf(resolution);
  if (kind === undefined) return;
  datagramProtocols[kind]?.take(bytes, connection, resolution, (answer) => foreign.send(answer, destination, source));
}

/** Datagrams taken at one go, so that connections are not kept waiting. */
const DATAGRAMS_AT_ONCE = 256;

/** A poll that nobody holds is collected, and hears nothing any more. */
const polls: ReturnType<typeof koffi.node.poll>[] = [];

function listenDatagrams(family: Family, reader: DatagramReader): void {
  const fd = transparentDatagrams(PROXY_LISTEN[family], PROXY_PORT);
  const poll = koffi.node.poll(fd, { readable: true }, () => {
    for (let count = 0; count < DATAGRAMS_AT_ONCE; count++) {
      const datagram = reader.receive(fd);
      if (datagram === null) return;
      void takeDatagram(datagram);
    }
  });
  polls.push(poll);
}

/** Ends every connection that the policy set in force denies. */
async function judgeAnew(): Promise<void> {
  for (const [socket, connection] of open) {
    if (isDenied(await proxy.resolve(connection))) socket.resetAndDestroy();
  }
}

function main(): void {
  Error.stackTraceLimit = 4;
  homeNamespace();
  process.on("message", (message: ToProxy) => {
    resolver.receive(message);
    learner.receive(message);
    if (message.kind !== "generation") return;
    tell({ kind: "in-force", generation: message.generation });
    void judgeAnew();
  });
  process.on("disconnect", () => process.exit(0));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  for (const family of [4, 6] as const) {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
      void accept(socket);
    });
    server.listen({ fd: proxyListener(family) });
  }
  const reader = new DatagramReader();
  for (const family of [4, 6] as const) listenDatagrams(family, reader);
  tell({ kind: "ready" });
}

main();
