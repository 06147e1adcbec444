/** Which pods serve Ingress and Gateway objects (kubernetes.md ING-01, GW-01; cilium.md R8.5). */
import { describe, expect, test } from "vitest";
import type { Controller } from "../../src/reach/controllers.ts";
import { engineOf, verdict } from "./scenes.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A Deployment of one container with these labels and arguments. */
function controller(name: string, labels: Readonly<Record<string, string>>, args: readonly string[] = []): string {
  return JSON.stringify({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: "ingress" },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "proxy", args }] } },
    },
  });
}

function ingressClass(name: string, of: string, isDefault = false): string {
  const annotations = isDefault ? { "ingressclass.kubernetes.io/is-default-class": "true" } : {};
  return JSON.stringify({
    apiVersion: "networking.k8s.io/v1",
    kind: "IngressClass",
    metadata: { name, annotations },
    spec: { controller: of },
  });
}

function ingress(className?: string): string {
  const spec = { defaultBackend: { service: { name: "web", port: { number: 80 } } } };
  return JSON.stringify({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "i", namespace: "shop" },
    spec: { ...spec, ...(className === undefined ? {} : { ingressClassName: className }) },
  });
}

const gatewayClass = (name: string, of: string): string =>
  JSON.stringify({
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "GatewayClass",
    metadata: { name },
    spec: { controllerName: of },
  });

const gateway = (className: string): string =>
  JSON.stringify({
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: { name: "gw", namespace: "shop" },
    spec: { gatewayClassName: className, listeners: [{ name: "http", port: 80, protocol: "HTTP" }] },
  });

function said(found: Controller): string {
  switch (found.kind) {
    case "pods":
      return `${found.name}${found.because.length === 0 ? "" : " ?"}`;
    case "own":
    case "elsewhere":
      return `${found.kind} ${found.name}`;
    case "nobody":
      return `nobody: ${found.reason}`;
    case "unknown":
      return `unknown: ${found.because.detail}`;
  }
}

interface Asked {
  readonly dialect?: string;
  readonly declared?: readonly { readonly className?: string; readonly endpoint: string }[];
}

function serving(texts: readonly string[], { dialect = "kubernetes", declared }: Asked = {}): string {
  const engine = engineOf(dialect, texts, declared === undefined ? {} : { ingressControllers: declared });
  const [one] = engine.world.ingresses;
  const [other] = engine.world.gateways;
  if (one !== undefined) return said(engine.inventory.controllers.ofIngress(one).controller);
  return other === undefined ? "" : said(engine.inventory.controllers.ofGateway(other));
}

const NGINX = { "app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller" };
const nginx = controller("nginx", NGINX);

describe("by class and labels", () => {
  test.each([
    ["k8s.io/ingress-nginx", NGINX],
    ["traefik.io/ingress-controller", { "app.kubernetes.io/name": "traefik" }],
    ["haproxy.org/ingress-controller/haproxy", { "app.kubernetes.io/name": "kubernetes-ingress" }],
    ["haproxy-ingress.github.io/controller", { run: "haproxy-ingress" }],
    ["projectcontour.io/ingress-controller", { app: "envoy" }],
    ["ingress-controllers.konghq.com/kong", { "app.kubernetes.io/name": "kong" }],
    ["istio.io/ingress-controller", { istio: "ingressgateway" }],
  ])("[ING-01] the pods of %s", (of, labels) => {
    expect(serving([ingress("c"), ingressClass("c", of), controller("proxy", labels)])).toBe(
      "ingress/Deployment/proxy",
    );
    expect(serving([ingress("c"), ingressClass("c", of)])).toBe(`unknown: no pods of ${of}, which serves class c`);
    expect(serving([ingress("c"), ingressClass("c", "example.com/other"), controller("proxy", labels)])).toBe(
      "unknown: no pods of example.com/other, which serves class c",
    );
  });

  test("[ING-01] parts of an installation that proxy nothing are none", () => {
    const webhook = controller("hook", { ...NGINX, "app.kubernetes.io/component": "admission-webhook" });
    const contour = controller("contour", {
      "app.kubernetes.io/name": "contour",
      "app.kubernetes.io/component": "contour",
    });
    expect(serving([ingress("c"), ingressClass("c", "k8s.io/ingress-nginx"), webhook, nginx])).toBe(
      "ingress/Deployment/nginx",
    );
    expect(serving([ingress("c"), ingressClass("c", "projectcontour.io/x"), contour])).toBe(
      "unknown: no pods of projectcontour.io/x, which serves class c",
    );
  });

  test("[ING-01] of several installations the one whose arguments name the class", () => {
    const inner = controller("inner", { ...NGINX, part: "inner" }, ["--controller-class=k8s.io/inner-nginx"]);
    const texts = [
      ingressClass("inner", "k8s.io/inner-nginx"),
      ingressClass("nginx", "k8s.io/ingress-nginx"),
      nginx,
      inner,
    ];
    expect(serving([ingress("inner"), ...texts])).toBe("ingress/Deployment/inner");
    expect(serving([ingress("nginx"), ...texts])).toBe("ingress/Deployment/nginx");
    const twin = controller("twin", { ...NGINX, part: "twin" });
    expect(serving([ingress("nginx"), ...texts, twin])).toBe("ingress/Deployment/nginx, ingress/Deployment/twin ?");
  });

  test("[ING-01] without the object of the class its usual name tells", () => {
    expect(serving([ingress("nginx"), nginx])).toBe("ingress/Deployment/nginx");
    expect(serving([ingress("traefik"), nginx])).toBe(
      "nobody: no IngressClass is called traefik, and no controller for it is in the input",
    );
  });

  test("[ING-01] [KX-94] without class and controller nobody acts", () => {
    expect(serving([ingress("nginx")])).toBe(
      "nobody: no IngressClass is called nginx, and no controller for it is in the input",
    );
  });

  test("[ING-01] an Ingress without class: the default class, else whoever takes it is not known", () => {
    const of = "k8s.io/ingress-nginx";
    expect(serving([ingress(), ingressClass("c", of, true), nginx])).toBe("ingress/Deployment/nginx");
    expect(serving([ingress(), ingressClass("c", of), nginx])).toBe("ingress/Deployment/nginx ?");
    expect(serving([ingress()])).toBe("nobody: it names no class, and none is the default");
  });

  test.each([
    ["ingress.k8s.aws/alb", "AWS Load Balancer Controller"],
    ["networking.gke.io/x", "Google Cloud load balancer"],
    ["azure/application-gateway", "Azure Application Gateway"],
  ])("[ING-07] %s is a load balancer outside the cluster", (of, name) => {
    expect(serving([ingress("c"), ingressClass("c", of)])).toBe(`elsewhere ${name}`);
  });
});

describe("of a Gateway", () => {
  const labelled = (labels: Fields): string =>
    controller("made", Object.fromEntries(Object.entries(labels).map(([k, v]) => [k, String(v)])));

  test("[GW-10] the pods that carry its name, whoever made them", () => {
    const own = labelled({ "gateway.networking.k8s.io/gateway-name": "gw" }).replace(
      '"namespace":"ingress"',
      '"namespace":"shop"',
    );
    expect(serving([gateway("c"), gatewayClass("c", "example.com/x"), own])).toBe("shop/Deployment/made");
    const envoy = labelled({
      "gateway.envoyproxy.io/owning-gateway-name": "gw",
      "gateway.envoyproxy.io/owning-gateway-namespace": "shop",
    });
    expect(serving([gateway("c"), gatewayClass("c", "gateway.envoyproxy.io/gatewayclass-controller"), envoy])).toBe(
      "ingress/Deployment/made",
    );
    const other = labelled({ "gateway.networking.k8s.io/gateway-name": "gw" });
    expect(serving([gateway("c"), gatewayClass("c", "example.com/x"), other])).toBe(
      "unknown: no pods of example.com/x, which serves class c",
    );
  });

  test("[GW-01] without its class nothing is exposed", () => {
    expect(serving([gateway("c")])).toBe(
      "nobody: no GatewayClass is called c, and no controller for it is in the input",
    );
  });
});

describe("Cilium", () => {
  test("[R8.5] its own identity, where Cilium reads the policies; else a proxy somewhere on the nodes", () => {
    for (const texts of [[ingress("cilium")], [ingress("c"), ingressClass("c", "cilium.io/ingress-controller")]]) {
      expect(serving(texts, { dialect: "cilium" })).toBe("own Cilium");
      expect(serving(texts)).toBe("elsewhere Cilium");
    }
    expect(serving([gateway("c"), gatewayClass("c", "io.cilium/gateway-controller")], { dialect: "cilium" })).toBe(
      "own Cilium",
    );
  });
});

describe("declared by the user", () => {
  const proxy = controller("proxy", { app: "proxy" });

  test("[ING-07] for every class, or for one", () => {
    const all = [{ endpoint: "ingress/Deployment/proxy" }];
    expect(serving([ingress("c"), proxy], { declared: all })).toBe("ingress/Deployment/proxy");
    expect(serving([ingress(), proxy], { declared: all })).toBe("ingress/Deployment/proxy");
    expect(serving([gateway("c"), proxy], { declared: [{ endpoint: "app=proxy" }] })).toBe("app=proxy");
    const one = [{ className: "c", endpoint: "ingress/Deployment/proxy" }];
    expect(serving([ingress("c"), proxy], { declared: one })).toBe("ingress/Deployment/proxy");
    expect(serving([ingress("d"), proxy], { declared: one })).toBe(
      "nobody: no IngressClass is called d, and no controller for it is in the input",
    );
  });
});

describe("the name ingress-controller", () => {
  const web = `{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: [{name: c}]}}`;
  const fromIngress = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec:
  podSelector: {}
  ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress}}}]}]`;
  const ask = (dialect: string, ...texts: readonly string[]): string =>
    verdict(engineOf(dialect, [web, ...texts]), "ingress-controller", "shop/web", "80");

  test("[ING-07] [KX-92] means the pods that are found", () => {
    expect(ask("kubernetes", nginx, fromIngress)).toBe("allow");
    expect(ask("kubernetes", nginx.replace('"namespace":"ingress"', '"namespace":"other"'), fromIngress)).toBe("deny");
    expect(ask("cilium", nginx, fromIngress)).toBe("allow");
  });

  test("[R8.5] means Cilium's identity where none are found", () => {
    expect(ask("cilium", fromIngress)).toBe("deny");
    expect(ask("cilium")).toBe("allow");
  });

  test("[ING-01] is not known where neither is there", () => {
    expect(ask("kubernetes", fromIngress)).toBe("unsure: controller-unknown");
    expect(ask("kubernetes", ingress("c"), ingressClass("c", "example.com/x"))).toBe("unsure: controller-unknown");
    expect(ask("kubernetes", ingress("c"), ingressClass("c", "ingress.k8s.aws/alb"))).toBe("unsure: source-address");
  });

  test("[ING-07] stands as a target, too", () => {
    const engine = engineOf("kubernetes", [web, nginx]);
    expect(verdict(engine, "shop/web", "ingress-controller", "80")).toBe("allow");
  });
});
