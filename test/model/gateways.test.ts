import { describe, expect, test } from "vitest";
import { formatAddress } from "../../src/net/address.ts";
import type { Gateway, Route, World } from "../../src/model/world.ts";
import { errors, findings, object, objects, pod, serviceText, worldOf } from "./input.ts";

const GROUP = "gateway.networking.k8s.io";

const gateway = (listeners: string, rest = "", status?: string): string =>
  object(`${GROUP}/v1`, "Gateway", "g", `{gatewayClassName: c, listeners: ${listeners}${rest}}`, {
    namespace: "infra",
    ...(status === undefined ? {} : { status }),
  });
const LISTENER = "name: http, port: 80, protocol: HTTP";

function onlyGateway(world: World): Gateway {
  const [first] = world.gateways;
  if (first === undefined) throw new Error("no Gateway");
  return first;
}

const route = (spec: string, kind = "HTTPRoute", version = "v1"): string =>
  object(`${GROUP}/${version}`, kind, "r", spec, { namespace: "shop" });

function onlyRoute(text: string): Route {
  const [first] = worldOf(text).routes;
  if (first === undefined) throw new Error("no route");
  return first;
}

describe("GatewayClass and Gateway", () => {
  test("[GW-01] a class names its controller", () => {
    const text = object(`${GROUP}/v1`, "GatewayClass", "c", "{controllerName: example.com/ctl}");
    expect(worldOf(text).gatewayClasses).toMatchObject([{ name: "c", controller: "example.com/ctl" }]);
    expect(errors(object(`${GROUP}/v1`, "GatewayClass", "c", "{}"))).toEqual(["BH202"]);
  });

  test("[GW-02] a listener takes routes of its own namespace unless told", () => {
    expect(onlyGateway(worldOf(gateway(`[{${LISTENER}}]`)))).toMatchObject({
      namespace: "infra",
      className: "c",
      listeners: [{ name: "http", port: 80, protocol: "HTTP", from: "Same" }],
    });
  });

  test.each([
    ["All", "{from: All}", { from: "All" }],
    [
      "Selector",
      "{from: Selector, selector: {matchLabels: {team: a}}}",
      { from: "Selector", selector: [{ key: "team", operator: "In", values: ["a"] }] },
    ],
  ])("[GW-02] allowedRoutes from %s", (_, namespaces, expected) => {
    const text = gateway(`[{${LISTENER}, allowedRoutes: {namespaces: ${namespaces}}}]`);
    expect(onlyGateway(worldOf(text)).listeners[0]).toMatchObject(expected);
  });

  test("[GW-02] allowedRoutes names kinds, of the Gateway API unless told", () => {
    const kinds = (text: string): unknown =>
      onlyGateway(worldOf(gateway(`[{${LISTENER}${text}}]`))).listeners[0]?.kinds;
    expect(kinds(", allowedRoutes: {kinds: [{kind: GRPCRoute}]}")).toEqual([{ group: GROUP, kind: "GRPCRoute" }]);
    expect(kinds("")).toBeUndefined();
  });

  test.each([
    ["HTTPS", "", "Terminate"],
    ["TLS", ", tls: {mode: Passthrough}", "Passthrough"],
    ["HTTP", "", undefined],
  ])("[GW-02] a listener of %s%s ends TLS: %s", (protocol, tls, mode) => {
    const text = gateway(`[{name: l, port: 443, protocol: ${protocol}${tls}}]`);
    expect(onlyGateway(worldOf(text)).listeners[0]?.tlsMode).toBe(mode);
  });

  test("a Gateway has the addresses that it was given, else those that it asks for", () => {
    const addresses = (status?: string): string[] =>
      onlyGateway(
        worldOf(
          gateway(`[{${LISTENER}}]`, ", addresses: [{value: 203.0.113.1}, {type: Hostname, value: a.example}]", status),
        ),
      ).addresses.map(formatAddress);
    expect(addresses()).toEqual(["203.0.113.1"]);
    expect(addresses("{addresses: [{type: IPAddress, value: 203.0.113.9}]}")).toEqual(["203.0.113.9"]);
  });

  test.each([
    ["no listener", "[]", ["BH247"]],
    ["two listeners of one name", `[{${LISTENER}}, {name: http, port: 81, protocol: HTTP}]`, ["BH247"]],
    ["port 0", "[{name: l, port: 0, protocol: HTTP}]", ["BH204"]],
    ["no protocol", "[{name: l, port: 80}]", ["BH202"]],
    ["an address as host name", `[{${LISTENER}, hostname: 10.0.0.1}]`, ["BH247"]],
    ["a wildcard host name", `[{${LISTENER}, hostname: '*.example'}]`, []],
    ["from Selector without one", `[{${LISTENER}, allowedRoutes: {namespaces: {from: Selector}}}]`, ["BH247"]],
    ["an unknown from", `[{${LISTENER}, allowedRoutes: {namespaces: {from: all}}}]`, ["BH205"]],
  ])("[GW-02] a Gateway with %s", (_, listeners, codes) => {
    expect(errors(gateway(listeners))).toEqual(codes);
  });
});

describe("routes", () => {
  test("[GW-03] a route names its parents, Gateways of its own namespace unless told", () => {
    const { parents, namespace } = onlyRoute(
      route(
        "{parentRefs: [{name: g}, {name: g, namespace: infra, sectionName: http, port: 80}, {kind: Service, group: '', name: s}]}",
      ),
    );
    expect(namespace).toBe("shop");
    expect(parents).toEqual([
      { group: GROUP, kind: "Gateway", namespace: "shop", name: "g" },
      { group: GROUP, kind: "Gateway", namespace: "infra", name: "g", sectionName: "http", port: 80 },
      { group: "", kind: "Service", namespace: "shop", name: "s" },
    ]);
  });

  test("[GW-03] a rule without matches takes every path", () => {
    const every = [{ path: { type: "PathPrefix", value: "/" }, headers: [], queryParams: [] }];
    expect(onlyRoute(route("{rules: [{}]}")).rules[0]?.http).toEqual(every);
    expect(onlyRoute(route("{}")).rules.map(({ http, backends }) => [http, backends])).toEqual([[every, []]]);
    const one = onlyRoute(route("{rules: [{matches: [{path: {type: Exact, value: /a}}]}]}"));
    expect(one.rules[0]?.http[0]?.path).toEqual({ type: "Exact", value: "/a" });
  });

  test("[GW-03] all parts of a match are there; header names count without case and once", () => {
    const { rules } = onlyRoute(
      route(
        "{rules: [{matches: [{path: {value: /a}, method: GET, headers: [{name: X-A, value: '1'}, {name: x-a, value: '2'}], queryParams: [{name: Q, value: '.*', type: RegularExpression}]}]}]}",
      ),
    );
    expect(rules[0]?.http).toEqual([
      {
        path: { type: "PathPrefix", value: "/a" },
        method: "GET",
        headers: [{ type: "Exact", name: "x-a", value: "1" }],
        queryParams: [{ type: "RegularExpression", name: "Q", value: ".*" }],
      },
    ]);
  });

  test("[GW-04] a GRPCRoute matches calls", () => {
    const { rules } = onlyRoute(route("{rules: [{matches: [{method: {service: a.B, method: C}}]}, {}]}", "GRPCRoute"));
    expect(rules.map(({ grpc }) => grpc)).toEqual([
      [{ type: "Exact", service: "a.B", method: "C", headers: [] }],
      [{ type: "Exact", headers: [] }],
    ]);
    expect(errors(route("{rules: [{matches: [{method: {}}]}]}", "GRPCRoute"))).toEqual(["BH247"]);
  });

  test.each(["TLSRoute", "TCPRoute", "UDPRoute"])("[GW-04] a %s has backends and no matches", (kind) => {
    const found = onlyRoute(route("{rules: [{backendRefs: [{name: s, port: 1}]}]}", kind, "v1alpha2"));
    expect(found).toMatchObject({ kind, rules: [{ http: [], grpc: [], backends: [{ name: "s", port: 1 }] }] });
  });

  test("[GW-08] a backend is a Service of the route's namespace with weight 1 unless told", () => {
    const { rules } = onlyRoute(
      route(
        "{rules: [{backendRefs: [{name: a, port: 80}, {name: b, namespace: pay, port: 81, weight: 0}, {group: x.y, kind: Z, name: z}]}]}",
      ),
    );
    expect(rules[0]?.backends).toEqual([
      { group: "", kind: "Service", namespace: "shop", name: "a", port: 80, weight: 1 },
      { group: "", kind: "Service", namespace: "pay", name: "b", port: 81, weight: 0 },
      { group: "x.y", kind: "Z", namespace: "shop", name: "z", weight: 1 },
    ]);
  });

  test("filters that change who is reached are read", () => {
    const { rules } = onlyRoute(
      route(
        "{rules: [{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: m, port: 1}}}, {type: URLRewrite, urlRewrite: {hostname: a.example, path: {type: ReplacePrefixMatch, replacePrefixMatch: /x}}}, {type: RequestHeaderModifier}]}]}",
      ),
    );
    expect(rules[0]?.filters).toEqual([
      {
        type: "RequestMirror",
        mirror: { group: "", kind: "Service", namespace: "shop", name: "m", port: 1, weight: 1 },
      },
      { type: "URLRewrite", hostname: "a.example", path: { type: "ReplacePrefixMatch", value: "/x" } },
      { type: "RequestHeaderModifier" },
    ]);
  });

  test("[GW-09] the age of a route is kept", () => {
    const text = object(`${GROUP}/v1`, "HTTPRoute", "r", "{}", {
      metadata: "creationTimestamp: '2024-01-02T03:04:05Z'",
    });
    expect(onlyRoute(text).created).toBe("2024-01-02T03:04:05Z");
    expect(onlyRoute(route("{}")).created).toBeUndefined();
  });

  const match = (text: string): string => `{rules: [{matches: [{${text}}]}]}`;
  test.each([
    ["a Service without port", "{rules: [{backendRefs: [{name: a}]}]}", ["BH247"]],
    ["a weight below 0", "{rules: [{backendRefs: [{name: a, port: 1, weight: -1}]}]}", ["BH204"]],
    ["a path that is not absolute", match("path: {type: Exact, value: a}"), ["BH247"]],
    ["a pattern that is not absolute", match("path: {type: RegularExpression, value: 'a.*'}"), []],
    ["two slashes", match("path: {value: /a//b}"), ["BH247"]],
    ["an unknown path type", match("path: {type: Prefix, value: /a}"), ["BH205"]],
    ["an unknown method", match("method: get"), ["BH205"]],
    ["an address as host name", "{hostnames: [10.0.0.1]}", ["BH247"]],
    ["a parent without name", "{parentRefs: [{namespace: infra}]}", ["BH202"]],
  ])("a route with %s", (_, spec, codes) => {
    expect(errors(route(spec))).toEqual(codes);
  });

  test("a backend that does not exist is told at its place", () => {
    const web = objects(
      serviceText("web", "{selector: {app: a}, ports: [{port: 80}]}", { namespace: "shop" }),
      pod("p", { namespace: "shop", labels: "{app: a}" }),
    );
    const to = (backend: string): string[] => findings(objects(route(`{rules: [{backendRefs: [${backend}]}]}`), web));
    expect(to("{name: web, port: 80}")).toEqual([]);
    expect(to("{name: web, port: 81}")).toEqual(["BH306 4:31 HTTPRoute shop/r: Service shop/web has no port 81"]);
    expect(to("{name: web, port: 80, namespace: pay}")).toEqual([
      "BH306 4:31 HTTPRoute shop/r: Service pay/web is not in the input",
    ]);
  });
});

test("[GW-05] a ReferenceGrant lies in the namespace of the target", () => {
  const grant = (spec: string): string => object(`${GROUP}/v1beta1`, "ReferenceGrant", "x", spec, { namespace: "pay" });
  const from = `from: [{group: ${GROUP}, kind: HTTPRoute, namespace: shop}]`;
  expect(
    worldOf(grant(`{${from}, to: [{group: '', kind: Service}, {group: '', kind: Service, name: web}]}`))
      .referenceGrants,
  ).toMatchObject([
    {
      namespace: "pay",
      from: [{ group: GROUP, kind: "HTTPRoute", namespace: "shop" }],
      to: [
        { group: "", kind: "Service" },
        { group: "", kind: "Service", name: "web" },
      ],
    },
  ]);
  expect(errors(grant(`{${from}}`))).toEqual(["BH202"]);
});
