/** A pod that reaches itself through a Service: what its policies are to it differs by network (kubernetes.md K8-44, CNP-24; cilium.md R8.6). */
import type { Because } from "../base/because.ts";
import type { Policy, PolicySet } from "../policy/rule.ts";
import type { HairpinReading } from "../policy/service-traits.ts";
import { ALL_BOUNDED, type Bounded, boundedIntersect, eitherOf } from "./bounded.ts";
import type { Connections } from "./connection.ts";
import type { Endpoint } from "./endpoint.ts";
import { Sides } from "./side.ts";

export class Hairpins {
  /** The readings that hold, of which which one is not known; a single one where it is. */
  readonly readings: readonly HairpinReading[];
  private readonly connections: Connections;
  private readonly policies: PolicySet;
  private readonly variants = new Map<HairpinReading, Sides>();

  constructor(connections: Connections, policies: PolicySet) {
    this.connections = connections;
    this.policies = policies;
    this.readings = policies.services?.hairpin ?? ["all"];
  }

  /** What passes from the pod to itself. */
  bounds(pod: Endpoint): Bounded {
    let result: Bounded | undefined;
    for (const reading of this.readings) {
      const one = this.read(reading, pod);
      result = result === undefined ? one : eitherOf(result, one, this.because(pod));
    }
    return result ?? ALL_BOUNDED;
  }

  because(pod: Endpoint): readonly Because[] {
    return [{ code: "undefined-by-specification", detail: `${pod.name} reaches itself through a Service` }];
  }

  private read(reading: HairpinReading, pod: Endpoint): Bounded {
    if (reading === "none") return ALL_BOUNDED;
    const sides = this.sides(reading);
    const view = this.connections.viewOf(pod);
    return boundedIntersect(sides.evaluate("egress", view, view), sides.evaluate("ingress", view, view));
  }

  private sides(reading: HairpinReading): Sides {
    if (reading === "all") return this.connections.sides;
    let sides = this.variants.get(reading);
    if (sides === undefined) {
      const { matching } = this.connections;
      sides = new Sides(matching, variantOf(this.policies, reading));
      this.variants.set(reading, sides);
    }
    return sides;
  }
}

/** The policies that a reading leaves. */
function variantOf(set: PolicySet, reading: Exclude<HairpinReading, "all">): PolicySet {
  if (reading === "none") return { ...set, policies: [], enforcement: "never" };
  if (reading === "denies") {
    return {
      ...set,
      policies: set.policies.map(deniesOf),
      enforcement: set.enforcement === "never" ? "never" : "default",
      alwaysClosed: [],
      alwaysAllowed: [],
    };
  }
  return { ...set, policies: set.policies.filter((policy) => policy.tier !== reading.without) };
}

/** The denies of a policy alone: nothing is closed by default, and nothing needs an allow. */
function deniesOf(policy: Policy): Policy {
  return {
    ...policy,
    isolation: { ingress: "open", egress: "open" },
    rules: policy.rules.filter((rule) => rule.action === "deny"),
  };
}
