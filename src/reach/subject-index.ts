/** Which policies may select an identity, found by a label that their subjects ask for. */
import { type IdentityLabels } from "../model/labels.ts";
import type { Policy } from "../policy/rule.ts";
import { type Term, termsOf, UNKNOWN_LABELS } from "../policy/selector.ts";

/** A policy at its place in the order of all; those that took the place of others are told apart by `part`. */
interface Entry {
  readonly policy: Policy;
  readonly place: number;
  readonly part: number;
  /** Where it is listed. */
  readonly list: Set<Entry>;
}

export class SubjectIndex {
  private readonly entries = new Map<Policy, Entry>();
  /** Policies whose subject must carry the label with the value, by key and value. */
  private readonly byLabel = new Map<string, Map<string, Set<Entry>>>();
  /** Those that ask for no value of one label. */
  private readonly others = new Set<Entry>();
  /** The place behind all. */
  private next: number;

  /** Takes the policies in their order. */
  constructor(policies: readonly Policy[]) {
    policies.forEach((policy, place) => this.add(policy, place, 0));
    this.next = policies.length;
  }

  /** Puts policies in the stead of others, which stand together; behind all where none is removed. */
  replace(removed: readonly Policy[], added: readonly Policy[]): void {
    const [first] = removed;
    const place = (first === undefined ? undefined : this.entries.get(first)?.place) ?? this.next++;
    for (const policy of removed) {
      const entry = this.entries.get(policy);
      entry?.list.delete(entry);
      this.entries.delete(policy);
    }
    for (const [part, policy] of added.entries()) this.add(policy, place, part);
  }

  private add(policy: Policy, place: number, part: number): void {
    const list = this.listOf(termsOf(policy.subject.selector));
    const entry = { policy, place, part, list };
    list.add(entry);
    this.entries.set(policy, entry);
  }

  /** The shortest list under a label that the terms ask for. */
  private listOf(terms: readonly Term[]): Set<Entry> {
    let best: Set<Entry> | undefined;
    for (const { requirement, keys } of terms) {
      const [key, ...more] = keys;
      const [value, ...values] = requirement.values;
      if (requirement.operator !== "In" || key === undefined || value === undefined) continue;
      if (more.length > 0 || values.length > 0) continue;
      let byValue = this.byLabel.get(key);
      if (byValue === undefined) {
        byValue = new Map();
        this.byLabel.set(key, byValue);
      }
      let list = byValue.get(value);
      if (list === undefined) {
        list = new Set();
        byValue.set(value, list);
      }
      if (best === undefined || list.size < best.size) best = list;
    }
    return best ?? this.others;
  }

  /** Every policy that may select an identity with these labels, in their order. */
  candidates(labels: IdentityLabels): readonly Policy[] {
    const found = [...this.others];
    for (const [key, value] of labels) {
      // Labels that are not known may be any.
      if (key.endsWith(UNKNOWN_LABELS)) return sorted([...this.entries.values()]);
      const byValue = this.byLabel.get(key);
      if (byValue === undefined) continue;
      if (typeof value === "string") found.push(...(byValue.get(value) ?? []));
      else for (const list of byValue.values()) found.push(...list);
    }
    return sorted(found);
  }
}

function sorted(entries: Entry[]): readonly Policy[] {
  return entries.sort((a, b) => a.place - b.place || a.part - b.part).map(({ policy }) => policy);
}
