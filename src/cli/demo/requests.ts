/** The finer grain: the same connection, request by request, predicted by the engine and sent through the lab's proxy. */
import type { Drop, Flow, Probe, ProbeResult } from "../../lab/answers.ts";
import { normaliseRequest } from "../../net/http-request.ts";
import type { Engine } from "../../reach/engine.ts";
import type { LabPlan } from "../../lab/compile/plan-of.ts";
import {
  agrees,
  type Observed,
  observedIn,
  type Pair,
  type Prediction,
  predictRequest,
  probeOf,
} from "../lab/comparison.ts";

/** What is asked of a service over one connection: what the policy of the story names, and what lies near it. */
export const REQUESTS: readonly AskedRequest[] = [
  { method: "GET", path: "/public" },
  { method: "GET", path: "/admin" },
  { method: "POST", path: "/public" },
  { method: "GET", path: "/public/../admin" },
];

export interface AskedRequest {
  readonly method: string;
  readonly path: string;
}

/** One request of one client. */
export interface RequestQuestion {
  readonly pair: Pair;
  readonly request: AskedRequest;
}

export interface PlayedRequest extends RequestQuestion {
  readonly predicted: Prediction;
  /** Null where no packets were sent. */
  readonly observed: Observed | null;
  /** The status and the text of the answer; null where there was none. */
  readonly answer: { readonly status: number; readonly body: string } | null;
  readonly agrees: boolean;
  readonly drop: Drop | null;
  /** What the flow log says of it; null where it says nothing. */
  readonly flow: Flow | null;
}

export function predicted(engine: Engine, { pair, request }: RequestQuestion): Prediction {
  const asked = normaliseRequest({ ...request, host: hostOf(pair), headers: new Map() });
  if (asked === undefined) throw new Error(`no proxy takes ${request.method} ${request.path}`);
  return predictRequest(engine, pair, asked);
}

/** The packets that ask it; undefined where the lab has nobody to send them. */
export function requestProbe(engine: Engine, lab: LabPlan, { pair, request }: RequestQuestion): Probe | undefined {
  const probe = probeOf(engine.world, lab, pair);
  return probe === undefined ? undefined : { ...probe, http: { ...request, host: hostOf(pair) } };
}

/** What came of it, with its line of the flow log. */
export function playedRequest(
  question: RequestQuestion,
  prediction: Prediction,
  result: ProbeResult | undefined,
  flows: readonly Flow[],
): PlayedRequest {
  const observed = result === undefined ? null : observedIn(result);
  return {
    ...question,
    predicted: prediction,
    observed,
    answer: result?.http ?? null,
    agrees: observed === null || agrees(prediction.verdict, observed),
    drop: result?.drop ?? null,
    flow: flowOf(flows, question, result) ?? null,
  };
}

/** What the flow log says of a request. */
export function flowOf(
  flows: readonly Flow[],
  question: RequestQuestion,
  result: ProbeResult | undefined,
): Flow | undefined {
  return flows.find((flow) => isOf(flow, question, result));
}

function hostOf({ target }: Pair): string {
  return target.service?.split("/")[1] ?? target.name;
}

function isOf({ l7, source }: Flow, { pair, request }: RequestQuestion, result: ProbeResult | undefined): boolean {
  const from = `${source.namespace ?? ""}/${source.pod_name ?? ""}`;
  return (
    l7?.type === "REQUEST" &&
    l7.http?.method === request.method &&
    l7.http.url === `http://${hostOf(pair)}${request.path}` &&
    from === result?.probe.from
  );
}
