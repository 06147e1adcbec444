import { describe, expect, test } from "vitest";
import { ingressClassOf } from "../../src/model/ingresses.ts";
import type { Ingress, World } from "../../src/model/world.ts";
import { errors, findings, object, objects, serviceText, pod, worldOf } from "./input.ts";

const ingress = (spec: string, metadata?: string): string =>
  object("networking.k8s.io/v1", "Ingress", "i", spec, {
    namespace: "shop",
    ...(metadata === undefined ? {} : { metadata }),
  });

const BACKEND = "{service: {name: web, port: {number: 80}}}";
const path = (text: string): string => `{rules: [{host: a.example, http: {paths: [{${text}, backend: ${BACKEND}}]}}]}`;

function only(world: World): Ingress {
  const [first] = world.ingresses;
  if (first === undefined) throw new Error("no Ingress");
  return first;
}

describe("Ingress", () => {
  test("[ING-02] a backend is a Service of the same namespace, by port number or name", () => {
    const { rules } = only(
      worldOf(
        ingress(
          `{rules: [{http: {paths: [{path: /a, pathType: Prefix, backend: ${BACKEND}}, {path: /b, pathType: Exact, backend: {service: {name: api, port: {name: http}}}}]}}]}`,
        ),
      ),
    );
    expect(rules).toEqual([
      {
        paths: [
          { path: "/a", type: "Prefix", backend: { service: "web", port: 80 } },
          { path: "/b", type: "Exact", backend: { service: "api", port: "http" } },
        ],
      },
    ]);
  });

  test("[ING-02] a resource is a backend, but no Service", () => {
    const text = ingress("{defaultBackend: {resource: {apiGroup: a.b, kind: Bucket, name: x}}}");
    expect(only(worldOf(text)).defaultBackend).toBeUndefined();
    expect(errors(text)).toEqual([]);
  });

  test("[ING-03] rules without http go to the default backend", () => {
    const found = only(worldOf(ingress(`{defaultBackend: ${BACKEND}, rules: [{host: a.example}]}`)));
    expect(found.defaultBackend).toEqual({ service: "web", port: 80 });
    expect(found.rules).toEqual([{ host: "a.example", paths: [] }]);
  });

  test("[ING-05] TLS hosts are listed, an entry without hosts as *", () => {
    const of = (tls: string): readonly string[] =>
      only(worldOf(ingress(`{defaultBackend: ${BACKEND}, tls: ${tls}}`))).tlsHosts;
    expect(of("[{hosts: [a.example, b.example], secretName: s}]")).toEqual(["a.example", "b.example"]);
    expect(of("[{secretName: s}]")).toEqual(["*"]);
    expect(of("[]")).toEqual([]);
  });
});

describe("classes", () => {
  const ingressClass = (name: string, isDefault = false): string =>
    `apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: ${name}, annotations: {ingressclass.kubernetes.io/is-default-class: '${isDefault}'}}\nspec: {controller: example.com/${name}}`;
  const classOf = (...texts: readonly string[]): string | undefined => {
    const world = worldOf(objects(...texts));
    return ingressClassOf(world, only(world))?.controller;
  };
  const plain = ingress(`{defaultBackend: ${BACKEND}}`);
  const named = ingress(`{ingressClassName: a, defaultBackend: ${BACKEND}}`);
  const legacy = ingress(`{defaultBackend: ${BACKEND}}`, "annotations: {kubernetes.io/ingress.class: a}");

  test.each([
    ["the class that it names", [named, ingressClass("a"), ingressClass("b", true)], "example.com/a"],
    ["the class of the old annotation", [legacy, ingressClass("a"), ingressClass("b", true)], "example.com/a"],
    ["the default class where it names none", [plain, ingressClass("a"), ingressClass("b", true)], "example.com/b"],
    ["no class where none is the default", [plain, ingressClass("a")], undefined],
    ["no class where two are the default", [plain, ingressClass("a", true), ingressClass("b", true)], undefined],
    ["no class where the named one is missing", [named, ingressClass("b", true)], undefined],
  ])("[ING-01] an Ingress has %s", (_, texts, expected) => {
    expect(classOf(...texts)).toBe(expected);
  });

  test("[ING-01] field and annotation must agree", () => {
    const both = (annotation: string): string =>
      ingress(
        `{ingressClassName: a, defaultBackend: ${BACKEND}}`,
        `annotations: {kubernetes.io/ingress.class: ${annotation}}`,
      );
    expect(errors(both("a"))).toEqual([]);
    expect(errors(both("b"))).toEqual(["BH245"]);
  });
});

describe("Ingresses that a cluster refuses", () => {
  test.each([
    ["neither rules nor default backend", "{}", ["BH245"]],
    ["empty rules and no default backend", "{rules: []}", ["BH245"]],
    ["a default backend alone", `{defaultBackend: ${BACKEND}}`, []],
    ["a path without pathType", path("path: /a"), ["BH245"]],
    ["an unknown pathType", path("path: /a, pathType: prefix"), ["BH205"]],
    ["an Exact path that is not absolute", path("path: foo, pathType: Exact"), ["BH245"]],
    ["a Prefix that is empty", path("path: '', pathType: Prefix"), ["BH245"]],
    ["a Prefix that is missing", path("pathType: Prefix"), ["BH245"]],
    ["an ImplementationSpecific path that is empty", path("path: '', pathType: ImplementationSpecific"), []],
    [
      "an ImplementationSpecific path that is not absolute",
      path("path: foo, pathType: ImplementationSpecific"),
      ["BH245"],
    ],
    ["two slashes", path("path: /a//b, pathType: Prefix"), ["BH245"]],
    ["two slashes where the controller decides", path("path: /a//b, pathType: ImplementationSpecific"), []],
    ["a dot as element", path("path: /a/./b, pathType: Exact"), ["BH245"]],
    ["two dots as element", path("path: /a/../b, pathType: Exact"), ["BH245"]],
    ["an escaped slash", path("path: /a%2fb, pathType: Exact"), ["BH245"]],
    ["an end in two dots", path("path: /a/.., pathType: Prefix"), ["BH245"]],
    ["an end in a dot", path("path: /a/., pathType: Prefix"), ["BH245"]],
    ["a dot within an element", path("path: /a.b, pathType: Prefix"), []],
    ["an address as host", `{rules: [{host: 10.0.0.1}], defaultBackend: ${BACKEND}}`, ["BH245"]],
    ["a host in capitals", `{rules: [{host: A.example}], defaultBackend: ${BACKEND}}`, ["BH245"]],
    ["a wildcard host", `{rules: [{host: '*.example'}], defaultBackend: ${BACKEND}}`, []],
    ["a wildcard within a host", `{rules: [{host: 'a.*.example'}], defaultBackend: ${BACKEND}}`, ["BH245"]],
    ["port name and number", "{defaultBackend: {service: {name: web, port: {name: http, number: 80}}}}", ["BH245"]],
    ["neither port name nor number", "{defaultBackend: {service: {name: web, port: {}}}}", ["BH245"]],
    ["no port", "{defaultBackend: {service: {name: web}}}", ["BH245"]],
    ["a port out of range", "{defaultBackend: {service: {name: web, port: {number: 70000}}}}", ["BH204", "BH245"]],
    ["a port name that is none", "{defaultBackend: {service: {name: web, port: {name: Web_1}}}}", ["BH241"]],
    [
      "a backend of both kinds",
      "{defaultBackend: {service: {name: web, port: {number: 80}}, resource: {kind: B, name: x}}}",
      ["BH245"],
    ],
    ["a backend of neither kind", "{defaultBackend: {}}", ["BH245"]],
    ["no paths", "{rules: [{http: {paths: []}}]}", ["BH245"]],
    ["paths missing", "{rules: [{http: {}}]}", ["BH202"]],
  ])("[ING-06] with %s", (_, spec, codes) => {
    expect(errors(ingress(spec))).toEqual(codes);
  });

  test("[ING-06] the place is told", () => {
    expect(findings(ingress(path("path: foo, pathType: Exact")), "BH245")).toEqual([
      'BH245 4:56 Ingress shop/i: spec.rules[0].http.paths[0].path: "foo" must be an absolute path',
    ]);
  });
});

describe("backends that do not exist", () => {
  const web = objects(
    serviceText("web", "{selector: {app: a}, ports: [{name: http, port: 80}]}", { namespace: "shop" }),
    pod("p", { namespace: "shop", labels: "{app: a}" }),
  );
  const to = (service: string, port: string): string[] =>
    findings(objects(ingress(`{defaultBackend: {service: {name: ${service}, port: {${port}}}}}`), web));

  test.each([
    ["the Service is there, by number", "web", "number: 80", []],
    ["the Service is there, by name", "web", "name: http", []],
    ["no such Service", "api", "number: 80", ["BH306 4:34 Ingress shop/i: Service shop/api is not in the input"]],
    ["no such port number", "web", "number: 81", ["BH306 4:34 Ingress shop/i: Service shop/web has no port 81"]],
    ["no such port name", "web", "name: admin", ["BH306 4:34 Ingress shop/i: Service shop/web has no port admin"]],
  ])("[ING-02] %s", (_, service, port, expected) => {
    expect(to(service, port)).toEqual(expected);
  });

  test("[ING-02] a Service of another namespace does not count", () => {
    const text = objects(
      object("networking.k8s.io/v1", "Ingress", "i", `{defaultBackend: ${BACKEND}}`, { namespace: "pay" }),
      web,
    );
    expect(findings(text, "BH306")).toHaveLength(1);
  });

  test("a backend of a rule is told at its place", () => {
    expect(findings(objects(ingress(path("path: /a, pathType: Prefix")), web))).toEqual([]);
    expect(findings(ingress(path("path: /a, pathType: Prefix")), "BH306")[0]).toContain("BH306 4:97");
  });
});
