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

/** What a client is told whose request no rule matches. */
export const DENIED = "Access denied\r\n";
/** What a client is told whose target does not answer. */
export const UNREACHABLE = "upstream connect error or disconnect/reset before headers";

export const UNREACHABLE_REPLY: Reply = { status: 503, body: UNREACHABLE, grpc: UNAVAILABLE };
const DENIED_REPLY: Reply = { status: 403, body: DENIED, grpc: PERMISSION_DENIED };
const MALFORMED_REPLY: Reply = { status: 400, body: "", grpc: INVALID_ARGUMENT };

/** The answer to what does not go on. */
export function replyTo(outcome: Exclude<Outcome, { kind: "pass" }>): Reply {
  switch (outcome.kind) {
    case "again":
      return { status: 307, body: "", location: outcome.path, grpc: INVALID_ARGUMENT };
    case "refused":
      return outcome.status === 403 ? DENIED_REPLY : MALFORMED_REPLY;
    case "unreachable":
      return UNREACHABLE_REPLY;
  }
}

/** Header fields of a message let through. */
export const FIELDS_MAX = 100;
/** Bytes of header fields let through: Envoy's default. */
export const HEADER_BYTES_MAX = 60 * 1024;
/** The target accepts within this time (Cilium's `proxy-connect-timeout`), in milliseconds. */
export const CONNECT_MS = 2_000;
