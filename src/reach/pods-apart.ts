/** Pods that a selector seems to mean and that policies never reach: those of the host's network, and those not in the input. */
import type { Ternary } from "../base/ternary.ts";
import { type Diagnostic, diagnostic } from "../base/diagnostic.ts";
import type { Workload } from "../model/world.ts";
import type { Policy, Selector } from "../policy/rule.ts";
import { matchesSelector } from "../policy/selector.ts";
import type { Engine } from "./engine.ts";

/** Names in a message. */
const MOST_NAMES = 3;

/** Whether a selector may mean pods that a custom object makes and the input does not have (BH318). */
export function meansAbsentPods(engine: Engine, selector: Selector): boolean {
  return engine.world.podMakers.some(({ workload }) => selects(engine, selector, workload) !== "no");
}

/** BH163: the policy seems to select pods of the host's network, to which no policy on pods applies. */
export function hostNetworkFinding(engine: Engine, policy: Policy): Diagnostic | undefined {
  const { document, subject } = policy;
  if (document === undefined || subject.target !== "endpoint") return undefined;
  const met = engine.inventory.groups
    .filter(({ members }) => members[0]?.kind === "node")
    .filter(({ workload }) => selects(engine, subject.selector, workload) === "yes")
    .map(({ name }) => name);
  if (met.length === 0) return undefined;
  const names =
    met.length <= MOST_NAMES + 1
      ? met.join(", ")
      : `${met.slice(0, MOST_NAMES).join(", ")} and ${met.length - MOST_NAMES} more`;
  const object = policy.namespace === undefined ? policy.name : `${policy.namespace}/${policy.name}`;
  return diagnostic(
    "BH163",
    `${policy.kind} ${object} does not apply to ${names}: the host's network is no pod's`,
    document.locate(policy.path.length > 1 ? policy.path : ["kind"], { key: true }),
  );
}

function selects({ world, options }: Engine, selector: Selector, workload: Workload): Ternary {
  const [pod] = workload.pods;
  if (pod === undefined) return "no";
  return matchesSelector(selector, options.dialect.identify({ kind: "pod", workload, pod }, world));
}
