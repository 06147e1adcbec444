/** `impact -o json`. */
import type { Impact, Step, WayTo } from "../questions/impact.ts";
import { flowJson } from "./flow-json.ts";
import { type ImpactReport, reductionOf } from "./impact-report.ts";
import { diagnosticJson, list } from "./reach-json.ts";

export function* impactJson(report: ImpactReport): Iterable<string> {
  yield `{\n  "schemaVersion": 1,\n  "dialect": ${JSON.stringify(report.dialect)},\n  "complete": ${report.complete},\n`;
  yield `  "endpoints": ${report.endpoints},\n  "declaredPortsOnly": ${report.declared},\n`;
  if (report.summary !== undefined) yield `  "summary": ${JSON.stringify(report.summary)},\n`;
  if (report.ways !== undefined) {
    yield `  "to": ${JSON.stringify(report.ways.to)},\n`;
    yield* list("ways", report.ways.found, ({ from, ways }) => ({ from, ways: ways.map(wayJson) }));
    yield ",\n";
  }
  yield* list("impacts", report.impacts, impactObject);
  yield ",\n";
  yield* list("diagnostics", report.diagnostics, diagnosticJson);
  yield "\n}\n";
}

function impactObject(impact: Impact): unknown {
  return {
    endpoint: impact.endpoint,
    application: impact.application,
    reached: impact.steps.length,
    unsure: impact.possible.length,
    withoutPolicies: impact.without,
    reductionPercent: reductionOf(impact),
    applications: impact.applications,
    internet: impact.internet,
    steps: impact.steps.map(stepJson),
    possible: impact.possible.map(stepJson),
  };
}

function wayJson(way: WayTo): unknown {
  return { certain: way.certain, steps: way.steps.map(stepJson) };
}

function stepJson(step: Step): unknown {
  return {
    from: step.from,
    to: step.to,
    distance: step.distance,
    flows: step.flows.map(flowJson),
    narrowed: step.narrowed,
    ...(step.because.length === 0 ? {} : { because: step.because }),
  };
}
