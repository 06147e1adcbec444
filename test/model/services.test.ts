import { describe, expect, test } from "vitest";
import { formatAddress, formatRange } from "../../src/net/address.ts";
import { type Backend, resolveService } from "../../src/model/backends.ts";
import { podsAt } from "../../src/model/world-index.ts";
import type { World } from "../../src/model/world.ts";
import { parseAddress } from "../../src/net/address.ts";
import { build, controller, errors, findings, object, objects, pod, service, serviceText, worldOf } from "./input.ts";

const PORT = "ports: [{port: 80}]";

describe("Services", () => {
  test("[SVC-01] a Service is a ClusterIP unless told, with its address", () => {
    const { type, headless, clusterIPs } = service(worldOf(serviceText("s", `{clusterIP: 10.96.0.20, ${PORT}}`)), "s");
    expect([type, headless, clusterIPs.map(formatAddress)]).toEqual(["ClusterIP", false, ["10.96.0.20"]]);
  });

  test("[SVC-01] a dual-stack Service has an address a family", () => {
    const text = serviceText("s", `{clusterIP: 10.96.0.20, clusterIPs: [10.96.0.20, "fd00::20"], ${PORT}}`);
    expect(service(worldOf(text), "s").clusterIPs.map(formatAddress)).toEqual(["10.96.0.20", "fd00::20"]);
  });

  test("[SVC-02] clusterIP None makes it headless, which needs no ports", () => {
    const { headless, clusterIPs, ports } = service(worldOf(serviceText("s", "{clusterIP: None}")), "s");
    expect([headless, clusterIPs, ports]).toEqual([true, [], []]);
  });

  test.each([
    ["NodePort", [30080, undefined]],
    ["LoadBalancer", [30080, undefined]],
  ])("[SVC-03] a %s may name its node port, else the cluster picks one", (type, nodePorts) => {
    const ports = "ports: [{name: a, port: 80, nodePort: 30080}, {name: b, port: 81}]";
    expect(service(worldOf(serviceText("s", `{type: ${type}, ${ports}}`)), "s").ports.map((p) => p.nodePort)).toEqual(
      nodePorts,
    );
  });

  test.each([
    ["false", true],
    ["true", undefined],
  ])("[SVC-04] a load balancer with allocateLoadBalancerNodePorts: %s", (value, without) => {
    const text = serviceText("s", `{type: LoadBalancer, allocateLoadBalancerNodePorts: ${value}, ${PORT}}`);
    expect(service(worldOf(text), "s").withoutNodePorts).toBe(without);
  });

  test.each([
    ["what the provider has given", "{loadBalancer: {ingress: [{ip: 203.0.113.9}]}}", ["203.0.113.9"]],
    ["else what it asks for", "{}", ["203.0.113.1"]],
  ])("[SVC-04] a load balancer has %s as address", (_, status, expected) => {
    const text = serviceText("s", `{type: LoadBalancer, loadBalancerIP: 203.0.113.1, ${PORT}}`, { status });
    expect(service(worldOf(text), "s").loadBalancerAddresses.map(formatAddress)).toEqual(expected);
  });

  test("[SVC-05] an ExternalName is a name and has no backends, whatever its selector says", () => {
    const world = worldOf(
      objects(
        serviceText("s", `{type: ExternalName, externalName: db.example.com, selector: {app: a}, ${PORT}}`),
        pod("p", { labels: "{app: a}" }),
      ),
    );
    expect(service(world, "s").externalName).toBe("db.example.com");
    expect(resolveService(world, service(world, "s"))).toEqual([]);
  });

  test("[SVC-06] externalIPs are addresses", () => {
    const text = serviceText("s", `{externalIPs: [198.51.100.7], ${PORT}}`);
    expect(service(worldOf(text), "s").externalIPs.map(formatAddress)).toEqual(["198.51.100.7"]);
    expect(errors(serviceText("s", `{externalIPs: [example.com], ${PORT}}`))).toEqual(["BH246"]);
  });

  test.each([
    ["the port itself when absent", "{port: 80}", 80],
    ["the port itself when 0", "{port: 80, targetPort: 0}", 80],
    ["a number", "{port: 80, targetPort: 8080}", 8080],
    ["a name", "{port: 80, targetPort: http}", "http"],
  ])("[SVC-08] the target port is %s", (_, port, expected) => {
    expect(service(worldOf(serviceText("s", `{ports: [${port}]}`)), "s").ports[0]?.targetPort).toBe(expected);
  });

  test("[SVC-11] traffic policies are Cluster unless told", () => {
    const { externalTrafficPolicy, internalTrafficPolicy } = service(worldOf(serviceText("s", `{${PORT}}`)), "s");
    expect([externalTrafficPolicy, internalTrafficPolicy]).toEqual(["Cluster", "Cluster"]);
    const local = serviceText(
      "s",
      `{type: NodePort, externalTrafficPolicy: Local, internalTrafficPolicy: Local, ${PORT}}`,
    );
    expect(service(worldOf(local), "s")).toMatchObject({
      externalTrafficPolicy: "Local",
      internalTrafficPolicy: "Local",
    });
  });

  test.each([
    ["the field", "loadBalancerSourceRanges: ['10.0.0.0/8 ', 192.0.2.0/24], ", "", ["10.0.0.0/8", "192.0.2.0/24"]],
    [
      "the old annotation",
      "",
      "annotations: {service.beta.kubernetes.io/load-balancer-source-ranges: '10.0.0.0/8, 192.0.2.0/24'}",
      ["10.0.0.0/8", "192.0.2.0/24"],
    ],
    ["nothing", "", "", undefined],
  ])("[SVC-15] clients of a load balancer are limited by %s", (_, field, metadata, expected) => {
    const text = serviceText("s", `{type: LoadBalancer, ${field}${PORT}}`, metadata === "" ? {} : { metadata });
    expect(service(worldOf(text), "s").sourceRanges?.map(formatRange)).toEqual(expected);
  });
});

describe("Services that a cluster refuses", () => {
  test.each([
    ["externalTrafficPolicy on a ClusterIP", `externalTrafficPolicy: Local, ${PORT}`, ["BH244"]],
    ["the same with externalIPs", `externalTrafficPolicy: Local, externalIPs: [198.51.100.7], ${PORT}`, []],
    ["the same on a NodePort", `type: NodePort, externalTrafficPolicy: Local, ${PORT}`, []],
    ["an unknown traffic policy", `type: NodePort, externalTrafficPolicy: local, ${PORT}`, ["BH205"]],
    ["source ranges on a NodePort", `type: NodePort, loadBalancerSourceRanges: [10.0.0.0/8], ${PORT}`, ["BH244"]],
    ["source ranges on a LoadBalancer", `type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8], ${PORT}`, []],
    ["a source range that is none", `type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.1], ${PORT}`, ["BH246"]],
    ["a port name twice", "ports: [{name: a, port: 1}, {name: a, port: 2}]", ["BH244"]],
    ["a port and protocol twice", "ports: [{name: a, port: 1}, {name: b, port: 1}]", ["BH244"]],
    ["a port in two protocols", "ports: [{name: a, port: 1}, {name: b, port: 1, protocol: UDP}]", []],
    ["two ports, one without a name", "ports: [{port: 1}, {name: b, port: 2}]", ["BH244"]],
    ["one port without a name", "ports: [{port: 1}]", []],
    ["no ports", "selector: {app: a}", ["BH244"]],
    ["no ports, headless", "clusterIP: None, selector: {app: a}", []],
    ["ExternalName without a name", "type: ExternalName", ["BH244"]],
    ["ExternalName with a name", "type: ExternalName, externalName: example.com", []],
    ["headless NodePort", `type: NodePort, clusterIP: None, ${PORT}`, ["BH244"]],
    ["an unknown type", `type: Clusterip, ${PORT}`, ["BH205"]],
    ["port 0", "ports: [{port: 0}]", ["BH204"]],
    ["port 70000", "ports: [{port: 70000}]", ["BH204"]],
    ["a target port of quoted digits", "ports: [{port: 80, targetPort: '8080'}]", ["BH241"]],
    ["a target port out of range", "ports: [{port: 80, targetPort: 70000}]", ["BH204"]],
    ["a node port on a ClusterIP", "ports: [{port: 80, nodePort: 30080}]", ["BH244"]],
    ["a protocol in lower case", "ports: [{port: 80, protocol: tcp}]", ["BH205"]],
    ["a selector that is no map of text", `selector: {app: 1}, ${PORT}`, ["BH203"]],
  ])("[SVC-16] a Service with %s", (_, spec, codes) => {
    expect(errors(serviceText("s", `{${spec}}`))).toEqual(codes);
  });

  test("[SVC-16] a node port outside the default range draws a warning", () => {
    const text = (nodePort: number): string =>
      serviceText("s", `{type: NodePort, ports: [{port: 80, nodePort: ${nodePort}}]}`);
    expect(findings(text(29999), "BH310")).toHaveLength(1);
    expect(findings(text(30000), "BH310")).toHaveLength(0);
    expect(findings(text(32767), "BH310")).toHaveLength(0);
    expect(findings(text(32768), "BH310")).toHaveLength(1);
  });

  test("[SVC-16] a node port or address that is taken refuses the second Service", () => {
    const one = (name: string, spec: string): string => serviceText(name, `{type: NodePort, ${spec}}`);
    const port = (nodePort: number): string => `ports: [{port: 80, nodePort: ${nodePort}}]`;
    const clash = build(objects(one("a", port(30080)), one("b", port(30080)), one("c", port(30081))));
    expect(clash.world.services.map(({ name }) => name)).toEqual(["a", "c"]);
    expect(clash.account.refused.map(({ name }) => name)).toEqual(["b"]);
    expect(
      errors(objects(one("a", `clusterIP: 10.96.0.1, ${PORT}`), one("b", `clusterIP: 10.96.0.1, ${PORT}`))),
    ).toEqual(["BH244"]);
    expect(
      errors(objects(one("a", `clusterIP: 10.96.0.1, ${PORT}`), one("b", `clusterIP: 10.96.0.2, ${PORT}`))),
    ).toEqual([]);
  });
});

/** Backends as `name:port`. */
function backends(world: World, name: string): string[][] {
  const text = (backend: Backend): string => {
    if (backend.kind === "address") return `${formatAddress(backend.address)}:${backend.port}`;
    return `${backend.pod.name}:${backend.port}${backend.member === "maybe" ? "?" : ""}`;
  };
  return resolveService(world, service(world, name)).map((port) => port.backends.map(text));
}

const HTTP = (port: number): string => `[{name: http, containerPort: ${port}}]`;

describe("backends", () => {
  test("[SVC-07] the selector is an equality map in the Service's own namespace", () => {
    const world = worldOf(
      objects(
        serviceText("s", `{selector: {app: a, tier: x}, ${PORT}}`),
        pod("both", { labels: "{app: a, tier: x, more: y}" }),
        pod("one", { labels: "{app: a}" }),
        pod("elsewhere", { namespace: "other", labels: "{app: a, tier: x}" }),
      ),
    );
    expect(backends(world, "s")).toEqual([["both:80"]]);
  });

  test("[SVC-07] an empty selector selects nothing, as if there were none", () => {
    const world = worldOf(objects(serviceText("s", `{selector: {}, ${PORT}}`), pod("p", { labels: "{app: a}" })));
    expect(backends(world, "s")).toEqual([[]]);
    expect(service(world, "s").selector).toBeUndefined();
  });

  test("[SVC-08] a named target port is looked up in each pod, and may differ or be missing", () => {
    const world = worldOf(
      objects(
        serviceText("s", "{selector: {app: web}, ports: [{port: 80, targetPort: http}]}"),
        pod("web", { labels: "{app: web}", ports: HTTP(8080) }),
        pod("web2", { labels: "{app: web}", ports: HTTP(9000) }),
        pod("web3", { labels: "{app: web}" }),
        pod("web4", { labels: "{app: web}", ports: "[{name: http, containerPort: 8080, protocol: UDP}]" }),
      ),
    );
    expect(backends(world, "s")).toEqual([["web:8080", "web2:9000"]]);
  });

  test("[SVC-08] the first declaration of a name counts", () => {
    const world = worldOf(
      objects(
        serviceText("s", "{selector: {app: web}, ports: [{port: 80, targetPort: http}]}"),
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: web}}\nspec: {containers: [{ports: [{name: http, containerPort: 1}]}, {ports: [{name: http, containerPort: 2}]}]}",
      ),
    );
    expect(backends(world, "s")).toEqual([["p:1"]]);
  });

  test("[SVC-08] each port of a Service has its own backends", () => {
    const world = worldOf(
      objects(
        serviceText("s", "{selector: {app: a}, ports: [{name: x, port: 80, targetPort: 8080}, {name: y, port: 81}]}"),
        controller("Deployment", "d"),
      ),
    );
    expect(backends(world, "s")).toEqual([["d:8080"], ["d:81"]]);
  });

  test("[SVC-07] a label that only the cluster knows makes a backend uncertain", () => {
    const select = (selector: string): string[][] =>
      backends(
        worldOf(objects(serviceText("s", `{selector: ${selector}, ${PORT}}`), controller("Deployment", "d"))),
        "s",
      );
    expect(select("{app: a, pod-template-hash: x}")).toEqual([["d:80?"]]);
    expect(select("{app: b, pod-template-hash: x}")).toEqual([[]]);
    expect(select("{app: a}")).toEqual([["d:80"]]);
  });

  test("[WL-05] a Service selects one pod of a StatefulSet by its name", () => {
    const world = worldOf(
      objects(
        serviceText("s", `{selector: {statefulset.kubernetes.io/pod-name: db-1}, ${PORT}}`),
        controller("StatefulSet", "db", { own: "replicas: 3" }),
      ),
    );
    expect(backends(world, "s")).toEqual([["db-1:80"]]);
  });

  test.each([
    ["not ready", "False", "false", []],
    ["not ready, and published all the same", "False", "true", ["p:80"]],
    ["ready", "True", "false", ["p:80"]],
  ])("[SVC-09] a pod that is %s", (_, ready, publish, expected) => {
    const world = worldOf(
      objects(
        serviceText("s", `{selector: {app: a}, publishNotReadyAddresses: ${publish}, ${PORT}}`),
        pod("p", { labels: "{app: a}", status: `{conditions: [{type: Ready, status: '${ready}'}]}` }),
      ),
    );
    expect(backends(world, "s")).toEqual([expected]);
  });

  test("[SVC-09] a pod of which nothing is told is taken as ready", () => {
    const world = worldOf(objects(serviceText("s", `{selector: {app: a}, ${PORT}}`), pod("p", { labels: "{app: a}" })));
    expect(backends(world, "s")).toEqual([["p:80"]]);
  });
});

const slice = (endpoints: string, ports: string, labels = "{kubernetes.io/service-name: s}"): string =>
  `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s-1, labels: ${labels}}\naddressType: IPv4\nendpoints: ${endpoints}\nports: ${ports}`;

describe("hand-written endpoints", () => {
  test("[SVC-07] they serve a Service without a selector, at their own port", () => {
    const world = worldOf(
      objects(
        serviceText("s", "{ports: [{port: 80, targetPort: 99}]}"),
        slice("[{addresses: [203.0.113.9]}]", "[{port: 5432}]"),
      ),
    );
    expect(backends(world, "s")).toEqual([["203.0.113.9:5432"]]);
  });

  test("[SVC-07] an Endpoints object of the Service's name does the same, and both once", () => {
    const endpoints =
      "apiVersion: v1\nkind: Endpoints\nmetadata: {name: s}\nsubsets: [{addresses: [{ip: 203.0.113.9}], ports: [{port: 5432}]}]";
    const world = worldOf(
      objects(serviceText("s", `{${PORT}}`), endpoints, slice("[{addresses: [203.0.113.9]}]", "[{port: 5432}]")),
    );
    expect(backends(world, "s")).toEqual([["203.0.113.9:5432"]]);
  });

  test("[SVC-07] ports meet by name and protocol", () => {
    const world = worldOf(
      objects(
        serviceText("s", "{ports: [{name: a, port: 1}, {name: b, port: 2}, {name: c, port: 3, protocol: UDP}]}"),
        slice("[{addresses: [203.0.113.9]}]", "[{name: b, port: 22}, {name: c, port: 33}]"),
      ),
    );
    expect(backends(world, "s")).toEqual([[], ["203.0.113.9:22"], []]);
  });

  test("[SVC-09] an endpoint that is not ready serves only where such are published", () => {
    const endpoints = "[{addresses: [203.0.113.9], conditions: {ready: false}}, {addresses: [203.0.113.10]}]";
    const of = (publish: boolean): string[][] =>
      backends(
        worldOf(
          objects(serviceText("s", `{publishNotReadyAddresses: ${publish}, ${PORT}}`), slice(endpoints, "[{port: 1}]")),
        ),
        "s",
      );
    expect(of(false)).toEqual([["203.0.113.10:1"]]);
    expect(of(true)).toEqual([["203.0.113.10:1", "203.0.113.9:1"]]);
  });

  test("an address of a pod of the input is that pod", () => {
    const world = worldOf(
      objects(
        serviceText("s", `{${PORT}}`),
        slice("[{addresses: [10.244.0.5]}]", "[{port: 1}]"),
        pod("p", { status: "{podIP: 10.244.0.5}" }),
      ),
    );
    expect(resolveService(world, service(world, "s"))[0]?.backends[0]).toMatchObject({
      kind: "pod",
      pod: { name: "p" },
    });
  });

  test.each([
    ["the controller of Services", "endpointslice-controller.k8s.io", ["p:80"]],
    ["somebody else", "me", ["p:80", "203.0.113.9:1"]],
  ])("[SVC-07] beside a selector, a slice kept by %s", (_, manager, expected) => {
    const labels = `{kubernetes.io/service-name: s, endpointslice.kubernetes.io/managed-by: ${manager}}`;
    const world = worldOf(
      objects(
        serviceText("s", `{selector: {app: a}, ${PORT}}`),
        pod("p", { labels: "{app: a}" }),
        slice("[{addresses: [203.0.113.9]}]", "[{port: 1}]", labels),
      ),
    );
    expect(backends(world, "s")).toEqual([expected]);
  });

  test("[WL-16] pods are found by address; on the host's network several share one", () => {
    const world = worldOf(
      objects(
        pod("p", { status: "{podIP: 10.244.0.5}" }),
        pod("h1", { spec: "hostNetwork: true", status: "{podIP: 10.0.0.1}" }),
        pod("h2", { spec: "hostNetwork: true", status: "{podIP: 10.0.0.1}" }),
      ),
    );
    const at = (text: string): string[] => {
      const address = parseAddress(text);
      return address === undefined ? [] : podsAt(world, address).map((member) => member.pod.name);
    };
    expect([at("10.244.0.5"), at("10.0.0.1"), at("10.0.0.2")]).toEqual([["p"], ["h1", "h2"], []]);
  });
});

describe("Services that lead nowhere", () => {
  test("a Service that selects nothing is told at its selector", () => {
    const text = objects(serviceText("s", `{${PORT}, selector: {app: b}}`), pod("p", { labels: "{app: a}" }));
    expect(findings(text)).toEqual([
      "BH304 4:39 Service default/s selects no pod: none of namespace default has app=b",
    ]);
    expect(findings(text.replace("app: b", "app: a"))).toEqual([]);
  });

  test("a target port that no selected pod declares is told at its place", () => {
    const text = (name: string): string =>
      objects(
        serviceText("s", `{selector: {app: a}, ports: [{port: 80, targetPort: ${name}}]}`),
        pod("p", { labels: "{app: a}", ports: HTTP(8080) }),
      );
    expect(findings(text("http"))).toEqual([]);
    expect(findings(text("web"))).toEqual([
      "BH305 4:59 Service default/s: no pod that it selects declares the port web for TCP",
    ]);
  });

  test("Services without selector and endpoints are told together", () => {
    const bare = (name: string): string => serviceText(name, `{${PORT}}`);
    expect(findings(bare("a"))).toEqual([
      "BH313 4:7 Service default/a has no selector, and the input has no endpoints of it",
    ]);
    expect(findings(objects(bare("a"), bare("b")))).toHaveLength(1);
    expect(
      findings(objects(serviceText("s", `{${PORT}}`), slice("[{addresses: [203.0.113.9]}]", "[{port: 1}]"))),
    ).toEqual([]);
  });

  test("an ExternalName leads outside and draws no warning", () => {
    expect(findings(serviceText("s", "{type: ExternalName, externalName: example.com}"))).toEqual([]);
  });
});

test("a ServiceCIDR declares the range of Services", () => {
  const world = worldOf(object("networking.k8s.io/v1", "ServiceCIDR", "kubernetes", "{cidrs: [10.96.0.0/12]}"));
  expect(world.addressPlan.services.map(formatRange)).toEqual(["10.96.0.0/12"]);
});
