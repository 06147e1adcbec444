/**
 * What listens on the ports of the lab: HTTP on TCP, echo on UDP, handshakes on SCTP, each on a socket made inside the site's own
 * namespace and bound to its own address, all served by this process.
 */

import { createSocket, type Socket as UdpSocket } from "node:dgram";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { type Arrivals, tokenKey } from "./attempts.ts";
import { attemptKey } from "./drop-log.ts";
import type { WiredSite } from "./fabric.ts";
import { LabError } from "./failure.ts";
import { addressBytes, canonical, familyOf } from "./kernel/address.ts";
import { SystemError } from "./kernel/libc.ts";
import { NftTable } from "./kernel/nftables.ts";
import {
  compare,
  immediate,
  meta,
  payload,
  REGISTER,
  transparentProxy,
  translateDestination,
} from "./kernel/expressions.ts";
import { tcpListener, udpSocket } from "./kernel/sockets.ts";
import { serveSctp } from "./sctp-server.ts";
import { INTERNET } from "./sites.ts";
import { PROTOCOL_NUMBER } from "./verdicts.ts";

/** Who is asked and who asks, of one connection. */
export interface Served {
  readonly owner: string;
  readonly node: string | null;
  readonly address: string;
  readonly port: number;
  readonly clientAddress: string;
  readonly clientPort: number;
}

export type HttpHandler = (request: IncomingMessage, response: ServerResponse, served: Served) => void;

/** Answers a datagram, or leaves it unanswered with null. */
export type DatagramHandler = (bytes: Buffer, served: Served) => Buffer | null;

/** Bytes of a TCP connection that is not HTTP. */
export type StreamHandler = (socket: Socket, served: Served) => void;

export interface Handlers {
  readonly http: HttpHandler;
  readonly proxy: HttpHandler;
  readonly dnsDatagram: DatagramHandler;
  readonly dnsStream: StreamHandler;
}

interface Closable {
  close(): unknown;
}

/** In the internet every port of every address leads here. */
const ANY_PORT = 15_001;

export class Servers {
  private readonly listening = new Map<string, Closable[]>();
  private readonly servedBy = new WeakMap<Socket, Served>();
  private readonly http: HttpServer;
  private readonly proxy: HttpServer;
  private readonly handlers: Handlers;
  private readonly arrivals: Arrivals;
  private readonly sockets = new Set<Socket>();

  constructor(handlers: Handlers, arrivals: Arrivals) {
    this.handlers = handlers;
    this.arrivals = arrivals;
    this.http = this.httpServer(handlers.http);
    this.proxy = this.httpServer(handlers.proxy);
  }

  private httpServer(handle: HttpHandler): HttpServer {
    const server = createHttpServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      const served = this.servedBy.get(request.socket);
      if (served !== undefined) handle(request, response, served);
    });
    server.on("clientError", (_error, socket) => socket.destroy());
    return server;
  }

  /** Opens every port of a site; none stays open when one cannot be. */
  open(wired: WiredSite): void {
    const opened: Closable[] = [];
    this.listening.set(wired.site.name, opened);
    try {
      if (wired.site.name === INTERNET) this.openAnywhere(wired, opened);
      for (const { protocol, port, serves, owner } of wired.site.ports) {
        for (const address of wired.site.addresses) {
          if (protocol === "UDP")
            opened.push(
              this.datagrams(wired, address, port, owner, serves === "dns" ? this.handlers.dnsDatagram : echo),
            );
          else if (protocol === "TCP") {
            const accept =
              serves === "dns" ? this.handlers.dnsStream : this.acceptHttp(serves === "proxy" ? this.proxy : this.http);
            opened.push(this.streams(wired, address, port, owner, accept));
          }
        }
      }
      const associations = wired.site.ports.filter(({ serves }) => serves === "sctp").map(({ port }) => port);
      if (associations.length > 0)
        for (const address of wired.site.addresses)
          opened.push(serveSctp(wired.namespace, address, new Set(associations)));
    } catch (error) {
      this.close(wired.site.name);
      if (error instanceof SystemError && error.code === "EMFILE") {
        throw new LabError("too-many-pods", "the limit of open files (ulimit -n) allows no more listeners here");
      }
      throw error;
    }
  }

  close(site: string): void {
    for (const closable of this.listening.get(site) ?? []) closable.close();
    this.listening.delete(site);
  }

  /** Ends established connections too. */
  closeAll(): void {
    for (const site of this.listening.keys()) this.close(site);
    for (const socket of this.sockets) socket.destroy();
  }

  private acceptHttp(server: HttpServer): StreamHandler {
    return (socket) => {
      server.emit("connection", socket);
    };
  }

  private streams(
    wired: WiredSite,
    address: string,
    port: number,
    owner: string,
    accept: StreamHandler,
    foreign = false,
  ): Server {
    const fd = tcpListener(wired.namespace, address, port, { foreign });
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      const served: Served = {
        owner,
        node: wired.site.node,
        address: canonical(socket.localAddress ?? address),
        port: socket.localPort ?? port,
        clientAddress: canonical(socket.remoteAddress ?? "0.0.0.0"),
        clientPort: socket.remotePort ?? 0,
      };
      this.servedBy.set(socket, served);
      this.sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => this.sockets.delete(socket));
      this.arrivals.arrived(attemptKey(PROTOCOL_NUMBER.TCP, served.clientAddress, served.clientPort), owner);
      accept(socket, served);
    });
    server.on("error", () => {});
    return server.listen({ fd });
  }

  private datagrams(
    wired: WiredSite,
    address: string,
    port: number,
    owner: string,
    answer: DatagramHandler,
  ): UdpSocket {
    const fd = udpSocket(wired.namespace, address, port);
    const socket = createSocket(familyOf(address) === 4 ? "udp4" : "udp6");
    socket.on("message", (bytes, from) => {
      const served = {
        owner,
        node: wired.site.node,
        address,
        port,
        clientAddress: canonical(from.address),
        clientPort: from.port,
      };
      const token = tokenKey(bytes);
      if (token !== null) this.arrivals.arrived(token, owner);
      // A probe is echoed whatever is served there: a name server would leave it unanswered.
      const reply = token === null ? answer(bytes, served) : bytes;
      // The address that was heard from is numeric, and the socket is open already: nothing is looked up.
      if (reply !== null) socket.send(reply, from.port, from.address);
    });
    socket.on("error", () => {});
    socket.bind({ fd });
    return socket;
  }

  /**
   * Every address and port outside answers: TCP through a transparent listener, which knows what was asked for; UDP
   * by translation to one echo port, or to the name server.
   */
  private openAnywhere(wired: WiredSite, opened: Closable[]): void {
    wired.namespace.run(() => {
      const table = new NftTable("outside");
      const r0 = REGISTER(0);
      const port = Buffer.alloc(2);
      port.writeUInt16BE(ANY_PORT);
      const dns = Buffer.from([0, 53]);
      const transaction = table
        .transaction()
        .addTable()
        .addChain("streams", { type: "filter", hook: "prerouting", priority: -150, policy: "accept" })
        .addChain("datagrams", { type: "nat", hook: "prerouting", priority: -100, policy: "accept" });
      for (const address of wired.site.addresses) {
        const family = familyOf(address);
        const isFamily = [meta("networkProtocol", r0), compare(r0, "eq", Buffer.of(family === 4 ? 2 : 10))];
        const isProtocol = (number: number) => [meta("protocol", r0), compare(r0, "eq", Buffer.of(number))];
        transaction
          .addRule(
            "streams",
            ...isFamily,
            ...isProtocol(PROTOCOL_NUMBER.TCP),
            immediate(r0, port),
            transparentProxy(family, r0),
          )
          .addRule(
            "datagrams",
            ...isFamily,
            ...isProtocol(PROTOCOL_NUMBER.UDP),
            payload("transport", 2, 2, r0),
            compare(r0, "eq", dns),
            immediate(REGISTER(4), addressBytes(address)),
            translateDestination(family, REGISTER(4), r0),
          )
          .addRule(
            "datagrams",
            ...isFamily,
            ...isProtocol(PROTOCOL_NUMBER.UDP),
            immediate(REGISTER(4), addressBytes(address)),
            immediate(r0, port),
            translateDestination(family, REGISTER(4), r0),
          );
      }
      table.commit(transaction, "outside");
      table.close();
    });
    for (const address of wired.site.addresses) {
      const any = familyOf(address) === 4 ? "0.0.0.0" : "::";
      opened.push(this.streams(wired, any, ANY_PORT, INTERNET, this.acceptHttp(this.http), true));
      opened.push(this.datagrams(wired, address, ANY_PORT, INTERNET, echo));
      opened.push(this.datagrams(wired, address, 53, INTERNET, this.handlers.dnsDatagram));
    }
  }
}

function echo(bytes: Buffer): Buffer {
  return bytes;
}

/** Says who served, what was asked, and from which address it came: as text, or as JSON where that is asked for. */
export function answerHttp(nameOf: (address: string) => string): HttpHandler {
  return (request, response, served) => {
    const { owner, node, address, port, clientAddress, clientPort } = served;
    const asked = `${request.method ?? "GET"} ${request.url ?? "/"}`;
    const host = request.headers.host ?? "";
    const client = nameOf(clientAddress);
    request.resume();
    response.setHeader("X-Served-By", owner);
    if ((request.headers.accept ?? "").includes("application/json")) {
      response.setHeader("Content-Type", "application/json");
      const body = {
        servedBy: owner,
        node,
        address,
        port,
        request: { method: request.method, path: request.url, host, headers: request.headers },
        client: { address: clientAddress, port: clientPort, name: client },
      };
      response.end(`${JSON.stringify(body)}\n`);
      return;
    }
    response.setHeader("Content-Type", "text/plain; charset=utf-8");
    const place = node === null ? "" : ` on ${node}`;
    response.end(
      `served by ${owner} at ${address}:${port}${place}\nasked     ${asked} (host ${host})\nfrom      ${clientAddress} (${client})\n`,
    );
  };
}
