/** Services as hops: whom a dialled name or address leads to, and whom the policies then see (kubernetes.md section 4, cilium.md section 8). */
import { describe, expect, test } from "vitest";
import { type Address, parseAddress } from "../../src/net/address.ts";
import { engineOf, pod, policy, service, SHOP, verdict } from "./scenes.ts";

type Fields = Readonly<Record<string, unknown>>;

const OUTSIDE = "ip:203.0.113.9";
const fromRange = { policyTypes: ["Ingress"], ingress: [{ from: [{ ipBlock: { cidr: "203.0.113.0/24" } }] }] };
const fromPods = { policyTypes: ["Ingress"], ingress: [{ from: [{ podSelector: {} }] }] };
const onPort = (port: number | string): Fields => ({ policyTypes: ["Ingress"], ingress: [{ ports: [{ port }] }] });
const toPort = (port: number): Fields => ({
  policyTypes: ["Egress"],
  egress: [{ to: [{ podSelector: {} }], ports: [{ port }] }],
});

const PORT = { port: 80, targetPort: 8080 };
const WEB = service("shop", "web", { clusterIP: "10.96.0.20", selector: { app: "web" }, ports: [PORT] });

const kubernetes = (...texts: readonly string[]): ReturnType<typeof engineOf> =>
  engineOf("kubernetes", [SHOP, ...texts]);

describe("cluster addresses", () => {
  test("[SVC-01] [K8-45] [SVC-10] the policy sees the backend's port, by name and by address", () => {
    for (const to of ["shop/Service/web", "ip:10.96.0.20"]) {
      expect(verdict(kubernetes(WEB, policy("shop", "web", onPort(8080))), "shop/cli", to, "80")).toBe("allow");
      expect(verdict(kubernetes(WEB, policy("shop", "web", onPort(80))), "shop/cli", to, "80")).toBe("deny");
      expect(verdict(kubernetes(WEB, policy("shop", "cli", toPort(8080))), "shop/cli", to, "80")).toBe("allow");
      expect(verdict(kubernetes(WEB, policy("shop", "cli", toPort(80))), "shop/cli", to, "80")).toBe("deny");
    }
  });

  test("[K8-26, K8-45] the pod is compared, as a rule: a network that compares the address of the Service is allowed", () => {
    const to = (cidr: string): string =>
      policy("shop", "cli", { policyTypes: ["Egress"], egress: [{ to: [{ ipBlock: { cidr } }] }] });
    expect(verdict(kubernetes(WEB, to("10.96.0.20/32")), "shop/cli", "ip:10.96.0.20", "80")).toBe(
      "unsure: undefined-by-specification",
    );
    expect(verdict(kubernetes(WEB, to("10.244.1.10/32")), "shop/cli", "ip:10.96.0.20", "80")).toBe(
      "unsure: undefined-by-specification",
    );
    expect(verdict(kubernetes(WEB, to("10.96.0.21/32")), "shop/cli", "ip:10.96.0.20", "80")).toBe("deny");
    expect(verdict(kubernetes(WEB, to("10.0.0.0/8")), "shop/cli", "ip:10.96.0.20", "80")).toBe("allow");
  });

  test("[SVC-12] the client stays what it is", () => {
    expect(verdict(kubernetes(WEB, policy("shop", "web", fromPods)), "shop/cli", "shop/Service/web", "80")).toBe(
      "allow",
    );
    expect(verdict(kubernetes(WEB, policy("shop", "web", fromPods)), "pay/x", "shop/Service/web", "80")).toBe("deny");
  });

  test("[SVC-08] without a target port the Service's own port is judged", () => {
    const plain = service("shop", "web", { selector: { app: "web" }, ports: [{ port: 80 }] });
    expect(verdict(kubernetes(plain, policy("shop", "web", onPort(80))), "shop/cli", "shop/Service/web", "80")).toBe(
      "allow",
    );
    expect(verdict(kubernetes(plain, policy("shop", "web", onPort(8080))), "shop/cli", "shop/Service/web", "80")).toBe(
      "deny",
    );
  });

  test("[SVC-08] several ports, each with a target of its own", () => {
    const both = service("shop", "web", {
      selector: { app: "web" },
      ports: [
        { name: "http", port: 80, targetPort: "http" },
        { name: "admin", port: 81, targetPort: 9090 },
      ],
    });
    const engine = kubernetes(both, policy("shop", "web", onPort("http")));
    expect(verdict(engine, "shop/cli", "shop/Service/web", "80")).toBe("allow");
    expect(verdict(engine, "shop/cli", "shop/Service/web", "81")).toBe("deny");
  });

  test("[SVC-08] a named target is resolved pod by pod", () => {
    const web2 = pod("shop", "web2", "N2", "10.244.2.30", { app: "web" }, [{ name: "http", containerPort: 9000 }]);
    const named = service("shop", "web", { selector: { app: "web" }, ports: [{ port: 80, targetPort: "http" }] });
    expect(
      verdict(kubernetes(web2, named, policy("shop", "web", onPort(8080))), "shop/cli", "shop/Service/web", "80"),
    ).toBe("mixed");
    expect(
      verdict(kubernetes(web2, named, policy("shop", "web", onPort("http"))), "shop/cli", "shop/Service/web", "80"),
    ).toBe("allow");
  });
});

describe("what changes nothing", () => {
  test("[SVC-01] session affinity, an application protocol, dual stack and publishing by name", () => {
    const closed = policy("shop", "web", onPort(8080));
    const plain = kubernetes(WEB, closed);
    const set = kubernetes(
      service("shop", "web", {
        clusterIP: "10.96.0.20",
        selector: { app: "web" },
        sessionAffinity: "ClientIP",
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 10 } },
        ipFamilyPolicy: "PreferDualStack",
        publishNotReadyAddresses: true,
        ports: [{ ...PORT, appProtocol: "http" }],
      }),
      closed,
    );
    for (const from of ["shop/cli", "pay/x", OUTSIDE]) {
      for (const to of ["shop/Service/web", "ip:10.96.0.20"]) {
        expect(verdict(set, from, to, "80")).toBe(verdict(plain, from, to, "80"));
      }
    }
  });

  test("[SVC-08] a port of another protocol is another port", () => {
    const udp = service("shop", "dns", {
      selector: { app: "web" },
      ports: [{ port: 53, protocol: "UDP", targetPort: 5353 }],
    });
    const only = policy("shop", "web", {
      policyTypes: ["Ingress"],
      ingress: [{ ports: [{ port: 5353, protocol: "UDP" }] }],
    });
    expect(verdict(kubernetes(udp, only), "shop/cli", "shop/Service/dns", "53/UDP")).toBe("allow");
    expect(() => verdict(kubernetes(udp, only), "shop/cli", "shop/Service/dns", "53")).toThrow("has no port 53/TCP");
  });

  test("[SVC-07] a Service as a source is the pods behind it", () => {
    const engine = kubernetes(WEB, policy("shop", "db", fromPods));
    expect(verdict(engine, "shop/Service/web", "shop/db", "5432")).toBe("allow");
    const others = policy("shop", "db", {
      policyTypes: ["Ingress"],
      ingress: [{ from: [{ podSelector: { matchLabels: { app: "cli" } } }] }],
    });
    expect(verdict(kubernetes(WEB, others), "shop/Service/web", "shop/db", "5432")).toBe("deny");
  });
});

describe("other kinds of Services", () => {
  test("[SVC-02] headless: the client dials the pod, and nothing is translated", () => {
    const headless = service("shop", "web", { clusterIP: "None", selector: { app: "web" }, ports: [PORT] });
    const engine = kubernetes(headless, policy("shop", "web", onPort(8080)));
    expect(verdict(engine, "shop/cli", "shop/Service/web", "80")).toBe("deny");
    expect(verdict(engine, "shop/cli", "shop/Service/web", "8080")).toBe("allow");
  });

  test("[SVC-05] [KX-84] an alias leads to what its name stands for; its selector selects nothing", () => {
    const alias = service("shop", "db", {
      type: "ExternalName",
      externalName: "db.example.com",
      selector: { app: "db" },
    });
    const inside = policy("shop", "cli", { policyTypes: ["Egress"], egress: [{ to: [{ podSelector: {} }] }] });
    expect(verdict(kubernetes(alias), "shop/cli", "shop/Service/db", "5432")).toBe("allow");
    // Nobody tells whether the name is that of a pod, unless the user declares its addresses.
    expect(verdict(kubernetes(alias, inside), "shop/cli", "shop/Service/db", "5432")).toBe("unsure: name-not-resolved");
    const declared = (address: string): ReturnType<typeof engineOf> => {
      const known = parseAddress(address);
      const names = new Map([["db.example.com.", known === undefined ? [] : [known]]]);
      return engineOf("kubernetes", [SHOP, alias, inside], { names });
    };
    expect(verdict(declared("203.0.113.9"), "shop/cli", "shop/Service/db", "5432")).toBe("deny");
    expect(verdict(declared("10.244.1.11"), "shop/cli", "shop/Service/db", "5432")).toBe("allow");
    const cilium = engineOf("cilium", [SHOP, alias, inside]);
    expect(verdict(cilium, "shop/cli", "shop/Service/db", "5432")).toBe("deny");
  });

  const slice = (...addresses: readonly string[]): string =>
    JSON.stringify({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "ext-1", namespace: "shop", labels: { "kubernetes.io/service-name": "ext" } },
      addressType: "IPv4",
      endpoints: [{ addresses }],
      ports: [{ port: 8080, protocol: "TCP" }],
    });
  const ext = service("shop", "ext", { ports: [PORT] });

  test("[SVC-07] [KX-87] hand-written endpoints are judged as the addresses that they are", () => {
    const to = (peer: Fields): string => policy("shop", "cli", { policyTypes: ["Egress"], egress: [{ to: [peer] }] });
    const range = { ipBlock: { cidr: "203.0.113.0/24" } };
    expect(verdict(kubernetes(ext, slice("203.0.113.9"), to(range)), "shop/cli", "shop/Service/ext", "80")).toBe(
      "allow",
    );
    expect(
      verdict(kubernetes(ext, slice("203.0.113.9"), to({ podSelector: {} })), "shop/cli", "shop/Service/ext", "80"),
    ).toBe("deny");
    // The address of a pod is the pod.
    expect(
      verdict(kubernetes(ext, slice("10.244.1.10"), to({ podSelector: {} })), "shop/cli", "shop/Service/ext", "80"),
    ).toBe("allow");
  });

  test("[SVC-07] endpoints that the input does not have are not known, pods that it does not have are not there", () => {
    expect(verdict(kubernetes(ext), "shop/cli", "shop/Service/ext", "80")).toBe("unsure: missing-object");
    const none = service("shop", "none", { selector: { app: "none" }, ports: [PORT] });
    const answer = kubernetes(none).why({ from: "shop/cli", to: "shop/Service/none", protocol: "TCP", port: 80 });
    expect(answer.verdict).toBe("deny");
    expect(answer.problem).toBe("shop/Service/none has no backend for this port");
    expect(answer.stops?.[0]?.place?.document.name).toBe("none");
  });
});

const nodePort = (rest: Fields = {}): string =>
  service("shop", "web", {
    type: "NodePort",
    clusterIP: "10.96.0.20",
    selector: { app: "web" },
    ports: [{ ...PORT, nodePort: 30080 }],
    ...rest,
  });
const LOCAL = { externalTrafficPolicy: "Local" };

describe("node ports", () => {
  test("[SVC-03] [KX-85] Local: the client's address is kept at the backend's node, and other nodes have no backend", () => {
    const engine = kubernetes(nodePort(LOCAL), policy("shop", "web", fromRange));
    expect(verdict(engine, OUTSIDE, "ip:10.0.0.1", "30080")).toBe("allow");
    expect(verdict(engine, "ip:198.51.100.1", "ip:10.0.0.1", "30080")).toBe("deny");
    expect(verdict(engine, OUTSIDE, "ip:10.0.0.2", "30080")).toBe("deny");
    expect(verdict(engine, OUTSIDE, "host@N1", "30080")).toBe("allow");
  });

  test("[SVC-11] [KX-85] Cluster: another node stands for the client, and at the backend's own node nobody says", () => {
    const engine = kubernetes(nodePort(), policy("shop", "web", fromRange));
    expect(verdict(engine, OUTSIDE, "ip:10.0.0.2", "30080")).toBe("deny");
    expect(verdict(engine, OUTSIDE, "ip:10.0.0.1", "30080")).toBe("unsure: source-address");
    const fromNode = { policyTypes: ["Ingress"], ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.2/32" } }] }] };
    expect(verdict(kubernetes(nodePort(), policy("shop", "web", fromNode)), OUTSIDE, "ip:10.0.0.2", "30080")).toBe(
      "allow",
    );
  });

  test("[SVC-03] where the policy lets everybody in, the way does not matter", () => {
    const engine = kubernetes(nodePort(), policy("shop", "web", onPort(8080)));
    expect(verdict(engine, OUTSIDE, "ip:10.0.0.1", "30080")).toBe("allow");
    expect(verdict(engine, OUTSIDE, "ip:10.0.0.2", "30080")).toBe("allow");
    expect(verdict(engine, OUTSIDE, "ip:10.0.0.1", "30081")).toBe("allow");
  });

  test("[SVC-14] a pod at a node port: whether its address is kept, and where Local takes it, is the proxy's own", () => {
    expect(verdict(kubernetes(nodePort(), policy("shop", "web", fromPods)), "shop/cli", "ip:10.0.0.2", "30080")).toBe(
      "unsure: source-address",
    );
    expect(
      verdict(kubernetes(nodePort(), policy("shop", "web", onPort(8080))), "shop/cli", "ip:10.0.0.2", "30080"),
    ).toBe("allow");
    expect(verdict(kubernetes(nodePort(LOCAL)), "shop/cli", "ip:10.0.0.2", "30080")).toBe(
      "unsure: undefined-by-specification",
    );
  });

  test("[SVC-03] other ports of a node are its own", () => {
    const engine = kubernetes(nodePort(), policy("shop", "web", { policyTypes: ["Ingress"] }));
    expect(verdict(engine, OUTSIDE, "ip:10.0.0.1", "22")).toBe("allow");
    expect(verdict(engine, OUTSIDE, "ip:10.0.0.1", "30080/UDP")).toBe("allow");
  });
});

describe("load balancers and external addresses", () => {
  const balanced = (rest: Fields = {}): string =>
    JSON.stringify({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web", namespace: "shop" },
      spec: { type: "LoadBalancer", selector: { app: "web" }, ports: [PORT], ...rest },
      status: { loadBalancer: { ingress: [{ ip: "198.51.100.50" }] } },
    });
  const at = "ip:198.51.100.50";

  test("[SVC-04] [SVC-11] Local keeps the client, Cluster may not", () => {
    expect(verdict(kubernetes(balanced(LOCAL), policy("shop", "web", fromRange)), OUTSIDE, at, "80")).toBe("allow");
    expect(verdict(kubernetes(balanced(), policy("shop", "web", fromRange)), OUTSIDE, at, "80")).toBe(
      "unsure: source-address",
    );
    expect(verdict(kubernetes(balanced(), policy("shop", "web", onPort(8080))), OUTSIDE, at, "80")).toBe("allow");
    // A node may stand for it, and the pod's own node always passes.
    expect(verdict(kubernetes(balanced(), policy("shop", "web", fromPods)), OUTSIDE, at, "80")).toBe(
      "unsure: source-address",
    );
    expect(verdict(kubernetes(balanced(LOCAL), policy("shop", "web", fromPods)), OUTSIDE, at, "80")).toBe("deny");
  });

  test("[SVC-15] clients outside its source ranges are turned away where that is implemented", () => {
    const limited = balanced({ ...LOCAL, loadBalancerSourceRanges: ["203.0.113.0/24"] });
    expect(verdict(kubernetes(limited), OUTSIDE, at, "80")).toBe("allow");
    expect(verdict(kubernetes(limited), "ip:198.51.100.1", at, "80")).toBe("unsure: undefined-by-specification");
    const cilium = engineOf("cilium", [SHOP, limited]);
    expect(verdict(cilium, OUTSIDE, at, "80")).toBe("allow");
    expect(verdict(cilium, "ip:198.51.100.1", at, "80")).toBe("deny");
  });

  test("[SVC-06] [KX-86] an external address is entered like a node port", () => {
    const external = (rest: Fields = {}): string =>
      service("shop", "web", { selector: { app: "web" }, externalIPs: ["198.51.100.7"], ports: [PORT], ...rest });
    expect(
      verdict(kubernetes(external(LOCAL), policy("shop", "web", fromRange)), OUTSIDE, "ip:198.51.100.7", "80"),
    ).toBe("allow");
    expect(verdict(kubernetes(external(), policy("shop", "web", fromRange)), OUTSIDE, "ip:198.51.100.7", "80")).toBe(
      "unsure: source-address",
    );
  });

  test("[SVC-06] an address that a node shares with a load balancer is the node's on every other port", () => {
    const shared = balanced().replace("198.51.100.50", "10.0.0.1");
    const engine = kubernetes(shared, policy("shop", "web", { policyTypes: ["Ingress"] }));
    expect(verdict(engine, OUTSIDE, "ip:10.0.0.1", "22")).toBe("allow");
    expect(verdict(engine, "ip:198.51.100.1", "ip:10.0.0.1", "80")).toBe("unsure: source-address");
  });
});

describe("traffic inside", () => {
  test("[SVC-11] internalTrafficPolicy Local: only backends on the client's node", () => {
    const local = service("shop", "web", { selector: { app: "web" }, ports: [PORT], internalTrafficPolicy: "Local" });
    expect(verdict(kubernetes(local), "shop/db", "shop/Service/web", "80")).toBe("allow");
    const answer = kubernetes(local).why({ from: "shop/cli", to: "shop/Service/web", protocol: "TCP", port: 80 });
    expect(answer.verdict).toBe("deny");
    expect(answer.problem).toBe(
      "shop/Service/web has no backend on the client's node, and its traffic policy is Local",
    );
  });
});

describe("ports of the host", () => {
  const published = pod("shop", "edge", "N1", "10.244.1.40", { app: "edge" }, [{ containerPort: 8080, hostPort: 80 }]);

  test("[WL-15] [KX-80] the pod's own port is judged, and the client's address is kept", () => {
    const range = (port: number): Fields => ({
      policyTypes: ["Ingress"],
      ingress: [{ from: [{ ipBlock: { cidr: "203.0.113.0/24" } }], ports: [{ port }] }],
    });
    expect(verdict(kubernetes(published, policy("shop", "edge", range(8080))), OUTSIDE, "ip:10.0.0.1", "80")).toBe(
      "allow",
    );
    expect(verdict(kubernetes(published, policy("shop", "edge", range(80))), OUTSIDE, "ip:10.0.0.1", "80")).toBe(
      "deny",
    );
  });

  test("[WL-15] on other nodes the port is the node's own", () => {
    const engine = kubernetes(published, policy("shop", "edge", { policyTypes: ["Ingress"] }));
    expect(verdict(engine, OUTSIDE, "ip:10.0.0.1", "80")).toBe("deny");
    expect(verdict(engine, OUTSIDE, "ip:10.0.0.2", "80")).toBe("allow");
  });

  test("[WL-15] a port of one address of the host is no port of its others", () => {
    const bound = pod("shop", "edge", "N1", "10.244.1.40", { app: "edge" }, [
      { containerPort: 8080, hostPort: 80, hostIP: "127.0.0.1" },
    ]);
    const engine = kubernetes(bound, policy("shop", "edge", { policyTypes: ["Ingress"] }));
    expect(verdict(engine, OUTSIDE, "ip:10.0.0.1", "80")).toBe("allow");
  });
});

describe("a pod that reaches itself through a Service", () => {
  const closed = { policyTypes: ["Ingress", "Egress"] };
  const clusterPolicy = JSON.stringify({
    apiVersion: "policy.networking.k8s.io/v1alpha2",
    kind: "ClusterNetworkPolicy",
    metadata: { name: "none" },
    spec: {
      tier: "Admin",
      priority: 1,
      subject: { namespaces: {} },
      ingress: [{ action: "Deny", from: [{ namespaces: {} }] }],
    },
  });

  test("[K8-43] [K8-44] [KX-44] by its address always; through its Service the standard does not say", () => {
    const engine = kubernetes(WEB, policy("shop", "web", closed));
    expect(verdict(engine, "shop/web", "ip:10.244.1.10", "8080")).toBe("allow");
    expect(verdict(engine, "shop/web", "shop/Service/web", "80")).toBe("unsure: undefined-by-specification");
    expect(verdict(kubernetes(WEB), "shop/web", "shop/Service/web", "80")).toBe("allow");
  });

  test("[CNP-24] [KX-71] a ClusterNetworkPolicy does apply", () => {
    const engine = kubernetes(WEB, clusterPolicy);
    expect(verdict(engine, "shop/web", "ip:10.244.1.10", "8080")).toBe("allow");
    expect(verdict(engine, "shop/web", "shop/Service/web", "80")).toBe("deny");
  });

  const cnp = (spec: Fields): string =>
    JSON.stringify({
      apiVersion: "cilium.io/v2",
      kind: "CiliumNetworkPolicy",
      metadata: { name: "c", namespace: "shop" },
      spec: { endpointSelector: { matchLabels: { app: "web" } }, ...spec },
    });

  test("[R8.6] Cilium: default deny does not apply, explicit denies may", () => {
    const closing = engineOf("cilium", [
      SHOP,
      WEB,
      cnp({
        ingress: [{ fromEndpoints: [{ matchLabels: { app: "none" } }] }],
        egress: [{ toEndpoints: [{ matchLabels: { app: "none" } }] }],
      }),
    ]);
    expect(verdict(closing, "shop/web", "shop/Service/web", "80")).toBe("allow");
    const denying = engineOf("cilium", [SHOP, WEB, cnp({ ingressDeny: [{ fromEndpoints: [{}] }] })]);
    expect(verdict(denying, "shop/web", "shop/Service/web", "80")).toBe("unsure: undefined-by-specification");
    expect(verdict(denying, "shop/web", "ip:10.244.1.10", "8080")).toBe("allow");
    expect(verdict(denying, "shop/db", "shop/Service/web", "80")).toBe("deny");
  });

  test("[K8-44] a workload of several pods may meet itself or another", () => {
    const deployment = JSON.stringify({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "front", namespace: "shop" },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: "front" } },
        template: { metadata: { labels: { app: "front" } }, spec: { containers: [{ name: "c" }] } },
      },
    });
    const own = service("shop", "front", { selector: { app: "front" }, ports: [{ port: 80 }] });
    const engine = kubernetes(deployment, own, policy("shop", "front", closed));
    expect(verdict(engine, "shop/Deployment/front", "shop/Service/front", "80")).toBe(
      "unsure: undefined-by-specification",
    );
    const cilium = engineOf("cilium", [SHOP, deployment, own, policy("shop", "front", closed)]);
    expect(verdict(cilium, "shop/Deployment/front", "shop/Service/front", "80")).toBe("mixed");
  });
});

describe("Cilium", () => {
  const config = (data: Fields): string =>
    JSON.stringify({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "cilium-config", namespace: "kube-system" },
      data,
    });
  const ingress = (entity: string): string =>
    JSON.stringify({
      apiVersion: "cilium.io/v2",
      kind: "CiliumNetworkPolicy",
      metadata: { name: entity, namespace: "shop" },
      spec: { endpointSelector: { matchLabels: { app: "web" } }, ingress: [{ fromEntities: [entity] }] },
    });
  const range = JSON.stringify({
    apiVersion: "cilium.io/v2",
    kind: "CiliumNetworkPolicy",
    metadata: { name: "range", namespace: "shop" },
    spec: { endpointSelector: { matchLabels: { app: "web" } }, ingress: [{ fromCIDR: ["203.0.113.0/24"] }] },
  });
  const all = JSON.stringify({
    apiVersion: "cilium.io/v2",
    kind: "CiliumNetworkPolicy",
    metadata: { name: "all", namespace: "shop" },
    spec: { endpointSelector: { matchLabels: { app: "web" } }, ingress: [{ fromCIDR: ["0.0.0.0/0"] }] },
  });
  const NATIVE = { "kube-proxy-replacement": "true", "routing-mode": "native" };
  const TUNNEL = { "kube-proxy-replacement": "true", "routing-mode": "tunnel" };
  const PROXY = { "kube-proxy-replacement": "false", "routing-mode": "native" };
  const open = (data: Fields | undefined, ...texts: readonly string[]): ReturnType<typeof engineOf> =>
    engineOf("cilium", [SHOP, ...(data === undefined ? [] : [config(data)]), ...texts]);
  const N1 = "ip:10.0.0.1";
  const N2 = "ip:10.0.0.2";

  test.each([
    // Native routing: another node forwards under its own identity.
    [NATIVE, "remote-node", N2, "allow"],
    [NATIVE, "world", N2, "deny"],
    [NATIVE, "host", N2, "deny"],
    // A tunnel carries the identity of the outside.
    [TUNNEL, "remote-node", N2, "deny"],
    [TUNNEL, "world", N2, "allow"],
    // At the backend's node the address is kept.
    [NATIVE, "world", N1, "allow"],
    [TUNNEL, "world", N1, "allow"],
    [NATIVE, "remote-node", N1, "deny"],
    // kube-proxy puts a node's address there, even at the backend's node, from which everything passes (R9.1).
    [PROXY, "remote-node", N2, "allow"],
    [PROXY, "world", N2, "deny"],
    [PROXY, "world", N1, "allow"],
    [PROXY, "remote-node", N1, "allow"],
  ])("[R8.4] Cluster with %j, from %s entering at %s: %s", (data, entity, node, expected) => {
    expect(verdict(open(data, nodePort(), ingress(entity)), OUTSIDE, node, "30080")).toBe(expected);
  });

  test("[R8.4] without settings and without knowing the node, every way counts", () => {
    expect(verdict(open(undefined, nodePort(), ingress("world")), OUTSIDE, N2, "30080")).toBe("unsure: source-address");
    expect(verdict(open(undefined, nodePort(), ingress("all")), OUTSIDE, N2, "30080")).toBe("allow");
    expect(verdict(open(undefined, nodePort(), ingress("health")), OUTSIDE, N2, "30080")).toBe("deny");
  });

  test("[R8.4] [R3.2.2] through a tunnel the outside has no address: only the whole of it matches", () => {
    expect(verdict(open(TUNNEL, nodePort(), range), OUTSIDE, N1, "30080")).toBe("allow");
    expect(verdict(open(TUNNEL, nodePort(), range), OUTSIDE, N2, "30080")).toBe("deny");
    expect(verdict(open(TUNNEL, nodePort(), all), OUTSIDE, N2, "30080")).toBe("allow");
  });

  test("[R8.4] Local and direct return keep the address", () => {
    expect(verdict(open(NATIVE, nodePort(LOCAL), range), OUTSIDE, N1, "30080")).toBe("allow");
    expect(verdict(open(NATIVE, nodePort(LOCAL), range), OUTSIDE, N2, "30080")).toBe("deny");
    expect(verdict(open({ ...NATIVE, "bpf-lb-mode": "dsr" }, nodePort(), range), OUTSIDE, N2, "30080")).toBe("allow");
    expect(verdict(open({ ...NATIVE, "bpf-lb-mode": "snat" }, nodePort(), range), OUTSIDE, N2, "30080")).toBe("deny");
    expect(verdict(open({ ...NATIVE, "bpf-lb-mode": "hybrid" }, nodePort(), range), OUTSIDE, N2, "30080")).toBe(
      "allow",
    );
  });

  const egress = (rule: Fields): string =>
    JSON.stringify({
      apiVersion: "cilium.io/v2",
      kind: "CiliumNetworkPolicy",
      metadata: { name: "out", namespace: "shop" },
      spec: { endpointSelector: { matchLabels: { app: "cli" } }, egress: [rule] },
    });

  test("[R8.1] [EX-44] a cluster address is translated before the pod's policy in any case", () => {
    const toPods = (port: string): string =>
      egress({ toEndpoints: [{ matchLabels: { app: "web" } }], toPorts: [{ ports: [{ port, protocol: "TCP" }] }] });
    for (const data of [NATIVE, PROXY, undefined]) {
      expect(verdict(open(data, WEB, toPods("80")), "shop/cli", "ip:10.96.0.20", "80")).toBe("deny");
      expect(verdict(open(data, WEB, toPods("8080")), "shop/cli", "ip:10.96.0.20", "80")).toBe("allow");
    }
  });

  test("[R8.1] [EX-45] no rule for a range or an entity matches a cluster address", () => {
    expect(verdict(open(NATIVE, WEB, egress({ toCIDR: ["10.96.0.20/32"] })), "shop/cli", "ip:10.96.0.20", "80")).toBe(
      "deny",
    );
    expect(verdict(open(NATIVE, WEB, egress({ toEntities: ["world"] })), "shop/cli", "ip:10.96.0.20", "80")).toBe(
      "deny",
    );
    expect(verdict(open(NATIVE, WEB, egress({ toEntities: ["cluster"] })), "shop/cli", "ip:10.96.0.20", "80")).toBe(
      "allow",
    );
  });

  test("[R8.1] a node port is translated first only where kube-proxy is replaced", () => {
    const toPods = egress({ toEndpoints: [{ matchLabels: { app: "web" } }] });
    const toNodes = egress({ toEntities: ["remote-node", "host"] });
    expect(verdict(open(NATIVE, nodePort(), toPods), "shop/cli", N1, "30080")).toBe("allow");
    expect(verdict(open(NATIVE, nodePort(), toNodes), "shop/cli", N1, "30080")).toBe("deny");
    expect(verdict(open(PROXY, nodePort(), toPods), "shop/cli", N1, "30080")).toBe("deny");
    expect(verdict(open(PROXY, nodePort(), toNodes), "shop/cli", N1, "30080")).toBe("allow");
    expect(verdict(open(undefined, nodePort(), toNodes), "shop/cli", N1, "30080")).toBe("unsure: source-address");
  });

  test("[R8.2] headless is plain pod to pod", () => {
    const headless = service("shop", "web", { clusterIP: "None", selector: { app: "web" }, ports: [PORT] });
    const toPods = egress({
      toEndpoints: [{ matchLabels: { app: "web" } }],
      toPorts: [{ ports: [{ port: "8080", protocol: "TCP" }] }],
    });
    expect(verdict(open(NATIVE, headless, toPods), "shop/cli", "shop/Service/web", "8080")).toBe("allow");
    expect(verdict(open(NATIVE, headless, toPods), "shop/cli", "shop/Service/web", "80")).toBe("deny");
  });

  test("[R8.2] a local redirect may take a Service elsewhere", () => {
    const redirect = JSON.stringify({
      apiVersion: "cilium.io/v2",
      kind: "CiliumLocalRedirectPolicy",
      metadata: { name: "lrp", namespace: "shop" },
      spec: { redirectFrontend: { serviceMatcher: { serviceName: "web", namespace: "shop" } } },
    });
    expect(verdict(open(NATIVE, WEB, redirect), "shop/cli", "shop/Service/web", "80")).toBe("unsure: foreign-policy");
    expect(verdict(open(NATIVE, WEB, redirect), "shop/cli", "shop/web", "8080")).toBe("allow");
  });

  test("[R8.2] … or what goes to one address outside, and no other", () => {
    const redirect = JSON.stringify({
      apiVersion: "cilium.io/v2",
      kind: "CiliumLocalRedirectPolicy",
      metadata: { name: "lrp", namespace: "shop" },
      spec: { redirectFrontend: { addressMatcher: { ip: "169.254.169.254" } } },
    });
    const engine = open(NATIVE, redirect);
    expect(verdict(engine, "shop/cli", "ip:169.254.169.254", "80")).toBe("unsure: foreign-policy");
    expect(verdict(engine, "shop/cli", "ip:169.254.169.253", "80")).toBe("allow");
    expect(verdict(engine, "ip:169.254.169.254", "shop/cli", "80")).toBe("allow");
    const { pairs } = engine.reach({ by: "endpoint", provenance: false, outside: true });
    const isAsked = (end: string): boolean => end === "shop/Pod/cli" || !end.includes("/Pod/");
    const told = [...pairs]
      .filter(({ from, to }) => isAsked(from) && isAsked(to))
      .map(({ from, to, unsure }) => `${from} → ${to}: ${unsure.length > 0 ? "unsure" : "allow"}`);
    expect(told).toEqual([
      "shop/Pod/cli → 0.0.0.0-169.254.169.253: allow",
      "shop/Pod/cli → 169.254.169.254/32: unsure",
      "shop/Pod/cli → 169.254.169.255-255.255.255.255: allow",
      "internet → shop/Pod/cli: allow",
    ]);
  });

  test("[R8.2] a name that resolves to such an address may be taken elsewhere as well", () => {
    const redirect = JSON.stringify({
      apiVersion: "cilium.io/v2",
      kind: "CiliumLocalRedirectPolicy",
      metadata: { name: "lrp", namespace: "shop" },
      spec: { redirectFrontend: { addressMatcher: { ip: "169.254.169.254" } } },
    });
    const at = (text: string): ReadonlyMap<string, readonly Address[]> =>
      new Map([["meta.example.", [parseAddress(text)].filter((one) => one !== undefined)]]);
    const ask = (text: string): string =>
      verdict(engineOf("cilium", [SHOP, redirect], { names: at(text) }), "shop/cli", "fqdn:meta.example", "80");
    expect(ask("169.254.169.254")).toBe("unsure: foreign-policy");
    expect(ask("169.254.169.253")).toBe("allow");
  });
});

describe("reach", () => {
  const pairs = (engine: ReturnType<typeof engineOf>, query: Fields): readonly string[] =>
    [...engine.reach({ by: "endpoint", provenance: false, outside: false, ...query }).pairs].flatMap((pair) => [
      ...pair.allow.map((e) => `${pair.from} → ${pair.to}: ${e.protocol} ${e.ports}`),
      ...pair.mixed.map((e) => `${pair.from} → ${pair.to}: some ${e.protocol} ${e.ports}`),
    ]);

  test("[SVC-10] a Service as target is told in its own ports, as source it is its pods", () => {
    const engine = kubernetes(WEB, policy("shop", "web", onPort(8080)));
    expect(pairs(engine, { from: "shop/cli", to: "shop/Service/web" })).toEqual([
      "shop/Pod/cli → shop/Service/web: TCP 80",
    ]);
    expect(
      pairs(kubernetes(WEB, policy("shop", "web", onPort(80))), { from: "shop/cli", to: "shop/Service/web" }),
    ).toEqual([]);
    expect(
      pairs(kubernetes(WEB, policy("shop", "db", onPort(5432))), { from: "shop/Service/web", to: "shop/db" }),
    ).toEqual(["shop/Service/web → shop/Pod/db: TCP 5432"]);
  });

  test("[SVC-08] what only some of its backends let through is mixed", () => {
    const web2 = pod("shop", "web2", "N2", "10.244.2.30", { app: "web" }, [{ name: "http", containerPort: 9000 }]);
    const named = service("shop", "web", { selector: { app: "web" }, ports: [{ port: 80, targetPort: "http" }] });
    const engine = kubernetes(web2, named, policy("shop", "web", onPort(8080)));
    expect(pairs(engine, { from: "shop/cli", to: "shop/Service/web" })).toEqual([
      "shop/Pod/cli → shop/Service/web: some TCP 80",
    ]);
  });
});
