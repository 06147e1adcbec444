import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Address,
  type AddressRange,
  addressIntersect,
  addressSet,
  addressSetCovers,
  addressSetHas,
  addressSubtract,
  addressUnion,
  formatAddress,
  formatPrefix,
  formatRange,
  parseAddress,
  parsePrefix,
  prefixContains,
  rangePrefixes,
} from "../../src/net/address.ts";

const family = fc.constantFrom("IPv4" as const, "IPv6" as const);
/** Few addresses, so that ranges meet, touch and miss by one. */
const small = fc.bigInt(0n, 40n);
const range = fc
  .tuple(family, small, small)
  .map(([f, a, b]): AddressRange => ({ family: f, first: a < b ? a : b, last: a < b ? b : a }));
const ranges = fc.array(range, { maxLength: 6 });
const address = fc.tuple(family, small).map(([f, value]): Address => ({ family: f, value }));

describe("addresses as text", () => {
  test.each([
    ["10.0.0.1", "10.0.0.1"],
    ["2001:DB8:0:0:0:0:0:9", "2001:db8::9"],
    ["::", "::"],
    ["::ffff:1.2.3.4", "::ffff:102:304"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
  ])("%s is written %s", (text, written) => {
    const parsed = parseAddress(text);
    expect(parsed === undefined ? undefined : formatAddress(parsed)).toBe(written);
  });
  test.each(["010.0.0.1", "1.2.3", "1.2.3.256", ":::", "1::2::3", "12345::", "fe80::1%eth0", ""])(
    "%s is no address",
    (text) => expect(parseAddress(text)).toBeUndefined(),
  );
  test("[K8-60] host bits of a prefix are cleared", () => {
    const prefix = parsePrefix("10.0.0.7/8");
    expect(prefix === undefined ? "" : formatPrefix(prefix)).toBe("10.0.0.0/8");
    expect(parsePrefix("10.0.0.7")).toBeUndefined();
    expect(parsePrefix("10.0.0.0/33")).toBeUndefined();
  });
  test("a prefix contains the narrower ones of its family alone", () => {
    const [wide, narrow, other] = ["10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"].map((t) => parsePrefix(t));
    if (wide === undefined || narrow === undefined || other === undefined) throw new Error("no prefixes");
    expect([prefixContains(wide, narrow), prefixContains(narrow, wide), prefixContains(wide, other)]).toEqual([
      true,
      false,
      false,
    ]);
  });
  test("a range is written as its prefix where it is one", () => {
    expect(formatRange({ family: "IPv4", first: 0n, last: 255n })).toBe("0.0.0.0/24");
    expect(formatRange({ family: "IPv4", first: 1n, last: 255n })).toBe("0.0.0.1-0.0.0.255");
  });
});

describe("sets of addresses, by meaning", () => {
  test("union, intersection, difference", () => {
    fc.assert(
      fc.property(ranges, ranges, address, (x, y, a) => {
        const [p, q] = [addressSet(x), addressSet(y)];
        const [inP, inQ] = [addressSetHas(p, a), addressSetHas(q, a)];
        expect(addressSetHas(addressUnion(p, q), a)).toBe(inP || inQ);
        expect(addressSetHas(addressIntersect(p, q), a)).toBe(inP && inQ);
        expect(addressSetHas(addressSubtract(p, q), a)).toBe(inP && !inQ);
      }),
      { numRuns: 2000, seed: 1 },
    );
  });
  test("covering", () => {
    fc.assert(
      fc.property(ranges, range, (x, r) => {
        const set = addressSet(x);
        const inside = Array.from({ length: Number(r.last - r.first) + 1 }, (_, i) =>
          addressSetHas(set, { family: r.family, value: r.first + BigInt(i) }),
        );
        const expected = inside.every(Boolean) ? "all" : inside.some(Boolean) ? "part" : "none";
        expect(addressSetCovers(set, r)).toBe(expected);
      }),
      { numRuns: 2000, seed: 2 },
    );
  });
  test("a range is its prefixes, and they are aligned", () => {
    fc.assert(
      fc.property(range, (r) => {
        const prefixes = rangePrefixes(r);
        const size = prefixes.reduce((sum, p) => sum + (1n << BigInt((r.family === "IPv4" ? 32 : 128) - p.length)), 0n);
        expect(size).toBe(r.last - r.first + 1n);
        expect(prefixes[0]?.base).toBe(r.first);
      }),
      { numRuns: 1000, seed: 3 },
    );
  });
});
