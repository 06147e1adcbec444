/**
 * The lab's proxy: what it is told, what it tells, and where a protocol comes in.
 *
 * The proxy is a process of its own, a child of the daemon in the router's network. The kernel hands it every connection
 * whose verdict is *redirect* (`redirection.ts`); it judges what is asked by the application rules of both sides, the
 * egress rules first, and goes on to the target from the client's own address. It holds no policy: it asks the daemon
 * once for each pair of addresses, port and policy set (`resolve`), and forgets the answers when a new set comes into
 * force. Without it nothing passes: the kernel drops what nobody takes.
 *
 * A protocol is one file here and one line in `main.ts`:
 * - a `StreamProtocol` gets each accepted connection (`main.ts`, `protocolOf`, by the kinds of rules);
 * - a `DatagramProtocol` gets each UDP packet with the address that it was sent to;
 * - a `Report` says what happened; the daemon makes a flow of it (`flow-log.ts`) or learns from it;
 * - `compile/ruleset-of.ts` (`application`) no longer refuses the kind of rules.
 */

import type { OnReadOpts, Socket } from "node:net";
import type { Endpoint } from "../kernel/address.ts";
import type { Direction } from "../ruleset.ts";
import type { ApplicationEntry } from "../verdicts.ts";
import type { DnsAnswer } from "./dns-message.ts";

/** Header of the proxy's answer to a request that passed, and whose target refused the connection: nothing listens there. */
export const REFUSED_HEADER = "x-bulkhead-refused";

/** One connection, or one UDP packet, as the target would see it. */
export interface Connection {
  readonly protocol: "TCP" | "UDP";
  readonly client: Endpoint;
  /** The target, after the translation of services. */
  readonly server: Endpoint;
}

/** What the rules of one side say of a connection. */
export type Side =
  /** It passes, whatever is asked. `policies`: the origins of what allows it; empty where nothing judges. */
  | { readonly kind: "open"; readonly policies: readonly string[] }
  /** It does not pass. `policies`: what denies it, or what isolates. */
  | { readonly kind: "denied"; readonly policies: readonly string[] }
  /** It passes where one of the entries does, with all its rules. */
  | { readonly kind: "rules"; readonly policies: readonly string[]; readonly entries: readonly ApplicationEntry[] };

/**
 * What is in force for a connection. The same object for equal addresses, port and policy set, so that what is compiled
 * from a side can be kept by the side (`WeakMap`).
 */
export interface Resolution {
  readonly generation: number;
  /** Paths are compared as they are sent (cilium.md R6.1.6). */
  readonly pathsAsSent: boolean;
  /** A look-up that the rules refuse is answered as if the name did not exist (R7.2.4). */
  readonly refusesAsNameError: boolean;
  readonly egress: Side;
  readonly ingress: Side;
}

/** What a protocol may ask the process for. */
export interface Proxy {
  /** At once where it is known already. Ask for each request: a policy set may have come into force since the last. */
  resolve(connection: Connection): Resolution | Promise<Resolution>;
  /**
   * A connection to the target, under way from the client's own address. The kernel judges it by both sides' rules up to
   * the port; what it drops never connects. `onread`: who hears what comes, in place of the stream's events.
   */
  connect(connection: Connection, onread?: OnReadOpts): Socket;
  /** The same for datagrams. `heard` gets what the target sends, and nobody else; null: it cannot be reached. */
  connectDatagrams(connection: Connection, heard: (bytes: Buffer | null) => void): OnwardDatagrams;
  /** Resolves when the addresses are open to whoever may reach the name. */
  learn(lookup: NameLookup): Promise<void>;
  report(report: Report): void;
}

/** Datagrams to a target, from a client's address. */
export interface OnwardDatagrams {
  send(bytes: Buffer): void;
  close(): void;
}

/** What an answer to a look-up that has passed says. */
export interface NameLookup {
  /** Address of whoever asked. */
  readonly client: string;
  /** Lower case, with trailing dot. */
  readonly name: string;
  readonly addresses: readonly string[];
  /** In seconds. */
  readonly ttl: number;
}

/** Takes over accepted connections; the socket is its own from then on, and closed by it. */
export interface StreamProtocol {
  take(socket: Socket, connection: Connection, resolution: Resolution): void;
}

/** Takes one UDP packet; `answer` sends one back, from the address that was asked to the client. */
export interface DatagramProtocol {
  take(bytes: Buffer, connection: Connection, resolution: Resolution, answer: (bytes: Buffer) => void): void;
}

/** What one side judged, or what came back. */
interface Judged {
  /** Milliseconds of the epoch. */
  readonly at: number;
  readonly connection: Connection;
  /** Whose rules judged. */
  readonly direction: Direction;
  readonly verdict: "FORWARDED" | "DROPPED";
  /** Origins of the rules that allowed it; of a refusal the origins whose rules it does not match. */
  readonly policies: readonly string[];
}

/** One HTTP request, or its answer. */
export interface HttpReport extends Judged {
  readonly kind: "http";
  readonly type: "REQUEST" | "RESPONSE";
  readonly method: string;
  /** `http://host/path?query`. */
  readonly url: string;
  /** `HTTP/1.1`, `HTTP/2`. */
  readonly protocol: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Of an answer. */
  readonly code?: number;
  /** Of an answer: nanoseconds since the request. */
  readonly latencyNs?: number;
}

/** One look-up, or its answer. */
export interface DnsReport extends Judged {
  readonly kind: "dns";
  readonly type: "REQUEST" | "RESPONSE";
  /** Lower case, with trailing dot. */
  readonly query: string;
  /** `A`, `AAAA`. */
  readonly queryType: string;
  /** Of an answer. */
  readonly answer?: DnsAnswer;
}

/** One TLS connection, as its client began it. */
export interface TlsReport extends Judged {
  readonly kind: "tls";
  readonly type: "REQUEST";
  /** Null: none was named, or what came was no TLS. */
  readonly serverName: string | null;
}

export type Report = HttpReport | DnsReport | TlsReport;

/** Sides by their number; 0 is open without any policy. */
export type SideNumber = number;

/** What the daemon tells the proxy. */
export type ToProxy =
  | {
      readonly kind: "generation";
      readonly generation: number;
      readonly pathsAsSent: boolean;
      readonly refusesAsNameError: boolean;
    }
  /** Before the first resolution of a generation that names it. */
  | { readonly kind: "side"; readonly number: SideNumber; readonly side: Side }
  | {
      readonly kind: "resolution";
      readonly id: number;
      readonly generation: number;
      readonly egress: SideNumber;
      readonly ingress: SideNumber;
    }
  /** The addresses of the look-up with this number are open. */
  | { readonly kind: "learned"; readonly id: number };

/** What the proxy tells the daemon. */
export type FromProxy =
  | { readonly kind: "ready" }
  /** Whatever is judged from now on is judged by this generation or a later one. */
  | { readonly kind: "in-force"; readonly generation: number }
  | { readonly kind: "resolve"; readonly id: number; readonly connection: Connection }
  | { readonly kind: "learn"; readonly id: number; readonly lookup: NameLookup }
  | { readonly kind: "reports"; readonly reports: readonly Report[]; readonly left: number };
