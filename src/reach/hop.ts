/** The steps of a path from source to destination (design: reach). */
import type { Because } from "../base/because.ts";
import type { SideExplanation, Verdict } from "./explain.ts";
import type { WrittenAt } from "./forward.ts";
import type { Requests } from "./requests.ts";

export type Hop = RewriteHop | FilterHop | RouteHop | TerminateHop;

/** The destination is another from here on: a Service's address becomes that of a backend. */
export interface RewriteHop {
  readonly kind: "rewrite";
  readonly service: string;
  readonly detail: string;
  readonly place?: WrittenAt;
}

/** Policies judge the connection. */
export interface FilterHop {
  readonly kind: "filter";
  readonly at: string;
  readonly explanation: SideExplanation;
  /** Under which of several possible circumstances it is so; absent where there is only one. */
  readonly when?: string;
}

/** The connection is carried on, or ends for a reason that is no policy's. */
export interface RouteHop {
  readonly kind: "route";
  readonly at: string;
  readonly detail: string;
  readonly verdict: Verdict;
  readonly because: readonly Because[];
  readonly place?: WrittenAt;
}

/** A proxy takes the connection, and a new one begins, with the proxy as its source. */
export interface TerminateHop {
  readonly kind: "terminate";
  readonly at: string;
  readonly detail: string;
  /** The requests that go on from here on this path. */
  readonly requests: Requests;
  readonly verdict: Verdict;
  readonly because: readonly Because[];
  readonly place?: WrittenAt;
}

/** Whether a way ends here for a reason that is no policy's: nobody serves it, or it leads nowhere. */
export function isEnd(hop: Hop): hop is RouteHop | TerminateHop {
  return (hop.kind === "route" || hop.kind === "terminate") && hop.verdict === "deny";
}
