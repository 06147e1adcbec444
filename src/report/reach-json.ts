/** `reach -o json`, in the form that scripts rely on, a pair at a time. */
import type { Diagnostic } from "../base/diagnostic.ts";
import type { DeadNames } from "../questions/dead-names.ts";
import type { FlowEntry } from "../reach/flow-list.ts";
import type { ReachPair } from "../reach/reach.ts";
import { edgeJson } from "./north-south.ts";
import { originJson } from "./origin.ts";
import {
  applicationOfEntry,
  decidersJson,
  identityText,
  labelsJson,
  type ReachReport,
  type ReportRow,
  replicasOf,
} from "./reach-report.ts";

/** Writes the answer in pieces; together they are one JSON object. */
export function* reachJson(report: ReachReport): Iterable<string> {
  yield `{\n  "schemaVersion": 1,\n  "dialect": ${JSON.stringify(report.dialect)},\n  "complete": ${report.complete},\n`;
  yield* list("endpoints", report.rows, rowJson);
  yield ",\n";
  yield* list("connections", report.pairs, (pair) => pairJson(pair, report.provenance));
  yield ",\n";
  if (report.paths !== undefined) {
    yield* list("paths", report.paths, (path) => edgeJson(path, report.provenance));
    yield ",\n";
  }
  if (report.deadNames !== undefined && report.deadNames.length > 0) {
    yield* list("deadNames", report.deadNames, deadJson);
    yield ",\n";
  }
  yield* list("diagnostics", report.diagnostics, diagnosticJson);
  yield "\n}\n";
}

/** A list, an item a line, so that two answers can be compared line by line. */
export function* list<T>(key: string, items: Iterable<T>, write: (item: T) => unknown): Iterable<string> {
  yield `  ${JSON.stringify(key)}: [`;
  let first = true;
  for (const item of items) {
    yield `${first ? "" : ","}\n    ${JSON.stringify(write(item))}`;
    first = false;
  }
  yield first ? "]" : "\n  ]";
}

export function deadJson({ unit, names, rule, lookUps }: DeadNames): unknown {
  return { endpoint: unit, names, rule: originJson(rule), lookUps: lookUps.map(originJson) };
}

export function rowJson({ row, identity }: ReportRow): unknown {
  const [member] = row.members;
  const labels = row.members.length === 1 && member?.kind === "pod" ? member.pod.labels : undefined;
  return {
    name: row.name,
    kind: row.kind,
    labels: labelsJson(row.labels ?? labels),
    replicas: replicasOf(row),
    ...(identity === undefined ? {} : { identity: identityText(identity) }),
  };
}

export function pairJson(pair: ReachPair, provenance: boolean): unknown {
  return {
    from: pair.from,
    to: pair.to,
    allow: pair.allow.map((entry) => ({
      ...flowJson(entry),
      ...(provenance ? { decidedBy: decidersJson(entry.deciders) } : {}),
    })),
    unsure: pair.unsure.map((entry) => ({ ...flowJson(entry), because: entry.because })),
    ...(pair.mixed.length === 0 ? {} : { mixed: pair.mixed.map(flowJson) }),
  };
}

function flowJson(entry: FlowEntry): Record<string, unknown> {
  return {
    family: entry.family,
    protocol: entry.protocol,
    ports: entry.ports,
    ...(entry.icmp === undefined ? {} : { icmp: entry.icmp }),
    http: applicationOfEntry(entry) ?? null,
  };
}

/** A finding without what is absent. */
export function diagnosticJson(finding: Diagnostic): unknown {
  const { severity, code, message, file, line, column, help } = finding;
  return { severity, code, message, file, line, column, help };
}
