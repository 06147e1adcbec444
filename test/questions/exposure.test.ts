import { describe, expect, test } from "vitest";
import { exposure } from "../../src/questions/exposure.ts";
import { withoutPolicies } from "../../src/questions/network.ts";
import { closersOfWay, wayText } from "../../src/report/exposure-report.ts";
import { cnp, netpol, workload } from "../lint/codes.ts";
import { inputOf } from "./inputs.ts";

const API = workload("api", "app: api", "{containerPort: 8080, name: http}");
const WEB = workload("web", "app: web");
const service = (spec: string): string =>
  `---\napiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: shop}\nspec: {selector: {app: api}, ports: [{port: 80, targetPort: http}], ${spec}}\n`;
const INGRESS = `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop}
spec: {ingressClassName: cilium, rules: [{host: a.example.com, http: {paths: [{path: /x, pathType: Prefix, backend: {service: {name: api, port: {number: 80}}}}]}}]}
`;
const CLOSED = cnp(
  "endpointSelector: {matchLabels: {app: api}}, ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]",
);

/** `verdict way` of every way into the API. */
function ways(...texts: readonly string[]): readonly string[] {
  const { engine } = inputOf("cilium", API, WEB, ...texts);
  const api = exposure(engine).endpoints.find((one) => one.unit.name === "shop/Deployment/api");
  return (api?.waysIn ?? []).map((way) => `${way.verdict} ${way.way}`);
}

describe("ways in", () => {
  test.each([
    ["a pod alone is open at its own address", [], ["allow pod-address"]],
    ["a ClusterIP is no way in", [service("type: ClusterIP")], ["allow pod-address"]],
    ["a node port is one", [service("type: NodePort")], ["allow node-port", "allow pod-address"]],
    [
      "a load balancer is two",
      [service("type: LoadBalancer")],
      ["allow load-balancer", "allow node-port", "allow pod-address"],
    ],
    [
      "an external address is one",
      [service("externalIPs: [203.0.113.9]")],
      ["allow external-address", "allow pod-address"],
    ],
    ["an Ingress is one", [service("type: ClusterIP"), INGRESS], ["allow ingress", "allow pod-address"]],
    [
      "a policy closes the Ingress and the pod's own address",
      [service("type: ClusterIP"), INGRESS, CLOSED],
      ["deny ingress"],
    ],
  ])("%s", (_title, texts, expected) => {
    expect(ways(...texts)).toEqual(expected);
  });

  test("a host port and a pod of the host's network", () => {
    const { engine } = inputOf(
      "kubernetes",
      workload("a", "app: a", "{containerPort: 80, hostPort: 8000}"),
      workload("b", "app: b", "{containerPort: 80}", "hostNetwork: true"),
    );
    const found = exposure(engine).endpoints.map((one) => one.waysIn.map((way) => `${way.verdict} ${way.way}`));
    expect(found).toEqual([
      ["allow host-port", "allow pod-address"],
      ["allow host-network", "allow node-address"],
    ]);
  });

  test("a way that nobody serves says so", () => {
    const classless = INGRESS.replace("ingressClassName: cilium, ", "");
    const { engine } = inputOf("kubernetes", API, service("type: ClusterIP"), classless);
    const [api] = exposure(engine).endpoints;
    const [way] = api?.waysIn ?? [];
    if (api === undefined || way === undefined) throw new Error("no way in");
    expect(way.verdict).toBe("deny");
    expect(closersOfWay(way, api.unit)).toEqual([{ text: "it names no class, and none is the default" }]);
  });

  test("a way names the Ingress, its host and path, and what would have to change", () => {
    const open = cnp(
      'endpointSelector: {matchLabels: {app: api}}, ingress: [{fromEntities: [ingress], toPorts: [{ports: [{port: "8080", protocol: TCP}]}]}]',
    );
    const { engine } = inputOf("cilium", API, service("type: ClusterIP"), INGRESS, open);
    const [api] = exposure(engine).endpoints;
    const [way] = api?.waysIn ?? [];
    if (api === undefined || way === undefined) throw new Error("no way in");
    expect(wayText(way)).toBe("Ingress/shop/shop, a.example.com path /x (Prefix)");
    expect(closersOfWay(way, api.unit).map((one) => one.text)).toEqual(["CiliumNetworkPolicy/shop/p#ingress[0]"]);
    expect(closersOfWay(way, api.unit)[0]?.place).toEqual({ file: "3.yaml", line: 5 });
  });

  test("with nothing that closes, a policy is missing", () => {
    const { engine } = inputOf("kubernetes", API, service("type: NodePort"));
    const [api] = exposure(engine).endpoints;
    if (api === undefined) throw new Error("no endpoint");
    expect(closersOfWay(api.waysIn[0] ?? expect.fail(), api.unit)).toEqual([{ text: "no policy closes its ingress" }]);
  });
});

describe("ways out", () => {
  test("ranges and names that a policy allows, and nothing else", () => {
    const policy = cnp(
      `endpointSelector: {matchLabels: {app: web}}, egress: [{toCIDR: [203.0.113.0/24]}, {toFQDNs: [{matchName: api.example.com}], toPorts: [{ports: [{port: "443", protocol: TCP}]}]}, {toEndpoints: [{}], toPorts: [{ports: [{port: "53", protocol: UDP}], rules: {dns: [{matchPattern: "*"}]}}]}]`,
    );
    const { engine } = inputOf("cilium", WEB, policy);
    const [web] = exposure(engine).endpoints;
    const out = (web?.waysOut ?? []).map((way) => [
      way.verdict,
      way.to,
      way.flows.map((f) => `${f.protocol} ${f.ports}`).join(),
    ]);
    expect(out).toContainEqual(["allow", "203.0.113.0/24", "any *"]);
    expect(out).toContainEqual(["allow", "fqdn:api.example.com", "TCP 443"]);
  });

  test("a closed endpoint has none", () => {
    const { engine } = inputOf("kubernetes", WEB, netpol("podSelector: {}, policyTypes: [Egress]"));
    expect(exposure(engine).counts).toMatchObject({ endpoints: 1, reachingOut: 0 });
  });
});

describe("numbers", () => {
  test("what is unsure is counted apart", () => {
    const policy = netpol("podSelector: {matchLabels: {app: api}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]");
    const { engine } = inputOf("kubernetes", API, service("type: NodePort"), policy);
    // The source on a node port may be a node, whose address is not told; at its own address the range is let in.
    expect(exposure(engine).counts).toMatchObject({ exposed: 0, unsure: 1, open: 1 });
  });

  test("the base line is the same input without policies", () => {
    const { engine, documents } = inputOf("cilium", API, WEB, service("type: ClusterIP"), INGRESS, CLOSED);
    expect(exposure(engine).counts).toMatchObject({ exposed: 0, open: 1 });
    expect(exposure(withoutPolicies(engine, documents)).counts).toMatchObject({ exposed: 1, open: 2 });
  });
});
