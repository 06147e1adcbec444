/**
 * What a change of the input does: connections gained and lost, by pair, each with the policies that did it. Compared by
 * meaning, so renames and reorderings that change nothing give nothing.
 */
import { type Because, mergeBecause } from "../base/because.ts";
import type { Document } from "../documents/document.ts";
import {
  type AddressRange,
  type AddressSet,
  addressIntersect,
  FAMILIES,
  type Family,
  formatRange,
} from "../net/address.ts";
import { EVERYTHING } from "../net/application.ts";
import {
  BUCKETS,
  type FlowSet,
  flowIntersect,
  flowsEmpty,
  flowsEqual,
  flowUnion,
  NO_FLOWS,
  overrideApplication,
} from "../net/flow-set.ts";
import type { Origin, Policy } from "../policy/rule.ts";
import { type Bounded, boundedUnion } from "../reach/bounded.ts";
import { type Endpoint, endpointFamilies } from "../reach/endpoint.ts";
import type { Engine } from "../reach/engine.ts";
import { explainSide, type FlowPoint, type Reason } from "../reach/explain.ts";
import { type FlowEntry, listFlows } from "../reach/flow-list.ts";
import {
  difference,
  familyFreeKey,
  joinedRanges,
  openness,
  passing,
  sharedFamilies,
  type Unit,
  unitsOf,
} from "./network.ts";

/** A policy object that one of the two inputs has and the other does not have so. */
export interface ChangedPolicy {
  readonly change: "added" | "removed" | "changed";
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  /** Where it stands: in the new input, for what was removed in the old one. */
  readonly document: Document;
}

/** What decided, in the old or the new input. */
export interface Cause {
  readonly in: "old" | "new";
  readonly reason: Reason;
  readonly origins: readonly Origin[];
  readonly isolatedBy: readonly Policy[];
}

export interface PairChange {
  /** `added`: nothing passed before; `removed`: nothing passes any more. Judged by what may pass. */
  readonly type: "added" | "removed" | "changed";
  readonly from: string;
  readonly to: string;
  /** Certainly did not pass, and certainly passes. */
  readonly gained: readonly FlowEntry[];
  /** Certainly passed, and certainly does not. */
  readonly lost: readonly FlowEntry[];
  /** Passes in another way than before, and one of the two is not sure. */
  readonly unsure: readonly FlowEntry[];
  readonly because: readonly Because[];
  /** Everything that passes on the ports that changed, before and after. */
  readonly before: readonly FlowEntry[];
  readonly after: readonly FlowEntry[];
  /** The policy objects that did it: those that changed and decide here, as far as they can be told. */
  readonly by: readonly ChangedPolicy[];
  readonly causes: readonly Cause[];
}

export interface Diff {
  readonly changes: readonly PairChange[];
  /** Endpoints that only one of the two inputs has. */
  readonly appeared: readonly string[];
  readonly disappeared: readonly string[];
  readonly policies: readonly ChangedPolicy[];
  readonly counts: {
    readonly added: number;
    readonly removed: number;
    readonly changed: number;
    /** Pairs of which nothing is certainly gained or lost; they are not among the three before. */
    readonly unsure: number;
    /** Ordered pairs of endpoints, what is outside included, of which at least one input has both ends. */
    readonly pairs: number;
  };
}

/** One side of the comparison. */
export interface Version {
  readonly engine: Engine;
  readonly documents: readonly Document[];
}

/** Compares two inputs, or one input as two networks read it. */
export function diff(old: Version, next: Version): Diff {
  const ends = pairedEnds(old.engine, next.engine);
  const policies = changedPolicies(old, next);
  const changes: PairChange[] = [];
  let pairs = 0;
  const compare = (from: End, to: End): void => {
    if (from === to && !isSeveral(from)) return;
    pairs++;
    const before = between(old.engine, from.old, to.old);
    const after = between(next.engine, from.next, to.next);
    const change = changeOf(before, after, from, to, familiesOf(from, to));
    if (change !== undefined) changes.push(pairChange(change, attribution(old, next, policies, from, to, change)));
  };
  for (const from of ends.inside) {
    for (const to of ends.inside) compare(from, to);
    for (const to of ends.reserved) compare(from, to);
  }
  for (const from of ends.reserved) for (const to of ends.inside) compare(from, to);
  const outside = new OutsideDiff(old, next, policies, ends.outside);
  for (const end of ends.inside) {
    pairs += 2;
    changes.push(...outside.changes(end, "to"), ...outside.changes(end, "from"));
  }
  const only = (side: "old" | "next"): string[] =>
    ends.inside.filter((end) => end[side === "old" ? "next" : "old"] === undefined).map((end) => end.name);
  return {
    changes,
    appeared: only("next"),
    disappeared: only("old"),
    policies,
    counts: countsOfChanges(changes, pairs),
  };
}

/** Counts changes by type, of so many pairs. */
export function countsOfChanges(changes: readonly PairChange[], pairs: number): Diff["counts"] {
  const certain = changes.filter((change) => change.gained.length + change.lost.length > 0);
  const count = (type: PairChange["type"]): number => certain.filter((change) => change.type === type).length;
  return {
    added: count("added"),
    removed: count("removed"),
    changed: count("changed"),
    unsure: changes.length - certain.length,
    pairs,
  };
}

// ── ends ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** One end as both inputs know it; absent where one of them does not have it. */
interface End {
  readonly name: string;
  readonly old: Endpoint | undefined;
  readonly next: Endpoint | undefined;
  readonly replicas: number;
}

function isSeveral(end: End): boolean {
  const [a] = [end.next ?? end.old];
  return a?.kind === "pod" && !a.pod.real && a.workload.kind !== "Pod" && end.replicas !== 1;
}

/** Names of the contract for what is neither pod nor outside. */
const RESERVED = ["host", "remote-node", "kube-apiserver", "ingress-controller"] as const;

function pairedEnds(
  old: Engine,
  next: Engine,
): { readonly inside: readonly End[]; readonly reserved: readonly End[]; readonly outside: readonly End[] } {
  const first = [unitsOf(old), unitsOf(next)] as const;
  const apart = new Set(first.flat().flatMap((unit) => (unit.name === unit.group.name ? [] : [unit.group.name])));
  const [a, b] = [byName(unitsOf(old, apart)), byName(unitsOf(next, apart))];
  const inside = [...new Set([...a.keys(), ...b.keys()])].map((name): End => {
    const [x, y] = [a.get(name), b.get(name)];
    return { name, old: x?.endpoint, next: y?.endpoint, replicas: (y ?? x)?.replicas ?? 1 };
  });
  const reserved = RESERVED.flatMap((name): readonly End[] => {
    const [x, y] = [only(old, name), only(next, name)];
    // A controller that is pods of the input is among them already.
    const isNode = (end: Endpoint | undefined): boolean => end?.kind === "node" || end?.kind === "reserved";
    return isNode(x) && isNode(y) ? [{ name, old: x, next: y, replicas: 1 }] : [];
  });
  const both = commonOutside(old, next);
  return { inside, reserved, outside: both };
}

function byName(units: readonly Unit[]): ReadonlyMap<string, Unit> {
  return new Map(units.map((unit) => [unit.name, unit]));
}

function only(engine: Engine, name: string): Endpoint | undefined {
  const resolved = engine.inventory.resolve(name);
  return resolved.kind === "endpoints" && resolved.members.length === 1 ? resolved.members[0] : undefined;
}

/** What is outside for both, cut where a rule of either begins or ends, and the names that rules of either name. */
function commonOutside(old: Engine, next: Engine): readonly End[] {
  const shared: AddressSet = addressIntersect(old.inventory.internet(), next.inventory.internet());
  const pieces = old.inventory.outside(shared).flatMap((end) => {
    return end.kind === "outside" ? next.inventory.outside([end.range]) : [];
  });
  const ranges = pieces.map((end): End => ({ name: end.name, old: end, next: end, replicas: 1 }));
  const names = new Set([old, next].flatMap(literalNames));
  const named = [...names].sort().flatMap((text): readonly End[] => {
    const name = `fqdn:${text}`;
    const ends = [old, next].map((engine) => engine.inventory.resolve(name));
    const [x, y] = ends.map((one) => (one.kind === "endpoints" ? one.members[0] : undefined));
    return x === undefined || y === undefined ? [] : [{ name, old: x, next: y, replicas: 1 }];
  });
  return [...ranges, ...named];
}

/** DNS names without a wildcard that rules name. */
export function literalNames(engine: Engine): readonly string[] {
  return engine.policies.policies.flatMap((policy) =>
    policy.rules.flatMap((rule) =>
      rule.peers.flatMap((peer) =>
        peer.kind === "names" ? peer.names.filter((n) => !n.text.includes("*")).map((n) => n.text) : [],
      ),
    ),
  );
}

function between(engine: Engine, from: Endpoint | undefined, to: Endpoint | undefined): Bounded {
  if (from === undefined || to === undefined) return { must: NO_FLOWS, may: NO_FLOWS, because: [] };
  return passing(engine, from, to);
}

// ── what changed between two ends ──────────────────────────────────────────────────────────────────────────────────

export type Change = Omit<PairChange, "by" | "causes"> & { readonly gainedFlows: FlowSet; readonly lostFlows: FlowSet };

/** What changed between two ends of which `families` are shared; undefined where nothing did. */
export function changeOf(
  before: Bounded,
  after: Bounded,
  from: { readonly name: string },
  to: { readonly name: string },
  families: readonly Family[],
): Change | undefined {
  if (flowsEqual(before.must, after.must) && flowsEqual(before.may, after.may)) return undefined;
  const gained = difference(after.must, before.may);
  const lost = difference(before.must, after.may);
  // What is unsure on one side and anything else on the other.
  const [oldUnsure, newUnsure] = [difference(before.may, before.must), difference(after.may, after.must)];
  const unsure = flowUnion(
    flowUnion(flowIntersect(oldUnsure, after.must), difference(oldUnsure, after.may)),
    flowUnion(flowIntersect(newUnsure, before.must), difference(newUnsure, before.may)),
  );
  const all = flowUnion(flowUnion(gained, lost), unsure);
  if (flowsEmpty(all)) return undefined;
  const where = (set: FlowSet): readonly FlowEntry[] => listFlows(within(set, all), families);
  const list = (set: FlowSet): readonly FlowEntry[] => listFlows(set, families);
  return {
    type: typeOf(before, after),
    from: from.name,
    to: to.name,
    gained: list(gained),
    lost: list(lost),
    unsure: list(unsure),
    because: flowsEmpty(unsure) ? [] : mergeBecause(before.because, after.because),
    before: where(before.may),
    after: where(after.may),
    gainedFlows: gained,
    lostFlows: lost,
  };
}

/** Judged by connections: what has no ports is neither connected nor cut off. */
function typeOf(before: Bounded, after: Bounded): PairChange["type"] {
  const [was, is] = [openness(before).verdict !== "deny", openness(after).verdict !== "deny"];
  if (was === is) return "changed";
  return is ? "added" : "removed";
}

function familiesOf(from: End, to: End): readonly Family[] {
  const [a, b] = [from.next ?? from.old, to.next ?? to.old];
  const shared = a === undefined || b === undefined ? [] : sharedFamilies(a, b);
  return shared.length > 0 ? shared : ["IPv4", "IPv6"];
}

/** The flows of a set on the ports of another, whatever stands above the port. */
function within(set: FlowSet, where: FlowSet): FlowSet {
  return flowIntersect(set, overrideApplication(where, where, EVERYTHING));
}

/** A change with what did it. */
export function pairChange(change: Change, cause: Pick<PairChange, "by" | "causes">): PairChange {
  const { gainedFlows: _, lostFlows: __, ...rest } = change;
  return { ...rest, ...cause };
}

// ── who did it ─────────────────────────────────────────────────────────────────────────────────────────────────────

function attribution(
  old: Version,
  next: Version,
  policies: readonly ChangedPolicy[],
  from: End,
  to: End,
  change: Change,
): { readonly by: readonly ChangedPolicy[]; readonly causes: readonly Cause[] } {
  const causes: Cause[] = [];
  for (const flows of [change.gainedFlows, change.lostFlows]) {
    const point = samplePoint(flows);
    if (point === undefined) continue;
    causes.push(...causesOf("old", old.engine, from.old, to.old, point));
    causes.push(...causesOf("new", next.engine, from.next, to.next, point));
  }
  const touched = new Set(
    causes.flatMap((cause) => [
      ...cause.origins.map((origin) => objectKey(cause.in, origin)),
      ...cause.isolatedBy.map((policy) => objectKey(cause.in, policy)),
    ]),
  );
  const by = policies.filter((policy) => {
    const sides = policy.change === "added" ? ["new"] : policy.change === "removed" ? ["old"] : ["old", "new"];
    return sides.some((side) => touched.has(objectKey(side, policy)));
  });
  return { by, causes };
}

function objectKey(
  side: string,
  object: { readonly kind: string; readonly namespace?: string; readonly name: string },
): string {
  return `${side} ${object.kind}/${object.namespace ?? ""}/${object.name}`;
}

function causesOf(
  side: "old" | "new",
  engine: Engine,
  from: Endpoint | undefined,
  to: Endpoint | undefined,
  point: FlowPoint,
): readonly Cause[] {
  if (from === undefined || to === undefined) return [];
  const [sight] = engine.connections.sights(from, to);
  if (sight === undefined) return [];
  const { sides } = engine.connections;
  return [
    explainSide(sides, "egress", sight.fromSelf, sight.to, point),
    explainSide(sides, "ingress", sight.toSelf, sight.from, point),
  ].map(({ reason, deciders, isolatedBy }) => ({ in: side, reason, origins: deciders, isolatedBy }));
}

/** One flow of a set: the first. */
export function samplePoint(set: FlowSet): FlowPoint | undefined {
  for (const bucket of BUCKETS) {
    const [band] = set[bucket.index] ?? [];
    if (band !== undefined) return { family: bucket.family, protocol: bucket.protocol, port: band.first };
  }
  return undefined;
}

/** Policy objects that differ: by kind, namespace and name, then by what they say. */
function changedPolicies(old: Version, next: Version): readonly ChangedPolicy[] {
  const objects = ({ engine, documents }: Version): ReadonlyMap<string, Document> => {
    const { dialect, world } = { dialect: engine.options.dialect, world: engine.world };
    return new Map(
      documents
        .filter((one) => dialect.enforces(one.apiVersion, one.kind))
        .map((one) => [`${one.kind}/${one.namespace ?? world.defaultNamespace}/${one.name}`, one]),
    );
  };
  const [a, b] = [objects(old), objects(next)];
  const out: ChangedPolicy[] = [];
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    const [x, y] = [a.get(key), b.get(key)];
    const document = y ?? x;
    if (document === undefined) continue;
    if (x !== undefined && y !== undefined && said(x) === said(y)) continue;
    const namespace = namespaceOf(document, y === undefined ? old.engine : next.engine);
    out.push({
      change: x === undefined ? "added" : y === undefined ? "removed" : "changed",
      kind: document.kind,
      ...(namespace === undefined ? {} : { namespace }),
      name: document.name,
      document,
    });
  }
  return out;
}

/** The namespace under which the engine knows the object's policies. */
function namespaceOf(document: Document, engine: Engine): string | undefined {
  const known = engine.policies.policies.find((policy) => policy.document === document);
  return known === undefined ? document.namespace : known.namespace;
}

function said(document: Document): string {
  const { value } = document;
  const spec =
    typeof value === "object" && value !== null ? [Reflect.get(value, "spec"), Reflect.get(value, "specs")] : value;
  return canonical(spec);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join(",")}}`;
}

// ── what is outside ────────────────────────────────────────────────────────────────────────────────────────────────

class OutsideDiff {
  private readonly old: Version;
  private readonly next: Version;
  private readonly policies: readonly ChangedPolicy[];
  private readonly ends: readonly End[];

  constructor(old: Version, next: Version, policies: readonly ChangedPolicy[], ends: readonly End[]) {
    this.old = old;
    this.next = next;
    this.policies = policies;
    this.ends = ends;
  }

  /** Changes between one end and what is outside; ranges that fare alike are one. */
  changes(end: End, side: "from" | "to"): readonly PairChange[] {
    const groups = new Map<string, { before: Bounded; after: Bounded; ends: End[] }>();
    let asked = 0;
    const inner = end.next ?? end.old;
    for (const other of this.ends) {
      const { next: range } = other;
      if (range === undefined || inner === undefined || sharedFamilies(inner, range).length === 0) continue;
      if (range.kind === "outside") asked++;
      // A name is dialled; nobody dials from it.
      if (range.kind === "name" && side === "from") continue;
      const [from, to] = side === "to" ? [end, other] : [other, end];
      const before = between(this.old.engine, from.old, to.old);
      const after = between(this.next.engine, from.next, to.next);
      if (flowsEqual(before.must, after.must) && flowsEqual(before.may, after.may)) continue;
      const [family] = endpointFamilies(range);
      const sets = [before.must, before.may, after.must, after.may];
      const key =
        range.kind === "name" || family === undefined
          ? other.name
          : sets.map((set) => familyFreeKey(set, family)).join("|");
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { before, after, ends: [other] });
      else {
        group.before = boundedUnion(group.before, before);
        group.after = boundedUnion(group.after, after);
        group.ends.push(other);
      }
    }
    return [...groups.values()].flatMap(({ before, after, ends }) => {
      const [first = end] = ends;
      const [from, to] = side === "to" ? [end, first] : [first, end];
      const families = FAMILIES.filter((family) =>
        ends.some((one) => one.next !== undefined && endpointFamilies(one.next).includes(family)),
      );
      const change = changeOf(before, after, from, to, families);
      if (change === undefined) return [];
      const ranges = ends.flatMap((one) => (one.next?.kind === "outside" ? [one.next.range] : []));
      const name =
        ranges.length === asked && asked > 0 ? "internet" : ranges.length === 0 ? first.name : rangesText(ranges);
      const cause = attribution(this.old, this.next, this.policies, from, to, change);
      return [pairChange({ ...change, ...(side === "to" ? { to: name } : { from: name }) }, cause)];
    });
  }
}

function rangesText(ranges: readonly AddressRange[]): string {
  return joinedRanges(ranges).map(formatRange).join(", ");
}
