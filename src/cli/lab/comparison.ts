/** What the engine predicts beside what packets show, for every source and every port that somebody serves. */
import type { ProbeResult, Probe } from "../../lab/answers.ts";
import type { LabPlan } from "../../lab/compile/plan-of.ts";
import { resolveService } from "../../model/backends.ts";
import type { Workload, World } from "../../model/world.ts";
import type { Request } from "../../net/http-request.ts";
import type { PortProtocol } from "../../net/protocol.ts";
import type { Answer } from "../../reach/answer.ts";
import type { Engine } from "../../reach/engine.ts";
import type { NorthSouthPath } from "../../reach/north-south-path.ts";
import { placeText } from "../../report/origin.ts";
import { becauseText, decidedBy, decidedText } from "../../report/why-report.ts";

/** Who asks: a workload, or whatever serves Ingress objects. */
export interface Asker {
  /** As the design names endpoints. */
  readonly name: string;
  readonly workload?: Workload;
}

/** What is asked for: a port of a Service, or of a workload that no Service stands before. */
export interface Target {
  readonly name: string;
  readonly protocol: PortProtocol;
  readonly port: number;
  /** `namespace/name` of the Service; absent for a workload. */
  readonly service?: string;
  readonly workloads: readonly Workload[];
}

export interface Pair {
  readonly asker: Asker;
  readonly target: Target;
}

/** The same for the same question, also when the world has been built anew. */
export function pairKey({ asker, target }: Pair): string {
  return `${asker.name} ${target.name} ${target.port}/${target.protocol}`;
}

/** Every question: in the order of the sources, and for each of them in the order of the targets. */
export function pairsOf(world: World, targets: readonly Target[]): Pair[] {
  return askersOf(world)
    .flatMap((asker) => targets.map((target) => ({ asker, target })))
    .filter((pair) => isAsked(world, pair));
}

export const INGRESS_NAME = "ingress-controller";

/** Every source. A workload that is scaled to nothing asks nobody. */
export function askersOf(world: World): Asker[] {
  const workloads = world.workloads.filter((workload) => workload.replicas > 0);
  return [
    ...workloads.map((workload) => ({ name: workload.id, workload })),
    ...(world.ingresses.length > 0 ? [{ name: INGRESS_NAME }] : []),
  ];
}

/** Every port of every Service, and every declared port that no Service leads to. */
export function targetsOf(world: World): Target[] {
  const out: Target[] = [];
  const led = new Set<string>();
  for (const service of world.services) {
    const name = `${service.namespace}/${service.name}`;
    for (const { port, backends } of resolveService(world, service)) {
      const workloads = new Set<Workload>();
      for (const backend of backends) {
        if (backend.kind !== "pod") continue;
        workloads.add(backend.workload);
        led.add(`${backend.workload.id} ${backend.port}/${port.protocol}`);
      }
      out.push({
        name: `${service.namespace}/Service/${service.name}`,
        protocol: port.protocol,
        port: port.port,
        service: name,
        workloads: [...workloads],
      });
    }
  }
  for (const workload of world.workloads) {
    if (workload.replicas === 0) continue;
    for (const { protocol, port } of workload.ports) {
      if (led.has(`${workload.id} ${port}/${protocol}`)) continue;
      out.push({ name: workload.id, protocol, port, workloads: [workload] });
    }
  }
  return out;
}

/** Whether the question says something about policy: nobody asks itself, and the Ingress asks what an Ingress names. */
export function isAsked(world: World, { asker, target }: Pair): boolean {
  if (asker.workload !== undefined) return !target.workloads.includes(asker.workload);
  return target.protocol === "TCP" && ingressRequest(world, target) !== undefined;
}

/** The request that an Ingress sends to the target. */
function ingressRequest(world: World, target: Target): { readonly host?: string; readonly path: string } | undefined {
  for (const ingress of world.ingresses) {
    const leads = (backend: typeof ingress.defaultBackend): boolean => {
      if (backend === undefined || target.service !== `${ingress.namespace}/${backend.service}`) return false;
      if (typeof backend.port === "number") return backend.port === target.port;
      const service = world.services.find((s) => `${s.namespace}/${s.name}` === target.service);
      return service?.ports.some((port) => port.name === backend.port && port.port === target.port) === true;
    };
    for (const { host, paths } of ingress.rules) {
      const found = paths.find((path) => leads(path.backend));
      if (found !== undefined)
        return { ...(host === undefined ? {} : { host: host.replace("*", "any") }), path: found.path || "/" };
    }
    if (leads(ingress.defaultBackend)) return { path: "/" };
  }
  return undefined;
}

export type Predicted = Answer["verdict"];
export type Observed = "allow" | "deny" | "refused" | "lost";

export interface Prediction {
  readonly verdict: Predicted;
  /** What decided, with its place. */
  readonly why: string;
  readonly answer: Answer;
  /** For what comes through the Ingress: the ways from outside that lead there. */
  readonly paths: readonly NorthSouthPath[];
}

/** What the engine says. */
export function predict(engine: Engine, { asker, target }: Pair): Prediction {
  const answer = engine.why({ from: asker.name, to: target.name, protocol: target.protocol, port: target.port });
  const port = { protocol: target.protocol, port: target.port };
  const paths = asker.workload === undefined ? engine.paths({ from: "internet", to: target.name, port }) : [];
  return { verdict: answer.verdict, why: whyText(answer), answer, paths };
}

/** What the engine says of a request over the connection. */
export function predictRequest(engine: Engine, { asker, target }: Pair, http: Request): Prediction {
  const { protocol, port } = target;
  const answer = engine.why({ from: asker.name, to: target.name, protocol, port, application: { http } });
  return { verdict: answer.verdict, why: whyText(answer), answer, paths: [] };
}

function whyText(answer: Answer): string {
  if (answer.problem !== undefined) return answer.problem;
  if (answer.because.length > 0) return becauseText(answer.because);
  const deciders = decidedBy(answer);
  const telling = deciders.filter((one) => one.reason !== "no-policy");
  if (telling.length === 0) return "no policy";
  return telling
    .map((one) => {
      const place = placeText(one.place);
      return place === "" ? decidedText(one) : `${decidedText(one)} (${place})`;
    })
    .join("; ");
}

/** The packets that ask the same question; undefined where the lab has nobody to send them. */
export function probeOf(world: World, lab: LabPlan, { asker, target }: Pair): Probe | undefined {
  if (asker.workload === undefined) {
    // North–south as a user sees it: from outside, through the load balancer and the proxy.
    const request = ingressRequest(world, target);
    if (request === undefined) return undefined;
    return { from: "internet", to: "ingress", protocol: "TCP", port: 80, http: request };
  }
  const from = firstPod(lab, asker.workload);
  const [workload] = target.workloads;
  // A headless Service has no address of its own: its name leads to its pods.
  const fronted = lab.plan.services.some(
    ({ namespace, name, clusterIPs }) => `${namespace}/${name}` === target.service && clusterIPs.length > 0,
  );
  const to = fronted ? `service:${target.service}` : workload && firstPod(lab, workload);
  return from === undefined || to === undefined
    ? undefined
    : { from, to, protocol: target.protocol, port: target.port };
}

/** The lab's name of a workload's first pod. */
export function firstPod(lab: LabPlan, workload: Workload): string | undefined {
  for (const pod of workload.pods) {
    const planned = lab.podsOf.get(pod)?.[0];
    if (planned !== undefined) return planned.name;
  }
  return undefined;
}

/** What the packets showed. Through a proxy the answer of the proxy counts, not that it took the connection. */
export function observedIn(result: ProbeResult): Observed {
  if (result.probe.http === undefined || result.outcome !== "allow") return result.outcome;
  if (result.drop !== null) return "deny";
  // What nobody served is the answer of the lab's own proxy: 403 by the rules for requests, 503 where the target's side
  // drops what they let pass.
  if (result.answeredBy === null && (result.http?.status === 403 || result.http?.status === 503)) return "deny";
  return result.http !== null && result.http.status < 400 ? "allow" : "lost";
}

/** Whether packets contradict the prediction. Where it is not sure there is nothing to contradict, except a lost packet. */
export function agrees(predicted: Predicted, observed: Observed): boolean {
  if (predicted === "allow" || predicted === "deny") return predicted === observed;
  return observed !== "lost";
}
