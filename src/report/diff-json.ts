/** `diff -o json`. */
import type { ChangedPolicy, PairChange } from "../questions/diff.ts";
import type { DiffReport } from "./diff-report.ts";
import { flowJson } from "./flow-json.ts";
import { objectName, placeOf, policyPlace, ruleName, rulePlace } from "./origin.ts";
import { list } from "./reach-json.ts";

export function* diffJson(report: DiffReport): Iterable<string> {
  const { diff } = report;
  yield `{\n  "schemaVersion": 1,\n  "old": ${JSON.stringify(report.old)},\n  "new": ${JSON.stringify(report.next)},\n  "complete": ${report.complete},\n`;
  yield `  "summary": ${JSON.stringify(diff.counts)},\n`;
  yield `  "endpoints": ${JSON.stringify({ added: diff.appeared, removed: diff.disappeared })},\n`;
  yield* list("policies", diff.policies, policyJson);
  yield ",\n";
  yield* list("changes", diff.changes, changeJson);
  yield "\n}\n";
}

function policyJson(policy: ChangedPolicy): unknown {
  return { change: policy.change, object: objectName(policy), ...placeOf(policy.document, ["kind"]) };
}

function changeJson(change: PairChange): unknown {
  return {
    type: change.type,
    from: change.from,
    to: change.to,
    gained: change.gained.map(flowJson),
    lost: change.lost.map(flowJson),
    unsure: change.unsure.map(flowJson),
    ...(change.because.length === 0 ? {} : { because: change.because }),
    before: change.before.map(flowJson),
    after: change.after.map(flowJson),
    by: change.by.map(policyJson),
    decidedBy: change.causes.flatMap((cause): readonly unknown[] => {
      const common = { in: cause.in, reason: cause.reason };
      if (cause.reason === "default-deny") {
        return cause.isolatedBy.map((policy) => ({ ...common, object: objectName(policy), ...policyPlace(policy) }));
      }
      if (cause.origins.length === 0) return [common];
      return cause.origins.map((origin) => ({ ...common, object: ruleName(origin), ...rulePlace(origin) }));
    }),
  };
}
