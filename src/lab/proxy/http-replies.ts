/** What the proxy answers itself, in the manner of Cilium's Envoy (cilium.md R6.5.1; Envoy's local replies). */

import type { Outcome } from "./http-exchange.ts";

export interface Reply {
  readonly status: number;
  readonly body: string;
  /** Of a redirect. */
  readonly location?: string;
  /** What a gRPC client is told (https://grpc.github.io/grpc/core/md_doc_statuscodes.html). */
  readonly grpc: number;
}

const INVALID_ARGUMENT = 3;
const PERMISSION_DENIED = 7;
const UNAVAILABLE = 14;

/** Of a target that does not accept the connection in time. */
export const CONNECT_TIMEOUT = "connection timeout";
const REFUSED = "remote connection failure, transport failure reason: delayed connect error: Connection refused";

const DENIED_REPLY: Reply = { status: 403, body: "Access denied\r\n", grpc: PERMISSION_DENIED };

/** The answer to what is no proper request. */
export function improperReply(status: number): Reply {
  return { status, body: "", grpc: INVALID_ARGUMENT };
}

/** Whether the target has refused the connection. */
export function isRefusal(error: Error | undefined): boolean {
  return error !== undefined && "code" in error && error.code === "ECONNREFUSED";
}

/** The answer where the target does not answer; `error`: what became of its connection. */
export function unreachableReply(error?: Error): Reply {
  const timedOut = error?.message === CONNECT_TIMEOUT ? CONNECT_TIMEOUT : "connection termination";
  const reason = isRefusal(error) ? REFUSED : timedOut;
  const body = `upstream connect error or disconnect/reset before headers. reset reason: ${reason}`;
  return { status: 503, body, grpc: UNAVAILABLE };
}

/** The answer to what does not go on. */
export function replyTo(outcome: Exclude<Outcome, { kind: "pass" }>): Reply {
  switch (outcome.kind) {
    case "again":
      return { status: 307, body: "", location: outcome.path, grpc: INVALID_ARGUMENT };
    case "refused":
      return outcome.status === 403 ? DENIED_REPLY : improperReply(outcome.status);
    case "unreachable":
      // What it sends is dropped.
      return unreachableReply(new Error(CONNECT_TIMEOUT));
  }
}

/** Header fields of a message let through. */
export const FIELDS_MAX = 100;
/** Bytes of header fields let through: Envoy's default. */
export const HEADER_BYTES_MAX = 60 * 1024;
/** The target accepts within this time (Cilium's `proxy-connect-timeout`), in milliseconds. */
export const CONNECT_MS = 2_000;
