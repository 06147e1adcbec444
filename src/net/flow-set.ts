/**
 * Exact sets of flows between two endpoints: family × protocol × destination port (or ICMP type) × application part.
 *
 * A set is, for each bucket (a family and a protocol), a list of bands of ports that carry one application part each.
 * A band whose application part is empty is kept: the connection is established and a proxy then refuses every request
 * (cilium.md R6.2.1), which differs from a connection that is dropped.
 */

import {
  type Application,
  applicationIntersect,
  applicationSubtract,
  applicationUnion,
  EVERYTHING,
} from "./application.ts";
import type { Family } from "./address.ts";
import { type Protocol, PROTOCOLS, portDomain, protocolInFamily } from "./protocol.ts";

export interface Bucket {
  readonly index: number;
  readonly family: Family;
  readonly protocol: Protocol;
  readonly first: number;
  readonly last: number;
}

/** Every pair of family and protocol that exists, IPv4 first. */
export const BUCKETS: readonly Bucket[] = (["IPv4", "IPv6"] as const)
  .flatMap((family) =>
    PROTOCOLS.filter((p) => protocolInFamily(p, family)).map((protocol) => ({
      family,
      protocol,
      ...portDomain(protocol),
    })),
  )
  .map((bucket, index) => ({ ...bucket, index }));

const BUCKET_INDEX: ReadonlyMap<string, number> = new Map(BUCKETS.map((b) => [`${b.family}/${b.protocol}`, b.index]));

/** The bucket of a family and protocol; undefined where the family does not have the protocol. */
export function bucketIndex(family: Family, protocol: Protocol): number | undefined {
  return BUCKET_INDEX.get(`${family}/${protocol}`);
}

/** Ports `first` to `last`, both included, on which `application` passes. */
export interface Band {
  readonly first: number;
  readonly last: number;
  readonly application: Application;
}

/**
 * INVARIANT: one list of bands a bucket, sorted, disjoint; neighbours that touch differ in their application part.
 * Build sets only through the functions of this file.
 */
export type FlowSet = readonly (readonly Band[])[];

const NO_BANDS: readonly Band[] = [];

export const NO_FLOWS: FlowSet = BUCKETS.map(() => NO_BANDS);

export const ALL_FLOWS: FlowSet = BUCKETS.map((b) => [{ first: b.first, last: b.last, application: EVERYTHING }]);

/** The flows of one protocol and range of ports, in the given families. */
export function portFlows(
  protocol: Protocol,
  first: number,
  last: number,
  families: readonly Family[] = ["IPv4", "IPv6"],
  application: Application = EVERYTHING,
): FlowSet {
  const out = [...NO_FLOWS];
  for (const family of families) {
    const index = bucketIndex(family, protocol);
    const bucket = index === undefined ? undefined : BUCKETS[index];
    if (bucket === undefined) continue;
    const from = Math.max(first, bucket.first);
    const to = Math.min(last, bucket.last);
    if (from <= to) out[bucket.index] = [{ first: from, last: to, application }];
  }
  return out;
}

/** Every flow, judged by one application part. */
export function applicationFlows(application: Application): FlowSet {
  return application === EVERYTHING ? ALL_FLOWS : BUCKETS.map((b) => [{ first: b.first, last: b.last, application }]);
}

type Combine = (a: Application | undefined, b: Application | undefined) => Application | undefined;

/** Sweeps two lists of bands; `combine` says what remains where either, or neither, is present. */
function sweep(a: readonly Band[], b: readonly Band[], combine: Combine): readonly Band[] {
  const out: Band[] = [];
  let i = 0;
  let j = 0;
  let at = 0;
  while (i < a.length || j < b.length) {
    const x = a[i];
    const y = b[j];
    const start = Math.max(at, Math.min(x?.first ?? Number.POSITIVE_INFINITY, y?.first ?? Number.POSITIVE_INFINITY));
    const inX = x !== undefined && x.first <= start;
    const inY = y !== undefined && y.first <= start;
    let end = Number.POSITIVE_INFINITY;
    if (x !== undefined) end = Math.min(end, inX ? x.last : x.first - 1);
    if (y !== undefined) end = Math.min(end, inY ? y.last : y.first - 1);
    const application = combine(inX ? x.application : undefined, inY ? y.application : undefined);
    if (application !== undefined) {
      const previous = out.at(-1);
      if (previous !== undefined && previous.last + 1 === start && previous.application.key === application.key) {
        out[out.length - 1] = { first: previous.first, last: end, application };
      } else out.push({ first: start, last: end, application });
    }
    at = end + 1;
    if (x !== undefined && x.last < at) i++;
    if (y !== undefined && y.last < at) j++;
  }
  return out;
}

function combineSets(a: FlowSet, b: FlowSet, combine: Combine): FlowSet {
  return a.map((bands, index) => sweep(bands, b[index] ?? NO_BANDS, combine));
}

export function flowUnion(a: FlowSet, b: FlowSet): FlowSet {
  if (a === b || b === NO_FLOWS || a === ALL_FLOWS) return a;
  if (a === NO_FLOWS || b === ALL_FLOWS) return b;
  return combineSets(a, b, (x, y) => (x === undefined ? y : y === undefined ? x : applicationUnion(x, y)));
}

export function flowIntersect(a: FlowSet, b: FlowSet): FlowSet {
  if (a === b || a === NO_FLOWS || b === ALL_FLOWS) return a;
  if (b === NO_FLOWS || a === ALL_FLOWS) return b;
  return combineSets(a, b, (x, y) => (x === undefined || y === undefined ? undefined : applicationIntersect(x, y)));
}

/** What of `a` is not in `b`. Where `b` holds only some requests of a band, the rest of the band remains. */
export function flowSubtract(a: FlowSet, b: FlowSet): FlowSet {
  if (a === NO_FLOWS || b === NO_FLOWS) return a;
  if (b === ALL_FLOWS || a === b) return NO_FLOWS;
  return combineSets(a, b, (x, y) => {
    if (x === undefined || y === undefined) return x;
    if (y === EVERYTHING || x.key === y.key) return undefined;
    const rest = applicationSubtract(x, y);
    return rest.clauses.length === 0 ? undefined : rest;
  });
}

/** Keeps the flows of the families. */
export function restrictFamilies(set: FlowSet, families: readonly Family[]): FlowSet {
  if (families.length === 2 || set === NO_FLOWS) return set;
  return set.map((bands, index) => {
    const bucket = BUCKETS[index];
    return bucket !== undefined && families.includes(bucket.family) ? bands : NO_BANDS;
  });
}

/** Replaces the application part of every flow of `set` that lies in `where`. */
export function overrideApplication(set: FlowSet, where: FlowSet, application: Application): FlowSet {
  return combineSets(set, where, (x, y) => (x === undefined || y === undefined ? x : application));
}

export function flowsEmpty(set: FlowSet): boolean {
  return set === NO_FLOWS || set.every((bands) => bands.length === 0);
}

/** Whether both sets hold the same flows, as far as their application parts are written alike. */
export function flowsEqual(a: FlowSet, b: FlowSet): boolean {
  if (a === b) return true;
  return a.every((bands, index) => {
    const other = b[index] ?? NO_BANDS;
    return (
      bands.length === other.length &&
      bands.every((band, i) => {
        const o = other[i];
        return (
          o !== undefined &&
          o.first === band.first &&
          o.last === band.last &&
          o.application.key === band.application.key
        );
      })
    );
  });
}

/** What passes of one flow: the application part of its band; undefined where the flow is not in the set. */
export function flowAt(set: FlowSet, family: Family, protocol: Protocol, port: number): Application | undefined {
  const index = bucketIndex(family, protocol);
  if (index === undefined) return undefined;
  for (const band of set[index] ?? NO_BANDS) {
    if (band.first <= port && port <= band.last) return band.application;
    if (band.first > port) return undefined;
  }
  return undefined;
}

/** A stable text: equal exactly for equal sets. */
export function flowsKey(set: FlowSet): string {
  if (set === ALL_FLOWS) return "*";
  return set.map((bands) => bands.map((b) => `${b.first}-${b.last}:${b.application.key}`).join(",")).join(";");
}
