/** What every writer of `exposure` starts from. */
import type { Diagnostic } from "../base/diagnostic.ts";
import type { Closer, Exposure, ExposureCounts, Exposed, WayIn, WayOut } from "../questions/exposure.ts";
import type { Topology } from "../questions/topology-form.ts";
import { objectName, placeText, policyPlace, ruleName, rulePlace, type SourcePlace } from "./origin.ts";
import { applicationText, flowText } from "./reach-report.ts";
import { EVERYTHING, showApplication } from "../net/application.ts";

export interface ExposureReport {
  readonly dialect: string;
  readonly complete: boolean;
  readonly exposure: Exposure;
  /** The same input without policies; absent unless it was asked for. */
  readonly baseline?: ExposureCounts;
  /** Whether names and rows are never folded together. */
  readonly wide: boolean;
  /** What the pictures show; made when a picture is asked for. */
  readonly topology: () => Topology;
  readonly diagnostics: readonly Diagnostic[];
}

/** Something that would have to change. */
export interface CloserText {
  /** `CiliumNetworkPolicy/ns/name#ingress[0]`, or a few words. */
  readonly text: string;
  readonly place?: SourcePlace;
}

const WAYS: Readonly<Record<WayIn["way"], string>> = {
  ingress: "Ingress",
  gateway: "Gateway",
  "load-balancer": "LoadBalancer",
  "node-port": "NodePort",
  "external-address": "external address",
  "host-port": "host port",
  "host-network": "host network",
  "pod-address": "its own address",
  "node-address": "address of its node",
  "public-address": "public address",
};

/** `Ingress/default/web, a.example.com path / (Prefix)`, `NodePort, any node, port 30080`. */
export function wayText(way: WayIn): string {
  const words = way.through === undefined ? [WAYS[way.way]] : [way.through.object, throughText(way.through)];
  if (way.dialled !== undefined && way.through === undefined) words.push(way.dialled);
  if (way.from !== "internet" && way.way !== "pod-address") words.push(`from ${way.from}`);
  return words.join(", ");
}

function throughText({ host, match }: { readonly host: string; readonly match: string }): string {
  return `${host === "*" ? "any host" : host}${match === "" ? "" : ` ${match}`}`;
}

/** What arrives at the pod. */
export function arrivalText(way: WayIn): string {
  if (way.port === undefined) return way.flows.map(flowText).join("; ");
  const { protocol, port } = way.port;
  const requests = way.requests?.must;
  const above =
    requests === undefined || requests === EVERYTHING || way.verdict !== "allow"
      ? ""
      : ` ${applicationText(showApplication(requests))}`;
  return `${protocol} ${port}${way.way === "ingress" || way.way === "gateway" ? "" : above}`;
}

/** Where a way out leads, and through what. */
export function outText({ to, through }: WayOut): string {
  return through === undefined ? to : `${to}, through ${through}`;
}

/** What would have to change to close an open way: the rules at the pod, else a policy that is missing. */
export function closersOfWay(way: WayIn | WayOut, unit: Exposed["unit"]): readonly CloserText[] {
  const direction = "way" in way ? "ingress" : "egress";
  const own = way.closers.filter((closer) => closer.direction === direction);
  if (way.verdict === "deny")
    return "ended" in way && way.ended !== undefined ? [{ text: way.ended }] : closedBy(way.closers);
  // What always holds nobody can close by changing a policy.
  const written = own
    .flatMap((closer) => closer.origins)
    .filter((origin) => origin.document !== undefined || origin.exact === true);
  const rules = written.map((origin) => {
    const place = rulePlace(origin);
    return { text: ruleName(origin), ...(place === undefined ? {} : { place }) };
  });
  const distinct = new Map(rules.map((rule) => [rule.text, rule]));
  if (distinct.size > 0) return [...distinct.values()];
  if (way.verdict === "unsure") return [];
  if (own.some((closer) => closer.reason === "always-allowed")) return [{ text: "always allowed" }];
  if (unit.isNode) return [{ text: "no policy selects the node" }];
  return [{ text: `no policy closes its ${direction}` }];
}

function closedBy(closers: readonly Closer[]): readonly CloserText[] {
  const out = new Map<string, CloserText>();
  for (const closer of closers) {
    if (closer.reason === "default-deny") {
      for (const policy of closer.isolatedBy) {
        const place = policyPlace(policy);
        out.set(objectName(policy), { text: objectName(policy), ...(place === undefined ? {} : { place }) });
      }
    }
    if (closer.reason === "rule" && closer.origins.length > 0) {
      for (const origin of closer.origins) {
        if (origin.section !== "ingressDeny" && origin.section !== "egressDeny") continue;
        const place = rulePlace(origin);
        out.set(ruleName(origin), { text: ruleName(origin), ...(place === undefined ? {} : { place }) });
      }
    }
  }
  return [...out.values()];
}

export function closerText({ text, place }: CloserText): string {
  return place === undefined ? text : `${text}  ${placeText(place)}`;
}

/** Endpoints with the same answer, together. */
export interface Folded<T> {
  readonly endpoints: readonly string[];
  readonly value: T;
}

/** Folds what is written alike, in the order of first sight. */
export function fold<T>(
  items: readonly (readonly [name: string, value: T])[],
  key: (value: T) => string,
): readonly Folded<T>[] {
  const groups = new Map<string, { endpoints: string[]; value: T }>();
  for (const [name, value] of items) {
    const text = key(value);
    const group = groups.get(text);
    if (group === undefined) groups.set(text, { endpoints: [name], value });
    else group.endpoints.push(name);
  }
  return [...groups.values()];
}

/** `namespace/application` of an exposed endpoint. */
export function applicationOf(one: Exposed): string {
  return one.unit.application;
}
