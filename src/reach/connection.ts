/** A connection between two ends: the egress filter of the source, then the ingress filter of the destination. */

import type { Because } from "../base/because.ts";
import { touchesAddress, touchesPod } from "../model/foreign.ts";
import type { ForeignPolicy, World } from "../model/world.ts";
import { flowsEmpty, NO_FLOWS } from "../net/flow-set.ts";
import type { Party } from "../policy/dialect.ts";
import type { Direction } from "../policy/rule.ts";
import { ALL_BOUNDED, type Bounded, boundedIntersect, eitherOf } from "./bounded.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Matching, View } from "./matching.ts";
import { Learning } from "./learning.ts";
import type { Sides } from "./side.ts";
import { type Sight, UNKNOWN_NODE } from "./sight.ts";

/** Whether an end that is a node is, seen from the other end, its own node; both where it is not known. */
function locality(node: Extract<Endpoint, { kind: "node" }>, other: Endpoint): readonly boolean[] {
  if (node.relation === "same") return [true];
  if (node.relation === "other") return [false];
  if (other.kind === "node" && other.relation !== "known") return [other.relation === "same"];
  // Health, ingress and init endpoints exist on every node: which of them is meant is not known.
  const otherNode =
    other.kind === "pod"
      ? other.pod.node
      : other.kind === "node"
        ? other.nodeName
        : other.kind === "reserved" && other.reserved !== "kube-apiserver" && other.reserved !== "unmanaged"
          ? undefined
          : "";
  if (otherNode === "") return [false];
  if (otherNode === undefined || node.nodeName === undefined) return [true, false];
  return [otherNode === node.nodeName];
}

export class Connections {
  readonly matching: Matching;
  readonly sides: Sides;
  readonly learning: Learning;
  private readonly world: World;
  private readonly views = new WeakMap<Endpoint, View>();
  private readonly remoteViews = new WeakMap<Endpoint, View>();

  constructor(matching: Matching, sides: Sides, world: World) {
    this.matching = matching;
    this.sides = sides;
    this.world = world;
    this.learning = new Learning(this, world);
    if (sides.policies.learnsNames !== true) return;
    matching.learns = (subject, name) => this.learning.learns(subject, name);
    matching.observes = (subject) => this.learning.observes(subject);
    matching.lookUps = (subject) => [...new Set(this.learning.lookUps(subject).map(({ origin }) => origin))];
  }

  private view(endpoint: Endpoint, local: boolean): View {
    // Only a node looks different from its own pods and from others.
    const views = endpoint.kind === "node" && !local ? this.remoteViews : this.views;
    let view = views.get(endpoint);
    if (view === undefined) {
      view = this.makeView(endpoint, local);
      views.set(endpoint, view);
    }
    return view;
  }

  private makeView(endpoint: Endpoint, local: boolean): View {
    const party = partyOf(endpoint, local);
    const identity = this.matching.identity(party);
    return { endpoint, party, identity, classId: this.sides.classOf(endpoint, party, identity) };
  }

  /** The class of an end on its own, as `viewOf` has it. */
  classOf(endpoint: Endpoint): number {
    const party = partyOf(endpoint, true);
    return this.sides.classOf(endpoint, party, this.matching.identity(party));
  }

  /** An end on its own, as the subject of its policies. */
  viewOf(endpoint: Endpoint): View {
    return this.view(endpoint, true);
  }

  /** How the two ends can see each other; one sight unless something is unknown. */
  sights(from: Endpoint, to: Endpoint): readonly Sight[] {
    if (from.kind !== "node" && to.kind !== "node") {
      const a = this.view(from, false);
      const b = this.view(to, false);
      return [{ from: a, to: b, fromSelf: a, toSelf: b }];
    }
    const ofFrom = from.kind === "node" ? locality(from, to) : [false];
    const ofTo = to.kind === "node" ? locality(to, from) : [false];
    // One fact decides both: where the ends are two nodes, they are one node or they are not.
    const pairs =
      ofFrom.length === 2 && ofTo.length === 2
        ? ([
            [true, true],
            [false, false],
          ] as const)
        : ofFrom.flatMap((a) => ofTo.map((b) => [a, b] as const));
    const fromSelf = this.view(from, true);
    const toSelf = this.view(to, true);
    return pairs.map(([a, b]) => ({ from: this.view(from, a), to: this.view(to, b), fromSelf, toSelf }));
  }

  /** What one side lets through. */
  side(direction: Direction, from: Endpoint, to: Endpoint): Bounded {
    if (isSelf(from, to)) return ALL_BOUNDED;
    let result: Bounded | undefined;
    for (const sight of this.sights(from, to)) {
      const one =
        direction === "egress"
          ? this.sides.evaluate("egress", sight.fromSelf, sight.to)
          : this.sides.evaluate("ingress", sight.toSelf, sight.from);
      result = result === undefined ? one : eitherOf(result, one, UNKNOWN_NODE);
    }
    return result ?? ALL_BOUNDED;
  }

  /** What passes from one end to the other, both sides together. */
  between(from: Endpoint, to: Endpoint): Bounded {
    if (isSelf(from, to)) return ALL_BOUNDED;
    let result: Bounded | undefined;
    for (const sight of this.sights(from, to)) {
      const sent = this.sides.evaluate("egress", sight.fromSelf, sight.to);
      const one = flowsEmpty(sent.may)
        ? sent
        : boundedIntersect(sent, this.sides.evaluate("ingress", sight.toSelf, sight.from));
      result = result === undefined ? one : eitherOf(result, one, UNKNOWN_NODE);
    }
    const answer = result ?? ALL_BOUNDED;
    const foreign = this.foreign(from, to);
    return foreign.length === 0 ? answer : { must: NO_FLOWS, may: answer.may, because: foreign };
  }

  /** Policies of other systems that may narrow traffic of either end (design: they make what they touch unsure). */
  foreign(from: Endpoint, to: Endpoint): readonly Because[] {
    if (this.world.foreign.length === 0) return [];
    return this.world.foreign
      .filter((f) => touches(f, to) || (f.scope.kind !== "addresses" && touches(f, from)))
      .map((f) => ({
        code: "foreign-policy",
        detail: `${f.kind}/${f.namespace === undefined ? "" : `${f.namespace}/`}${f.name}`,
      }));
  }
}

function partyOf(endpoint: Endpoint, local: boolean): Party {
  switch (endpoint.kind) {
    case "pod":
      return { kind: "pod", workload: endpoint.workload, pod: endpoint.pod };
    case "node":
      return { kind: "node", node: endpoint.node, local };
    case "outside":
      return { kind: "outside", family: endpoint.range.family };
    case "name":
      return { kind: "outside", family: endpoint.family };
    case "reserved":
      return { kind: "reserved", name: endpoint.reserved };
  }
}

/** Whether the policy may narrow what the end sends or receives. */
function touches(policy: ForeignPolicy, end: Endpoint): boolean {
  if (end.kind === "pod") return touchesPod(policy.scope, end.workload.namespace, end.pod.labels) !== "no";
  const { scope } = policy;
  if (end.kind === "name") return end.address !== undefined && touchesAddress(scope, end.address);
  return end.kind === "outside" && touchesAddress(scope, { family: end.range.family, value: end.range.first });
}

/** A pod that talks to itself: no policy applies (kubernetes.md K8-43, cilium.md R8.6). */
export function isSelf(from: Endpoint, to: Endpoint): boolean {
  if (from.kind === "pod" && to.kind === "pod") {
    return from.pod === to.pod && (from.pod.real || from.workload.kind === "Pod");
  }
  if (from.kind !== "node" || to.kind !== "node") return false;
  // `host` is the node of the other end.
  if (from.relation === "same" || to.relation === "same") return from.relation !== "other" && to.relation !== "other";
  return from.nodeName !== undefined && from.nodeName === to.nodeName;
}
