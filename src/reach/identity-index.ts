/**
 * Which identities a selector matches, found through an index of labels: a selector that asks for a value looks only at
 * the identities that carry it, so the cost follows the matches and not the number of identities.
 */

import type { Ternary } from "../base/ternary.ts";
import type { IdentityLabels } from "../model/labels.ts";
import {
  matchesTerms,
  openKeys,
  type Selector,
  selectorKey,
  SOURCES,
  type Term,
  termsOf,
  UNKNOWN_LABELS,
} from "../policy/selector.ts";

/** An identity: a set of security-relevant labels, interned. */
export interface Identity {
  readonly id: number;
  readonly labels: IdentityLabels;
  readonly key: string;
}

/** The identities that a selector matches, or may. Those below `limit` that are absent it does not match. */
interface Matches {
  readonly found: Map<number, "yes" | "maybe">;
  limit: number;
}

interface KeyEntry {
  /** Every identity that has the key. */
  readonly all: number[];
  readonly byValue: Map<string, number[]>;
  /** Identities whose value only the cluster knows. */
  readonly unknown: number[];
}

export class IdentityIndex {
  private readonly identities: Identity[] = [];
  private readonly byKey = new Map<string, KeyEntry>();
  /** Identities with labels that are not known, by the key that says so (`node:*`). */
  private readonly open = new Map<string, number[]>();
  private readonly bySelector = new WeakMap<Selector, Matches>();
  private readonly byText = new Map<string, Matches>();

  get size(): number {
    return this.identities.length;
  }

  /** Adds the next identity; its id must be `size`. */
  add(identity: Identity): void {
    this.identities.push(identity);
    for (const [key, value] of identity.labels) {
      if (key.endsWith(UNKNOWN_LABELS)) {
        const list = this.open.get(key);
        if (list === undefined) this.open.set(key, [identity.id]);
        else list.push(identity.id);
        continue;
      }
      let entry = this.byKey.get(key);
      if (entry === undefined) {
        entry = { all: [], byValue: new Map(), unknown: [] };
        this.byKey.set(key, entry);
      }
      entry.all.push(identity.id);
      if (typeof value !== "string") entry.unknown.push(identity.id);
      else {
        const list = entry.byValue.get(value);
        if (list === undefined) entry.byValue.set(value, [identity.id]);
        else list.push(identity.id);
      }
    }
  }

  /** Whether the selector matches the identity. */
  selects(selector: Selector, identity: Identity): Ternary {
    return this.matches(selector).found.get(identity.id) ?? "no";
  }

  /** Every identity that the selector matches, or may. */
  all(selector: Selector): ReadonlyMap<number, "yes" | "maybe"> {
    return this.matches(selector).found;
  }

  private matches(selector: Selector): Matches {
    let matches = this.bySelector.get(selector);
    if (matches === undefined) {
      const text = selectorKey(selector);
      matches = this.byText.get(text);
      if (matches === undefined) {
        matches = { found: new Map(), limit: 0 };
        this.byText.set(text, matches);
      }
      this.bySelector.set(selector, matches);
    }
    if (matches.limit < this.identities.length) this.extend(selector, matches);
    return matches;
  }

  /** Judges the identities that were added since the selector was asked last. */
  private extend(selector: Selector, matches: Matches): void {
    const { limit } = matches;
    matches.limit = this.identities.length;
    const terms = termsOf(selector);
    const judge = (id: number): void => {
      const identity = this.identities[id];
      if (identity === undefined) return;
      const result = matchesTerms(terms, identity.labels);
      if (result !== "no") matches.found.set(id, result);
    };
    const candidates = matches.limit - limit > FEW ? this.candidates(terms) : undefined;
    if (candidates === undefined) for (let id = limit; id < matches.limit; id++) judge(id);
    else for (const list of candidates) for (const id of list) if (id >= limit) judge(id);
  }

  /** The shortest lists that together hold every match; undefined where no term asks for a key. */
  private candidates(terms: readonly Term[]): readonly (readonly number[])[] | undefined {
    let best: readonly (readonly number[])[] | undefined;
    let bestSize = Number.POSITIVE_INFINITY;
    for (const term of terms) {
      const lists = this.holders(term);
      if (lists === undefined) continue;
      const size = lists.reduce((sum, list) => sum + list.length, 0);
      if (size < bestSize) {
        best = lists;
        bestSize = size;
      }
    }
    return best;
  }

  private holders({ requirement, keys }: Term): readonly (readonly number[])[] | undefined {
    if (requirement.operator !== "In" && requirement.operator !== "Exists") return undefined;
    const { operator, source, key, values } = requirement;
    const lists: (readonly number[])[] = [];
    if (this.open.size > 0)
      for (const one of source === "any" ? SOURCES : [source])
        for (const open of openKeys(one, key)) lists.push(this.open.get(open) ?? []);
    for (const whole of keys) {
      const entry = this.byKey.get(whole);
      if (entry === undefined) continue;
      if (operator === "Exists") {
        lists.push(entry.all);
        continue;
      }
      for (const value of values) lists.push(entry.byValue.get(value) ?? []);
      lists.push(entry.unknown);
    }
    return lists;
  }
}

/** Up to so many identities a scan costs less than the index. */
const FEW = 8;
