/** Rules for requests one by one: which match a request, and on what the others fail. */
import { type Ternary, ternaryOr } from "../base/ternary.ts";
import type { Path } from "../documents/document.ts";
import { applicationOf, explainRequest, type Request, type RequestFailure } from "../net/application.ts";
import type { HttpRule, Traffic } from "../policy/rule.ts";

/** One HTTP rule of a list, held against a request. */
export interface RequestRule {
  readonly rule: HttpRule;
  /** Where it stands in the document of its policy. */
  readonly at: Path;
  readonly verdict: Ternary;
  /** The demands that the request does not meet, or only maybe; none where the verdict is "yes". */
  readonly failures: readonly RequestFailure[];
}

/** The HTTP rules of some items, in the order in which they stand; none where no item judges requests. */
export function requestRules(items: readonly Traffic[], request: Request): readonly RequestRule[] {
  return items.flatMap(({ application = [] }) =>
    application.flatMap((list) => (list.kind === "http" ? list.rules.map((rule) => held(rule, request)) : [])),
  );
}

function held(rule: HttpRule, request: Request): RequestRule {
  const clauses = explainRequest(applicationOf([{ kind: "http", rules: [rule] }]), request);
  return {
    rule,
    at: rule.at,
    verdict: clauses.reduce<Ternary>((all, { verdict }) => ternaryOr(all, verdict), "no"),
    failures: clauses.flatMap(({ failures }) => failures),
  };
}
