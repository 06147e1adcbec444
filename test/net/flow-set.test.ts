import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Application, applicationHas, applicationOf, EVERYTHING } from "../../src/net/application.ts";
import {
  ALL_FLOWS,
  type FlowSet,
  flowAt,
  flowIntersect,
  flowsEqual,
  flowsKey,
  flowSubtract,
  flowUnion,
  NO_FLOWS,
  overrideApplication,
  portFlows,
  restrictFamilies,
} from "../../src/net/flow-set.ts";

const GET = applicationOf([{ kind: "http", rules: [{ method: "GET", headers: [] }] }]);
const ROOT = applicationOf([{ kind: "http", rules: [{ path: "/", headers: [] }] }]);

const protocol = fc.constantFrom("TCP" as const, "UDP" as const, "ICMP" as const, "OTHER" as const);
/** Few ports at both edges of the domain, so that bands meet, touch and miss by one. */
const port = fc.constantFrom(1, 2, 3, 4, 5, 6, 65534, 65535);
const families = fc.constantFrom(["IPv4"] as const, ["IPv6"] as const, ["IPv4", "IPv6"] as const);
const application = fc.constantFrom(EVERYTHING, EVERYTHING, GET, ROOT);
const band = fc
  .tuple(protocol, port, port, families, application)
  .map(([p, a, b, f, app]) => portFlows(p, p === "OTHER" ? 0 : Math.min(a, b), Math.max(a, b), f, app));
const set = fc
  .array(band, { maxLength: 4 })
  .map((bands) => bands.reduce<FlowSet>((all, one) => flowUnion(all, one), NO_FLOWS));
const flow = fc.tuple(fc.constantFrom("IPv4" as const, "IPv6" as const), protocol, port);
const request = fc
  .tuple(fc.constantFrom("GET", "PUT"), fc.constantFrom("/", "/a"))
  .map(([method, path]) => ({ http: { method, path, headers: new Map<string, string>() } }));

function has(
  flows: FlowSet,
  at: ["IPv4" | "IPv6", "TCP" | "UDP" | "ICMP" | "OTHER", number],
  q: Parameters<typeof applicationHas>[1],
): boolean {
  const [f, p, n] = at;
  const found: Application | undefined = flowAt(flows, f, p, p === "OTHER" ? 0 : n);
  return found !== undefined && applicationHas(found, q) === "yes";
}

describe("sets of flows, by meaning", () => {
  test("union, intersection, difference of requests", () => {
    fc.assert(
      fc.property(set, set, flow, request, (a, b, at, q) => {
        const [inA, inB] = [has(a, at, q), has(b, at, q)];
        expect(has(flowUnion(a, b), at, q)).toBe(inA || inB);
        expect(has(flowIntersect(a, b), at, q)).toBe(inA && inB);
        expect(has(flowSubtract(a, b), at, q)).toBe(inA && !inB);
      }),
      { numRuns: 3000, seed: 1 },
    );
  });
  test("a set is written in one way", () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        const [one, two] = [flowUnion(a, b), flowUnion(b, a)];
        expect(flowsEqual(one, two)).toBe(flowsKey(one) === flowsKey(two));
        expect(flowsEqual(flowUnion(a, a), a)).toBe(true);
        expect(flowsEqual(flowIntersect(a, ALL_FLOWS), a)).toBe(true);
        expect(flowsEqual(flowSubtract(a, NO_FLOWS), a)).toBe(true);
      }),
      { numRuns: 1000, seed: 2 },
    );
  });
  test("[R6.2.1] a band in which no request passes is an established connection, not a drop", () => {
    const none = flowIntersect(
      portFlows("TCP", 80, 80, ["IPv4"], GET),
      portFlows("TCP", 80, 80, ["IPv4"], applicationOf([{ kind: "http", rules: [{ method: "PUT", headers: [] }] }])),
    );
    expect(flowAt(none, "IPv4", "TCP", 80)).toBeDefined();
    expect(flowAt(none, "IPv4", "TCP", 81)).toBeUndefined();
    expect(has(none, ["IPv4", "TCP", 80], { http: { method: "GET", path: "/", headers: new Map() } })).toBe(false);
  });
  test("[R4.5.2] overriding lifts the application part and nothing else", () => {
    const limited = portFlows("TCP", 80, 81, ["IPv4"], GET);
    const lifted = overrideApplication(limited, portFlows("TCP", 80, 80), EVERYTHING);
    expect(flowAt(lifted, "IPv4", "TCP", 80)).toBe(EVERYTHING);
    expect(flowAt(lifted, "IPv4", "TCP", 81)?.key).toBe(GET.key);
    expect(flowAt(lifted, "IPv6", "TCP", 80)).toBeUndefined();
  });
  test("families are kept apart, and ICMP exists in one", () => {
    const v4 = restrictFamilies(ALL_FLOWS, ["IPv4"]);
    expect(flowAt(v4, "IPv4", "ICMP", 8)).toBe(EVERYTHING);
    expect(flowAt(v4, "IPv6", "TCP", 80)).toBeUndefined();
    expect(flowAt(ALL_FLOWS, "IPv6", "ICMP", 8)).toBeUndefined();
  });
});
