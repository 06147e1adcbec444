import { describe, expect, test } from "vitest";
import { LearnedNames, type Lookup } from "../../src/lab/learned-names.ts";

const NEVER = (): boolean => false;
const LIMITS = { addressesOfName: 3, addressesOfClient: 5, addresses: 8 };

function lookup(name: string, addresses: readonly string[], more: Partial<Lookup> = {}): Lookup {
  return { node: "node-1", client: "10.0.0.1", name, addresses, lifetime: 1000, ...more };
}

function shown(learned: LearnedNames): readonly string[] {
  return learned
    .all()
    .map(({ node, address, names }) => `${node} ${address} ${names.join(",")}`)
    .toSorted();
}

describe("learned names", () => {
  test("an address has every name that led to it, on the node of whoever asked", () => {
    const learned = new LearnedNames();
    expect(learned.note(lookup("a.io.", ["192.0.2.1"]), 0)).toEqual([
      { node: "node-1", address: "192.0.2.1", names: ["a.io."] },
    ]);
    expect(learned.note(lookup("b.io.", ["192.0.2.1"], { client: "10.0.0.2" }), 0)).toEqual([
      { node: "node-1", address: "192.0.2.1", names: ["a.io.", "b.io."] },
    ]);
    learned.note(lookup("a.io.", ["192.0.2.1"], { client: "10.0.1.1", node: "node-2" }), 0);
    expect(shown(learned)).toEqual(["node-1 192.0.2.1 a.io.,b.io.", "node-2 192.0.2.1 a.io."]);
  });

  test("a second look-up changes nothing but the time", () => {
    const learned = new LearnedNames();
    learned.note(lookup("a.io.", ["192.0.2.1"]), 0);
    expect(learned.note(lookup("a.io.", ["192.0.2.1"]), 500)).toEqual([]);
    expect(learned.expire(1200, NEVER)).toEqual([]);
    expect(learned.expire(1500, NEVER)).toEqual([{ node: "node-1", address: "192.0.2.1", names: [] }]);
    expect(learned.size).toBe(0);
  });

  test("a shorter time does not cut a longer one", () => {
    const learned = new LearnedNames();
    learned.note(lookup("a.io.", ["192.0.2.1"], { lifetime: 9000 }), 0);
    learned.note(lookup("a.io.", ["192.0.2.1"], { lifetime: 10 }), 0);
    expect(learned.hasExpired(8999)).toBe(false);
    expect(learned.hasExpired(9000)).toBe(true);
  });

  test("what is used stays beyond its time", () => {
    const learned = new LearnedNames();
    learned.note(lookup("a.io.", ["192.0.2.1", "192.0.2.2"]), 0);
    expect(learned.expire(5000, (address) => address === "192.0.2.1")).toEqual([
      { node: "node-1", address: "192.0.2.2", names: [] },
    ]);
    expect(shown(learned)).toEqual(["node-1 192.0.2.1 a.io."]);
  });

  test("one pod's entry ends, another's stays", () => {
    const learned = new LearnedNames();
    learned.note(lookup("a.io.", ["192.0.2.1"]), 0);
    learned.note(lookup("a.io.", ["192.0.2.1"], { client: "10.0.0.2", lifetime: 5000 }), 0);
    expect(learned.expire(2000, NEVER)).toEqual([]);
    expect(shown(learned)).toEqual(["node-1 192.0.2.1 a.io."]);
  });

  test("a name keeps so many addresses, a pod so many, all so many: the oldest of its own go", () => {
    const learned = new LearnedNames(LIMITS);
    for (let i = 1; i <= 5; i++) learned.note(lookup("a.io.", [`192.0.2.${i}`]), i);
    expect(shown(learned)).toEqual(["node-1 192.0.2.3 a.io.", "node-1 192.0.2.4 a.io.", "node-1 192.0.2.5 a.io."]);
    for (let i = 1; i <= 5; i++) learned.note(lookup(`b${i}.io.`, [`198.51.100.${i}`], { client: "10.0.0.2" }), i);
    expect(learned.size).toBe(8);
    for (let i = 1; i <= 100; i++) learned.note(lookup(`c${i}.io.`, [`198.51.100.${i}`], { client: "10.0.0.2" }), i);
    expect(learned.size).toBe(8);
    // Who did not ask for more has all that it had.
    expect(shown(learned).filter((one) => one.includes("a.io."))).toHaveLength(3);
    // Somebody new finds no room, and takes nobody's.
    expect(learned.note(lookup("d.io.", ["203.0.113.9"], { client: "10.0.0.3" }), 1)).toEqual([]);
    expect(learned.size).toBe(8);
  });
});
