/** What is told of a way from outside to a pod. */
import type { Because } from "../base/because.ts";
import type { PortProtocol } from "../net/protocol.ts";
import type { EntranceWay } from "./entrance.ts";
import type { Verdict } from "./explain.ts";
import type { Hop } from "./hop.ts";
import type { Requests } from "./requests.ts";

export type Way = EntranceWay | "ingress" | "gateway";

/** One way from outside to a pod, or to all pods of a workload that are alike on it. */
export interface NorthSouthPath {
  readonly way: Way;
  readonly from: string;
  readonly to: string;
  readonly protocol: PortProtocol;
  /** The port at the pod. */
  readonly port: number;
  /** What is dialled from outside, for reading. */
  readonly dialled: string;
  /** The object that forwards, for Ingress and Gateway: `Ingress/ns/name`. */
  readonly through?: { readonly object: string; readonly host: string; readonly match: string };
  readonly verdict: Verdict;
  readonly because: readonly Because[];
  /** The requests that arrive. */
  readonly requests: Requests;
  readonly hops: readonly Hop[];
}
