import { describe, expect, test } from "vitest";
import { addressSetOf, parsePrefix } from "../../../src/net/address.ts";
import { openKubernetes } from "../../../src/policy/kubernetes/dialect.ts";
import { inW, networkPolicy, pod, world } from "./world.ts";

/** Every pod has an address here. */
const WORLD = world({ workloads: world().workloads.filter(({ name }) => name !== "new") });

function codes(policy: ReturnType<typeof inW>, where = WORLD): readonly string[] {
  return openKubernetes()
    .compile(policy, where)
    .diagnostics.map(({ code }) => code);
}

function range(text: string) {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new Error(`no prefix: ${text}`);
  return addressSetOf([prefix]);
}

describe("a policy that Cilium reads otherwise", () => {
  test.each([
    [
      "[K2] [K8-08] rules of a direction that policyTypes leaves out",
      networkPolicy("{policyTypes: [Egress], ingress: [{from: [{podSelector: {}}]}]}"),
      networkPolicy("{policyTypes: [Egress], ingress: []}"),
      "BH101",
    ],
    [
      "[K2] [K8-08] egress left out",
      networkPolicy("{policyTypes: [Ingress], egress: [{}]}"),
      networkPolicy("{egress: [{}]}"),
      "BH101",
    ],
    [
      "[K3] a namespace selector of exclusions alone",
      inW("[{from: [{namespaceSelector: {matchExpressions: [{key: team, operator: NotIn, values: [red]}]}}]}]"),
      inW("[{from: [{namespaceSelector: {matchExpressions: [{key: team, operator: In, values: [blue]}]}}]}]"),
      "BH102",
    ],
    [
      "[K3] the same beside a pod selector of exclusions",
      inW(
        "[{from: [{namespaceSelector: {matchExpressions: [{key: team, operator: DoesNotExist}]}, podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [a]}]}}]}]",
      ),
      inW(
        "[{from: [{namespaceSelector: {matchExpressions: [{key: team, operator: DoesNotExist}]}, podSelector: {matchLabels: {app: a}}}]}]",
      ),
      "BH102",
    ],
    [
      "[K3] the empty namespace selector, which both read alike",
      inW("[{from: [{namespaceSelector: {matchExpressions: [{key: team, operator: DoesNotExist}]}}]}]"),
      inW("[{from: [{namespaceSelector: {}}]}]"),
      "BH102",
    ],
    [
      "[K8-30] a port's name without peers on egress",
      networkPolicy("{policyTypes: [Egress], egress: [{ports: [{port: pg}]}]}"),
      networkPolicy("{policyTypes: [Egress], egress: [{ports: [{port: 5432}]}]}"),
      "BH104",
    ],
    [
      "[K8-30] a port's name beside an ipBlock on egress",
      networkPolicy(
        "{policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: pg}]}]}",
      ),
      networkPolicy("{policyTypes: [Egress], egress: [{to: [{podSelector: {}}], ports: [{port: pg}]}]}"),
      "BH104",
    ],
    [
      "[K8-29] a port's name on ingress, which both read alike",
      networkPolicy("{policyTypes: [Egress], egress: [{ports: [{port: http}]}]}"),
      inW("[{ports: [{port: http}]}]"),
      "BH104",
    ],
  ])("%s", (_, different, alike, code) => {
    expect(codes(different)).toEqual([code]);
    expect(codes(alike)).toEqual([]);
  });
});

describe("[K8-24] [K5] an ipBlock over the cluster's own addresses", () => {
  const block = (cidr: string, except = "") => inW(`[{from: [{ipBlock: {cidr: ${cidr}, except: [${except}]}}]}]`);

  test("over a pod", () => {
    expect(codes(block("10.244.2.10/32"))).toEqual(["BH103"]);
    expect(codes(block("10.244.2.12/32"))).toEqual([]);
  });

  test("over everything but the pods and nodes", () => {
    expect(codes(block("0.0.0.0/0"))).toEqual(["BH103"]);
    expect(codes(block("0.0.0.0/0", "10.0.0.0/8"))).toEqual([]);
  });

  test("over a node", () => {
    expect(codes(block("10.0.0.2/32"))).toEqual(["BH103"]);
    expect(codes(block("10.0.0.3/32"))).toEqual([]);
  });

  test("over the declared range of the pods", () => {
    const planned = world({ ...WORLD, addressPlan: { ...WORLD.addressPlan, pods: range("10.244.0.0/16") } });
    expect(codes(block("10.244.9.0/24"), planned)).toEqual(["BH103"]);
    expect(codes(block("10.245.0.0/16"), planned)).toEqual([]);
  });

  test("where a pod's address is not known, it may be in any", () => {
    expect(codes(block("203.0.113.0/24"), world())).toEqual(["BH103"]);
    expect(codes(block("203.0.113.0/24"))).toEqual([]);
    const onHost = world({ workloads: [...WORLD.workloads, pod("shop", "agent", { hostNetwork: true })] });
    expect(codes(block("203.0.113.0/24"), onHost)).toEqual([]);
  });
});
