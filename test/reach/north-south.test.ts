/** Paths from outside to pods, hop by hop (kubernetes.md sections 5 to 7, cilium.md R8.4, R8.5). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { showApplication } from "../../src/net/application.ts";
import type { Engine } from "../../src/reach/engine.ts";
import type { NorthSouthPath } from "../../src/reach/north-south-path.ts";
import { engineOf, pathText, pod, policy, service, SHOP } from "./scenes.ts";

type Fields = Readonly<Record<string, unknown>>;

const OUTSIDE = "ip:203.0.113.9";
const RANGE = { from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] };
const FROM_INGRESS = { from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "ingress" } } }] };
const ingressOnly = (...rules: readonly Fields[]): Fields => ({ policyTypes: ["Ingress"], ingress: rules });

const WEB = service("shop", "web", { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] });

const NGINX = [
  pod("ingress", "nginx", "N2", "10.244.2.50", { "app.kubernetes.io/name": "ingress-nginx" }, [
    { name: "http", containerPort: 80 },
    { name: "https", containerPort: 443 },
  ]),
  `{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: nginx}, spec: {controller: k8s.io/ingress-nginx}}`,
];
const balancer = (rest: Fields = {}): string =>
  service("ingress", "nginx", {
    type: "LoadBalancer",
    externalTrafficPolicy: "Local",
    allocateLoadBalancerNodePorts: false,
    selector: { "app.kubernetes.io/name": "ingress-nginx" },
    ports: [
      { name: "http", port: 80, targetPort: 80 },
      { name: "https", port: 443, targetPort: 443 },
    ],
    ...rest,
  });

function ingress(host: string | undefined, paths: Readonly<Record<string, string>>, rest: Fields = {}): string {
  return JSON.stringify({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "i", namespace: "shop" },
    spec: {
      ingressClassName: "nginx",
      rules: [
        {
          ...(host === undefined ? {} : { host }),
          http: {
            paths: Object.entries(paths).map(([path, to]) => ({
              path,
              pathType: "Prefix",
              backend: { service: { name: to, port: { number: 80 } } },
            })),
          },
        },
      ],
      ...rest,
    },
  });
}

const open = (...texts: readonly string[]): Engine => engineOf("kubernetes", [SHOP, WEB, ...texts]);

interface Asked {
  readonly from?: string;
  readonly to?: string;
  readonly port?: number;
  readonly host?: string;
  readonly path?: string;
}

function paths(engine: Engine, asked: Asked = {}): readonly NorthSouthPath[] {
  const { from = OUTSIDE, to = "shop/web", port = 8080, host, path } = asked;
  const request = {
    method: "GET",
    path: path ?? "/",
    ...(host === undefined ? {} : { host }),
    headers: new Map<string, string>(),
  };
  const application = host === undefined && path === undefined ? {} : { application: { http: request } };
  return engine.paths({ from, to, port: { protocol: "TCP", port }, ...application });
}

const texts = (engine: Engine, asked: Asked = {}): readonly string[] => paths(engine, asked).map(pathText);

/** The hops of the only path, a word or two each. */
function hops(path: NorthSouthPath | undefined): readonly string[] {
  return (path?.hops ?? []).map((hop) => {
    switch (hop.kind) {
      case "rewrite":
        return `${hop.service} ${hop.detail}`;
      case "filter":
        return `${hop.explanation.direction} of ${hop.at}: ${hop.explanation.verdict}`;
      case "route":
        return hop.at;
      case "terminate":
        return `${hop.at} ends: ${hop.verdict}`;
    }
  });
}

describe("straight ways", () => {
  const typed = (type: string, rest: Fields = {}): string =>
    service("shop", "front", {
      type,
      selector: { app: "web" },
      ports: [{ port: 80, targetPort: 8080, ...(type === "ClusterIP" ? {} : { nodePort: 30080 }) }],
      ...rest,
    });

  test("[SVC-17] a Service of the cluster alone is no way from outside", () => {
    expect(texts(open())).toEqual([]);
  });

  test("[SVC-03] [SVC-04] node port, load balancer with its node port, external address", () => {
    expect(texts(open(typed("NodePort")))).toEqual(["allow node-port"]);
    expect(texts(open(typed("LoadBalancer")))).toEqual(["allow load-balancer", "allow node-port"]);
    expect(texts(open(typed("LoadBalancer", { allocateLoadBalancerNodePorts: false })))).toEqual([
      "allow load-balancer",
    ]);
    expect(texts(open(typed("ClusterIP", { externalIPs: ["198.51.100.7"] })))).toEqual(["allow external-address"]);
  });

  test("[SVC-11] [SVC-18] what the pod sees of the client decides", () => {
    const local = { externalTrafficPolicy: "Local" };
    expect(texts(open(typed("NodePort", local), policy("shop", "web", ingressOnly(RANGE))))).toEqual([
      "allow node-port",
    ]);
    expect(texts(open(typed("NodePort"), policy("shop", "web", ingressOnly(RANGE))))).toEqual([
      "unsure node-port (source-address)",
    ]);
    const closed = open(typed("NodePort", local), policy("shop", "web", ingressOnly(RANGE)));
    expect(texts(closed, { from: "ip:198.51.100.1" })).toEqual(["deny node-port"]);
    const nodes = { from: [{ ipBlock: { cidr: "10.0.0.0/24" } }] };
    expect(texts(open(typed("NodePort"), policy("shop", "web", ingressOnly(RANGE, nodes))))).toEqual([
      "allow node-port",
    ]);
  });

  test("[SVC-15] source ranges of a load balancer, and none at its node port", () => {
    const limited = typed("LoadBalancer", {
      externalTrafficPolicy: "Local",
      loadBalancerSourceRanges: ["203.0.113.0/24"],
    });
    const cilium = engineOf("cilium", [SHOP, limited]);
    expect(texts(cilium)).toEqual(["allow load-balancer", "allow node-port"]);
    expect(texts(cilium, { from: "ip:198.51.100.1" })).toEqual(["deny load-balancer", "allow node-port"]);
    expect(texts(open(limited), { from: "ip:198.51.100.1" })).toEqual([
      "unsure load-balancer (undefined-by-specification)",
      "allow node-port",
    ]);
  });

  test("[WL-15] ports of the host, of pods with and without a network of their own", () => {
    const edge = pod("shop", "edge", "N1", "10.244.1.40", { app: "edge" }, [{ containerPort: 8080, hostPort: 80 }]);
    expect(texts(open(edge), { to: "shop/edge" })).toEqual(["allow host-port"]);
    const range = policy("shop", "edge", ingressOnly(RANGE));
    expect(texts(open(edge, range), { to: "shop/edge", from: "ip:198.51.100.1" })).toEqual(["deny host-port"]);
    const host = pod("shop", "host", "N1", "10.0.0.1", { app: "edge" }, [{ containerPort: 8080 }], {
      hostNetwork: true,
    });
    expect(texts(open(host, range), { to: "shop/host", from: "ip:198.51.100.1" })).toEqual(["allow host-network"]);
  });

  test("[SVC-17] addresses outside that fare alike are one, others are apart", () => {
    const engine = open(
      typed("NodePort", { externalTrafficPolicy: "Local" }),
      policy("shop", "web", ingressOnly(RANGE)),
    );
    const found = paths(engine, { from: "internet" });
    expect(found.map((path) => path.verdict)).toEqual(["deny", "allow"]);
    expect(found[1]?.from).toBe("203.0.113.0/24");
    expect(paths(open(typed("NodePort")), { from: "internet" }).map((path) => path.from)).toEqual(["internet"]);
  });

  test("[SVC-08] of a Service the Service's port is asked, and other Services do not count", () => {
    const engine = open(typed("NodePort"));
    expect(texts(engine, { to: "shop/Service/front", port: 80 })).toEqual(["allow node-port"]);
    expect(texts(engine, { to: "shop/Service/front", port: 8080 })).toEqual([]);
    expect(texts(engine, { to: "shop/Service/web", port: 80 })).toEqual([]);
  });
});

describe("Ingress", () => {
  const rule = ingress("a.example", { "/": "web" });

  test("[ING-07] [KX-92] two connections: the pod sees the controller, not the client", () => {
    const all = [...NGINX, balancer(), rule];
    expect(texts(open(...all))).toEqual(["allow Ingress/shop/i"]);
    expect(texts(open(...all, policy("shop", "web", ingressOnly(RANGE))))).toEqual(["deny Ingress/shop/i"]);
    expect(texts(open(...all, policy("shop", "web", ingressOnly(FROM_INGRESS))))).toEqual(["allow Ingress/shop/i"]);
  });

  test("[ING-07] every hop is told", () => {
    const engine = open(...NGINX, balancer(), rule, policy("shop", "web", ingressOnly(FROM_INGRESS)));
    expect(hops(paths(engine)[0])).toEqual([
      "load balancer of ingress/Service/nginx",
      "ingress/Service/nginx 80 → 80",
      "ingress of ingress/Pod/nginx: allow",
      "ingress/Pod/nginx ends: allow",
      "shop/Service/web 80 → 8080",
      "egress of ingress/Pod/nginx: allow",
      "ingress of shop/Pod/web: allow",
    ]);
  });

  test("[ING-07] the controller's own policies count on both connections", () => {
    const label = { podSelector: { matchLabels: { "app.kubernetes.io/name": "ingress-nginx" } } };
    const own = (spec: Fields): string => policy("ingress", "x", { ...label, ...spec });
    const all = [...NGINX, balancer(), rule];
    expect(texts(open(...all, own(ingressOnly(RANGE))))).toEqual(["allow Ingress/shop/i"]);
    expect(texts(open(...all, own(ingressOnly(RANGE))), { from: "ip:198.51.100.1" })).toEqual(["deny Ingress/shop/i"]);
    expect(texts(open(...all, own({ policyTypes: ["Egress"] })))).toEqual(["deny Ingress/shop/i"]);
    expect(texts(open(...all, own({ policyTypes: ["Egress"], egress: [{ ports: [{ port: 8080 }] }] })))).toEqual([
      "allow Ingress/shop/i",
    ]);
  });

  test("[ING-04] which request goes where", () => {
    const api = service("shop", "api", { selector: { app: "db" }, ports: [{ port: 80, targetPort: 8080 }] });
    const engine = open(...NGINX, balancer(), api, ingress("a.example", { "/": "web", "/api": "api" }));
    expect(texts(engine, { host: "a.example", path: "/x" })).toEqual(["allow Ingress/shop/i"]);
    expect(texts(engine, { host: "A.EXAMPLE:80", path: "/x" })).toEqual(["allow Ingress/shop/i"]);
    expect(texts(engine, { host: "a.example", path: "/api/x" })).toEqual(["deny Ingress/shop/i"]);
    expect(texts(engine, { to: "shop/db", host: "a.example", path: "/api/x" })).toEqual(["allow Ingress/shop/i"]);
    expect(texts(engine, { host: "b.example", path: "/x" })).toEqual(["deny Ingress/shop/i"]);
    // A request that names no host may be for this one.
    expect(texts(engine, { path: "/x" })).toEqual(["unsure Ingress/shop/i (application-rule)"]);
    const [web] = paths(engine);
    expect(web?.requests.must.key).toBe(web?.requests.may.key);
    expect(web === undefined ? [] : showApplication(web.requests.must).boxes.map((box) => box.host)).toEqual([
      "a[.]example",
    ]);
  });

  test("[ING-05] a host with a TLS entry is entered on port 443", () => {
    const secured = ingress("a.example", { "/": "web" }, { tls: [{ hosts: ["a.example"] }] });
    const plainOnly = balancer({ ports: [{ name: "http", port: 80, targetPort: 80 }] });
    expect(paths(open(...NGINX, balancer(), secured))[0]?.dialled).toBe("an address of the provider, port 443");
    expect(paths(open(...NGINX, balancer(), rule))[0]?.dialled).toBe("an address of the provider, port 80");
    expect(texts(open(...NGINX, plainOnly, secured))).toEqual(["unsure Ingress/shop/i (missing-object)"]);
  });

  test("[ING-01] [KX-94] nobody serves it", () => {
    const [path] = paths(open(rule));
    expect(path?.verdict).toBe("deny");
    expect(path?.hops[0]).toMatchObject({
      at: "Ingress/shop/i",
      detail: "no IngressClass is called nginx, and no controller for it is in the input",
    });
  });

  test("[ING-01] who serves it is not known", () => {
    const [, nginxClass = ""] = NGINX;
    expect(texts(open(nginxClass, rule))).toEqual(["unsure Ingress/shop/i (controller-unknown)"]);
  });

  test("[ING-07] nothing in the input leads to the controller", () => {
    expect(texts(open(...NGINX, rule))).toEqual(["unsure Ingress/shop/i (missing-object)"]);
    expect(texts(open(...NGINX, rule, policy("shop", "web", ingressOnly(RANGE))))).toEqual(["deny Ingress/shop/i"]);
  });

  test("[ING-07] a controller on the network of its node is seen as the node", () => {
    const host = NGINX.map((text) =>
      text.replace('"nodeName":"N2"', '"nodeName":"N2","hostNetwork":true').replaceAll("10.244.2.50", "10.0.0.2"),
    );
    const node = { from: [{ ipBlock: { cidr: "10.0.0.2/32" } }] };
    expect(texts(open(...host, rule, policy("shop", "web", ingressOnly(node))))).toEqual(["allow Ingress/shop/i"]);
    expect(texts(open(...host, rule, policy("shop", "web", ingressOnly(FROM_INGRESS))))).toEqual([
      "deny Ingress/shop/i",
    ]);
  });

  test("[ING-07] a load balancer of the provider comes from addresses that are not known", () => {
    const alb = `{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: nginx}, spec: {controller: ingress.k8s.aws/alb}}`;
    expect(texts(open(alb, rule))).toEqual(["allow Ingress/shop/i"]);
    expect(paths(open(alb, rule, policy("shop", "web", ingressOnly(RANGE))))[0]?.verdict).toBe("unsure");
  });

  test("[ING-02] [KX-93] the Service is one of the Ingress' own namespace", () => {
    const x = service("pay", "web", { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] });
    const engine = open(...NGINX, balancer(), x, rule);
    expect(texts(engine, { to: "pay/x" })).toEqual([]);
    expect(texts(engine)).toEqual(["allow Ingress/shop/i"]);
  });

  test("[ING-03] [KX-88] a default backend takes every host and path", () => {
    const all = JSON.stringify({
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name: "d", namespace: "shop" },
      spec: { ingressClassName: "nginx", defaultBackend: { service: { name: "web", port: { number: 80 } } } },
    });
    expect(texts(open(...NGINX, balancer(), all), { host: "any.example", path: "/any" })).toEqual([
      "allow Ingress/shop/d",
    ]);
  });
});

describe("Cilium's own proxy", () => {
  const rule = ingress("a.example", { "/": "web" }).replace('"nginx"', '"cilium"');
  const cnp = (kind: string, spec: Fields): string =>
    JSON.stringify({
      apiVersion: "cilium.io/v2",
      kind,
      metadata: { name: "c", ...(kind === "CiliumNetworkPolicy" ? { namespace: "shop" } : {}) },
      spec,
    });
  const web = (entry: Fields): string =>
    cnp("CiliumNetworkPolicy", { endpointSelector: { matchLabels: { app: "web" } }, ingress: [entry] });
  const onIngress = (spec: Fields): string =>
    cnp("CiliumClusterwideNetworkPolicy", {
      endpointSelector: { matchExpressions: [{ key: "reserved:ingress", operator: "Exists" }] },
      ...spec,
    });
  const cilium = (...more: readonly string[]): Engine => engineOf("cilium", [SHOP, WEB, rule, ...more]);

  test.each([
    ["world", "deny"],
    ["ingress", "allow"],
    ["cluster", "allow"],
  ])("[R8.5] [EX-66] the pod sees the identity of the proxy: from %s %s", (entity, expected) => {
    expect(texts(cilium(web({ fromEntities: [entity] })))).toEqual([`${expected} Ingress/shop/i`]);
  });

  test("[R8.5] [EX-66] policies on the proxy decide who may come", () => {
    const only = onIngress({ ingress: [{ fromCIDR: ["203.0.113.0/24"] }] });
    expect(texts(cilium(only))).toEqual(["allow Ingress/shop/i"]);
    expect(texts(cilium(only), { from: "ip:198.51.100.1" })).toEqual(["deny Ingress/shop/i"]);
    const toDb = onIngress({ egress: [{ toEndpoints: [{ matchLabels: { "k8s:app": "db" } }] }] });
    expect(texts(cilium(toDb))).toEqual(["deny Ingress/shop/i"]);
  });

  test("[R8.5] [ING-04] requests must pass the rule of the Ingress and that of the policy", () => {
    const http = web({
      fromEntities: ["ingress"],
      toPorts: [{ ports: [{ port: "8080", protocol: "TCP" }], rules: { http: [{ path: "/public/.*" }] } }],
    });
    const engine = cilium(http);
    expect(texts(engine, { host: "a.example", path: "/public/x" })).toEqual(["allow Ingress/shop/i"]);
    expect(texts(engine, { host: "a.example", path: "/private" })).toEqual(["deny Ingress/shop/i"]);
    expect(texts(engine)).toEqual(["allow Ingress/shop/i"]);
    const [path] = paths(engine);
    expect(path === undefined ? [] : showApplication(path.requests.must).boxes).toMatchObject([
      { path: "/public/.*", host: "a[.]example" },
    ]);
    // No request passes both.
    const disjoint = engineOf("cilium", [SHOP, WEB, rule.replace('"path":"/"', '"path":"/private"'), http]);
    expect(texts(disjoint)).toEqual(["deny Ingress/shop/i"]);
  });

  test("[R8.4] a straight way shows the client, by Cilium's rules", () => {
    const direct = service("shop", "front", {
      type: "NodePort",
      externalTrafficPolicy: "Local",
      selector: { app: "web" },
      ports: [{ port: 80, targetPort: 8080, nodePort: 30080 }],
    });
    expect(texts(cilium(direct, web({ fromEntities: ["world"] })))).toEqual(["allow node-port", "deny Ingress/shop/i"]);
    expect(texts(cilium(direct, web({ fromEntities: ["ingress"] })))).toEqual([
      "deny node-port",
      "allow Ingress/shop/i",
    ]);
  });
});

describe("Gateway API", () => {
  const group = "gateway.networking.k8s.io";
  const gateway = JSON.stringify({
    apiVersion: `${group}/v1`,
    kind: "Gateway",
    metadata: { name: "gw", namespace: "shop" },
    spec: { gatewayClassName: "c", listeners: [{ name: "http", port: 8000, protocol: "HTTP" }] },
  });
  const made = pod("shop", "proxy", "N2", "10.244.2.60", { [`${group}/gateway-name`]: "gw" }, [
    { containerPort: 18000 },
  ]);
  const front = service("shop", "gw", {
    type: "LoadBalancer",
    externalTrafficPolicy: "Local",
    allocateLoadBalancerNodePorts: false,
    selector: { [`${group}/gateway-name`]: "gw" },
    ports: [{ port: 8000, targetPort: 18000 }],
  });
  const of = `{apiVersion: ${group}/v1, kind: GatewayClass, metadata: {name: c}, spec: {controllerName: example.com/c}}`;
  const route = (backend: Fields, rest: Fields = {}, parent: Fields = {}): string =>
    JSON.stringify({
      apiVersion: `${group}/v1`,
      kind: "HTTPRoute",
      metadata: { name: "r", namespace: "shop" },
      spec: {
        parentRefs: [{ name: "gw", ...parent }],
        hostnames: ["a.example"],
        rules: [{ backendRefs: [{ port: 80, ...backend }], ...rest }],
      },
    });
  const all = [gateway, made, front, of];
  const xSvc = service("pay", "x-svc", { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] });
  const grant = JSON.stringify({
    apiVersion: `${group}/v1beta1`,
    kind: "ReferenceGrant",
    metadata: { name: "g", namespace: "pay" },
    spec: { from: [{ group, kind: "HTTPRoute", namespace: "shop" }], to: [{ group: "", kind: "Service" }] },
  });

  test("[GW-10] as with Ingress, two connections", () => {
    const engine = open(...all, route({ name: "web" }));
    expect(texts(engine)).toEqual(["allow HTTPRoute/shop/r"]);
    expect(hops(paths(engine)[0])).toEqual([
      "load balancer of shop/Service/gw",
      "shop/Service/gw 8000 → 18000",
      "ingress of shop/Pod/proxy: allow",
      "shop/Pod/proxy ends: allow",
      "shop/Service/web 80 → 8080",
      "egress of shop/Pod/proxy: allow",
      "ingress of shop/Pod/web: allow",
    ]);
    expect(texts(open(...all, route({ name: "web" }), policy("shop", "web", ingressOnly(RANGE))))).toEqual([
      "deny HTTPRoute/shop/r",
    ]);
  });

  test("[GW-11] [KX-98] [KX-95] a grant lets the route through, and opens nothing in the policies", () => {
    const abroad = route({ name: "x-svc", namespace: "pay" });
    expect(texts(open(...all, xSvc, abroad), { to: "pay/x" })).toEqual(["deny HTTPRoute/shop/r"]);
    expect(texts(open(...all, xSvc, abroad, grant), { to: "pay/x" })).toEqual(["allow HTTPRoute/shop/r"]);
    const closed = policy("pay", "web", { policyTypes: ["Ingress"] });
    expect(texts(open(...all, xSvc, abroad, grant, closed), { to: "pay/x" })).toEqual(["deny HTTPRoute/shop/r"]);
    const [path] = paths(open(...all, xSvc, abroad), { to: "pay/x" });
    expect(path?.hops.at(-1)).toMatchObject({ kind: "terminate", verdict: "deny" });
  });

  test("[GW-07] [KX-97] a route that hangs nowhere is said to, at its place", () => {
    const [path] = paths(open(...all, route({ name: "web" }, {}, { namespace: "infra" })));
    expect(path).toMatchObject({ verdict: "deny", through: { object: "HTTPRoute/shop/r" } });
    expect(path?.hops).toMatchObject([{ detail: "not attached: Gateway infra/gw is not in the input" }]);
  });

  test("[GW-08] [KX-100] a backend of weight 0 gets nothing", () => {
    expect(texts(open(...all, route({ name: "web", weight: 0 })))).toEqual(["deny HTTPRoute/shop/r"]);
  });

  test("[GW-03] a rewritten request is judged behind as what it has become", () => {
    const rewrite = {
      matches: [{ path: { type: "PathPrefix", value: "/shop" } }],
      filters: [{ type: "URLRewrite", urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/" } } }],
    };
    const http = JSON.stringify({
      apiVersion: "cilium.io/v2",
      kind: "CiliumNetworkPolicy",
      metadata: { name: "c", namespace: "shop" },
      spec: {
        endpointSelector: { matchLabels: { app: "web" } },
        ingress: [
          { toPorts: [{ ports: [{ port: "8080", protocol: "TCP" }], rules: { http: [{ path: "/public" }] } }] },
        ],
      },
    });
    const engine = engineOf("cilium", [SHOP, WEB, ...all, route({ name: "web" }, rewrite), http]);
    expect(texts(engine, { host: "a.example", path: "/shop/public" })).toEqual(["allow HTTPRoute/shop/r"]);
    expect(texts(engine, { host: "a.example", path: "/public" })).toEqual(["deny HTTPRoute/shop/r"]);
    expect(texts(engine, { host: "a.example", path: "/shop/private" })).toEqual(["deny HTTPRoute/shop/r"]);
    expect(texts(engine)).toEqual(["unsure HTTPRoute/shop/r (application-rule)"]);
  });

  test("[GW-04] a stream and TLS that passes through", () => {
    const listeners = [
      { name: "tcp", port: 8000, protocol: "TCP" },
      { name: "tls", port: 8443, protocol: "TLS", tls: { mode: "Passthrough" } },
    ];
    const both = gateway.replace(/"listeners":\[.*\]/, `"listeners":${JSON.stringify(listeners)}`);
    const ports = front.replace(
      /"ports":\[.*\]/,
      `"ports":[{"name":"a","port":8000,"targetPort":18000},{"name":"b","port":8443,"targetPort":18443}]`,
    );
    const of4 = (kind: string, hostnames: Fields): string =>
      JSON.stringify({
        apiVersion: `${group}/v1alpha2`,
        kind,
        metadata: { name: kind.toLowerCase(), namespace: "shop" },
        spec: { parentRefs: [{ name: "gw" }], ...hostnames, rules: [{ backendRefs: [{ name: "web", port: 80 }] }] },
      });
    const engine = open(both, made, ports, of, of4("TCPRoute", {}), of4("TLSRoute", { hostnames: ["a.example"] }));
    expect(texts(engine)).toEqual(["allow TCPRoute/shop/tcproute", "allow TLSRoute/shop/tlsroute"]);
    expect(texts(engine, { host: "b.example", path: "/" })).toEqual([
      "allow TCPRoute/shop/tcproute",
      "deny TLSRoute/shop/tlsroute",
    ]);
  });

  test("[GW-01] without its class nothing is exposed", () => {
    expect(texts(open(gateway, route({ name: "web" })))).toEqual(["deny HTTPRoute/shop/r"]);
  });
});

describe("the two applications", () => {
  const folder = join(import.meta.dirname, "../../examples/two-applications");
  const files = (path: string): string[] =>
    readdirSync(join(folder, path))
      .filter((name) => /\.ya?ml$/.test(name) && !name.endsWith(".expect.yaml"))
      .map((name) => readFileSync(join(folder, path, name), "utf8"));
  const story = (...policies: readonly string[]): Engine =>
    engineOf("cilium", [...files("."), ...policies.flatMap(files)]);
  const asked = { from: "internet", to: "default/service-a", port: 80 };

  test("[R8.5] [ING-07] the Ingress of the story is followed to the pod", () => {
    const after = ["policies/cilium"];
    const mended = [...after, "policies/cilium-ingress"];
    expect(texts(story(), asked)).toEqual(["allow Ingress/default/applications"]);
    expect(texts(story(...after), asked)).toEqual(["deny Ingress/default/applications"]);
    expect(texts(story(...mended), asked)).toEqual(["allow Ingress/default/applications"]);
    expect(texts(story(...after), { ...asked, to: "default/service-b" })).toEqual([
      "allow Ingress/default/applications",
    ]);
    expect(texts(story(...mended), { ...asked, host: "a.example.com", path: "/x" })).toEqual([
      "allow Ingress/default/applications",
    ]);
    expect(texts(story(...mended), { ...asked, host: "b.example.com", path: "/x" })).toEqual([
      "deny Ingress/default/applications",
    ]);
    // Straight from outside nothing has changed: the policy of the story does not name the outside.
    const direct = story(...mended).why({ from: "internet", to: "default/service-a", protocol: "TCP", port: 80 });
    expect(direct.verdict).toBe("deny");
  });
});

describe("what nobody knows of a rewrite", () => {
  const objects = [
    `{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: c}, spec: {controllerName: io.cilium/gateway-controller}}`,
    `{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: gw, namespace: shop}, spec: {gatewayClassName: c, listeners: [{name: http, port: 80, protocol: HTTP}]}}`,
    `{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: web, namespace: shop}, spec: {endpointSelector: {matchLabels: {app: web}}, ingress: [{fromEntities: [ingress], toPorts: [{ports: [{port: "8080", protocol: TCP}], rules: {http: [{path: "/new"}]}}]}]}}`,
  ];
  const behind = (filter: Fields): Engine =>
    engineOf("cilium", [
      SHOP,
      WEB,
      ...objects,
      JSON.stringify({
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "HTTPRoute",
        metadata: { name: "r", namespace: "shop" },
        spec: {
          parentRefs: [{ name: "gw" }],
          rules: [{ filters: [filter], backendRefs: [{ name: "web", port: 80 }] }],
        },
      }),
    ]);

  test("a filter that is not known may make any path of the request: a rule for one behind it may pass or not", () => {
    const filter = { type: "ExtensionRef", extensionRef: { group: "x", kind: "Middleware", name: "strip" } };
    const [path] = paths(behind(filter), { host: "a.example", path: "/old" });
    expect(path?.verdict).toBe("unsure");
    expect(path?.because.map(({ code }) => code)).toContain("opaque-application-rule");
  });

  test("the reason is the rewrite, not the limit of a search", () => {
    const [path] = paths(behind({ type: "URLRewrite", urlRewrite: {} }), { host: "a.example", path: "/old" });
    expect(path?.verdict).toBe("unsure");
    expect(path?.because.map(({ code }) => code)).toEqual(["application-rule"]);
  });
});
