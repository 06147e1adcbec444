/** `why -o json`. */
import { decidedJson, hopJson } from "./hop-json.ts";
import { northSouthJson } from "./north-south.ts";
import { diagnosticJson } from "./reach-json.ts";
import { decidedBy, pathsOf, type WhyReport } from "./why-report.ts";

export function* whyJson(report: WhyReport): Iterable<string> {
  const { question, answer } = report;
  const value = {
    schemaVersion: 1,
    dialect: report.dialect,
    complete: report.complete,
    question: {
      from: question.from,
      to: question.to,
      protocol: question.protocol,
      port: question.port ?? null,
      http: report.http ?? null,
    },
    verdict: answer.verdict,
    httpLimited: answer.applicationLimited,
    because: answer.because,
    problem: answer.problem ?? null,
    decidedBy: decidedBy(answer).map(decidedJson),
    ...(answer.stops === undefined ? {} : { stops: answer.stops.map(hopJson) }),
    paths: [
      ...pathsOf(answer).map(({ family, pair }) => ({
        from: pair.from.name,
        to: pair.to.name,
        family,
        protocol: pair.protocol,
        port: pair.port,
        verdict: pair.verdict,
        httpLimited: pair.applicationLimited,
        because: pair.because,
        hops: pair.hops.map(hopJson),
      })),
      ...(report.paths ?? []).map(northSouthJson),
    ],
    diagnostics: report.diagnostics.map(diagnosticJson),
  };
  yield `${JSON.stringify(value, null, 2)}\n`;
}
