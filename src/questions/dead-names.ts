/**
 * DNS names that a policy allows and that nobody can learn: no look-up of them passes a DNS rule, so the network never
 * knows their addresses and allows nothing (cilium.md R7.3.1).
 */
import {
  type Application,
  applicationIntersect,
  applicationIsEmpty,
  applicationOf,
  applicationWitness,
} from "../net/application.ts";
import type { NamePattern, Origin } from "../policy/rule.ts";
import type { Endpoint } from "../reach/endpoint.ts";
import type { Engine } from "../reach/engine.ts";
import type { View } from "../reach/matching.ts";
import { unitsOf } from "./network.ts";

/** Names of one rule that are dead for one end. */
export interface DeadNames {
  readonly endpoint: Endpoint;
  /** `ns/Kind/name`. */
  readonly unit: string;
  /** The rule that allows them. */
  readonly rule: Origin;
  /** As the rule writes them. */
  readonly names: readonly string[];
  /** The rules that observe look-ups of the end, and let none of the names pass; none: nothing observes them. */
  readonly lookUps: readonly Origin[];
}

/** Every dead name of the input, by rule and end. What is not certain is left out. */
export function deadNames(engine: Engine): readonly DeadNames[] {
  const { policies, connections } = engine;
  const hasNames = policies.policies.some(({ rules }) => rules.some((rule) => namesOf(rule.peers).length > 0));
  if (!hasNames) return [];
  return unitsOf(engine).flatMap((unit) => {
    const self = connections.viewOf(unit.endpoint);
    const { selections } = connections.sides.subject(self);
    return selections
      .filter(({ selects }) => selects === "yes")
      .flatMap(({ policy }) => policy.rules)
      .flatMap((rule): readonly DeadNames[] => {
        const names = namesOf(rule.peers).filter((name) => isDead(engine, self, name));
        if (names.length === 0) return [];
        const lookUps = [...new Set(connections.learning.lookUps(self).map(({ origin }) => origin))];
        const texts = names.map(({ text }) => text);
        return [{ endpoint: unit.endpoint, unit: unit.name, rule: rule.origin, names: texts, lookUps }];
      });
  });
}

type Peers = Engine["policies"]["policies"][number]["rules"][number]["peers"];

function namesOf(peers: Peers): readonly NamePattern[] {
  return peers.flatMap((peer) => (peer.kind === "names" ? peer.names : []));
}

/** Whether certainly no look-up of any name of the pattern teaches anything. */
function isDead({ connections: { learning } }: Engine, self: View, name: NamePattern): boolean {
  if (!name.text.includes("*"))
    return learning.learns(self, `${name.text.toLowerCase().replace(/\.$/, "")}.`).answer === "no";
  const lists = learning.lookUps(self);
  if (lists.length === 0) return true;
  const meant: Application = applicationOf([{ kind: "dns", names: [name] }]);
  // Where the lists are lifted, any name of the pattern is learned.
  const witness = applicationWitness(meant)?.dns?.name;
  if (witness === undefined || learning.learns(self, `${witness.replace(/\.$/, "")}.`).answer !== "no") return false;
  return lists.every(({ application }) => applicationIsEmpty(applicationIntersect(meant, application)) === "yes");
}
