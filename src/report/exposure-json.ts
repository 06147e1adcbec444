/** `exposure -o json`. */
import type { Closer, Exposed, WayIn, WayOut } from "../questions/exposure.ts";
import { applicationOf, closersOfWay, type ExposureReport } from "./exposure-report.ts";
import { policyPlace, ruleName, rulePlace, objectName } from "./origin.ts";
import { diagnosticJson, list } from "./reach-json.ts";
import { flowJson } from "./flow-json.ts";
import { applicationOfRequests } from "./flow-json.ts";

export function* exposureJson(report: ExposureReport): Iterable<string> {
  yield `{\n  "schemaVersion": 1,\n  "dialect": ${JSON.stringify(report.dialect)},\n  "complete": ${report.complete},\n`;
  yield `  "summary": ${JSON.stringify(report.exposure.counts)},\n`;
  if (report.baseline !== undefined) yield `  "withoutPolicies": ${JSON.stringify(report.baseline)},\n`;
  yield* list("endpoints", report.exposure.endpoints, endpointJson);
  yield ",\n";
  yield* list("diagnostics", report.diagnostics, diagnosticJson);
  yield "\n}\n";
}

function endpointJson(one: Exposed): unknown {
  return {
    name: one.unit.name,
    application: applicationOf(one),
    replicas: one.unit.replicas,
    in: one.waysIn.map((way) => wayInJson(one, way)),
    out: one.waysOut.map((way) => wayOutJson(one, way)),
  };
}

function wayInJson(one: Exposed, way: WayIn): unknown {
  return {
    way: way.way,
    from: way.from,
    dialled: way.dialled ?? null,
    through: way.through ?? null,
    verdict: way.verdict,
    ...(way.because.length === 0 ? {} : { because: way.because }),
    ...(way.port === undefined ? {} : { protocol: way.port.protocol, port: way.port.port }),
    ...(way.requests === undefined
      ? { flows: way.flows.map(flowJson) }
      : { requests: applicationOfRequests(way.requests.must) }),
    toClose: closersOfWay(way, one.unit),
    decidedBy: way.closers.flatMap(closerJson),
  };
}

function wayOutJson(one: Exposed, way: WayOut): unknown {
  return {
    to: way.to,
    ...(way.through === undefined ? {} : { through: way.through }),
    verdict: way.verdict,
    ...(way.because.length === 0 ? {} : { because: way.because }),
    flows: way.flows.map(flowJson),
    toClose: closersOfWay(way, one.unit),
    decidedBy: way.closers.flatMap(closerJson),
  };
}

function closerJson({ direction, at, reason, origins, isolatedBy }: Closer): readonly unknown[] {
  if (reason === "default-deny" && isolatedBy.length > 0) {
    return isolatedBy.map((policy) => ({ direction, at, reason, object: objectName(policy), ...policyPlace(policy) }));
  }
  if (origins.length === 0) return [{ direction, at, reason }];
  return origins.map((origin) => ({ direction, at, reason, object: ruleName(origin), ...rulePlace(origin) }));
}
