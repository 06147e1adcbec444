/** What is allowed and not expected: `verify --strict`. */
import { resolveService } from "../model/backends.ts";
import { BUCKETS } from "../net/flow-set.ts";
import { hasPorts, type Protocol } from "../net/protocol.ts";
import type { Endpoint } from "../reach/endpoint.ts";
import type { Engine } from "../reach/engine.ts";
import { pointVerdict } from "../reach/explain.ts";
import type { RowResult } from "../verify/check.ts";
import type { Assertion } from "../verify/expectation.ts";
import { listening, passing, sharedFamilies, type Unit, unitsOf } from "./network.ts";

/** A row for each connection to a port on which somebody is known to listen, that passes and that no assertion allows. */
export function unexpected(engine: Engine, assertions: readonly Assertion[]): readonly RowResult[] {
  const units = unitsOf(engine);
  const allowed = assertions.filter((one) => one.verdict !== "deny").map((one) => meaningOf(engine, one));
  const rows: RowResult[] = [];
  for (const to of units) {
    const ports = portsOf(engine, to);
    for (const from of units) {
      if (from === to) continue;
      for (const { protocol, port } of ports) {
        const bounds = passing(engine, from.endpoint, to.endpoint);
        const [family] = sharedFamilies(from.endpoint, to.endpoint);
        if (family === undefined) continue;
        const verdict = pointVerdict(bounds, { family, protocol, port });
        if (verdict === "deny" || allowed.some((one) => covers(one, from, to, protocol, port))) continue;
        const answer = engine.why({ from: from.name, to: to.name, protocol, port });
        const origins = answer.pairs.flatMap((pair) =>
          pair.hops.flatMap((hop) => (hop.kind === "filter" ? hop.explanation.deciders : [])),
        );
        const names = [
          ...new Set(
            origins.map(
              (o) =>
                `${o.kind}/${o.namespace === undefined ? "" : `${o.namespace}/`}${o.name}#${o.section}[${o.index}]`,
            ),
          ),
        ];
        const origin = origins.find((one) => one.document !== undefined);
        const place =
          origin?.document?.locate(origin.path ?? []) ?? to.group.workload.document?.locate(["metadata", "name"]);
        rows.push({
          text: `${from.name} → ${to.name} ${port}/${protocol}`,
          expected: "nothing (--strict)",
          actual: verdict,
          passed: false,
          decidedBy: names.length > 0 ? names : ["no-policy"],
          why: names.length > 0 ? `let through by ${names.join(", ")}` : "no policy closes it",
          ...(place === undefined ? {} : { place }),
          code: "BH191",
        });
      }
    }
  }
  return rows;
}

function portsOf(engine: Engine, unit: Unit): readonly { readonly protocol: Protocol; readonly port: number }[] {
  const flows = listening(engine, unit);
  const seen = new Map<string, { protocol: Protocol; port: number }>();
  for (const { protocol, index } of BUCKETS) {
    if (!hasPorts(protocol)) continue;
    for (const band of flows[index] ?? []) {
      for (let port = band.first; port <= band.last; port++) seen.set(`${protocol} ${port}`, { protocol, port });
    }
  }
  return [...seen.values()];
}

/** An assertion as ends and ports. */
interface Meaning {
  readonly from: readonly Endpoint[];
  readonly to: readonly { readonly endpoint: Endpoint; readonly port: number | undefined }[];
  readonly protocol: Protocol;
}

function meaningOf(engine: Engine, { from, to, protocol, port }: Assertion): Meaning {
  const source = engine.inventory.resolve(from);
  const target = engine.inventory.resolve(to);
  const backends =
    target.kind === "service"
      ? resolveService(engine.world, target.service)
          .filter((one) => one.port.port === port && one.port.protocol === protocol)
          .flatMap((one) => one.backends)
      : [];
  return {
    from: source.kind === "endpoints" ? source.members : [],
    to:
      target.kind === "endpoints"
        ? target.members.map((endpoint) => ({ endpoint, port }))
        : backends.flatMap((backend) => {
            const endpoint =
              backend.kind === "pod" ? engine.inventory.memberOf(backend.workload, backend.pod) : undefined;
            return endpoint === undefined ? [] : [{ endpoint, port: backend.port }];
          }),
    protocol,
  };
}

function covers(meaning: Meaning, from: Unit, to: Unit, protocol: Protocol, port: number): boolean {
  if (meaning.protocol !== protocol) return false;
  return (
    meaning.from.some((end) => isUnit(end, from)) &&
    meaning.to.some((end) => (end.port === undefined || end.port === port) && isUnit(end.endpoint, to))
  );
}

function isUnit(end: Endpoint, unit: Unit): boolean {
  if (end.kind === "pod" && unit.endpoint.kind === "pod") {
    return unit.name === unit.group.name ? end.workload === unit.endpoint.workload : end.pod === unit.endpoint.pod;
  }
  return end === unit.endpoint;
}
