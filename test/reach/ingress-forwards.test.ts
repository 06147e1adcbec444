/** Which request an Ingress sends where, by its language and request by request (kubernetes.md section 5). */
import { describe, expect, test } from "vitest";
import { type ForwardTarget, type Forward } from "../../src/reach/forward.ts";
import { ingressForwards, type SpecificPaths } from "../../src/reach/ingress-forwards.ts";
import { requestsHave } from "../../src/reach/requests.ts";
import { worldOf } from "./scenes.ts";

const SERVICES = ["web", "api", "deep", "all", "other"]
  .map((name) => `{apiVersion: v1, kind: Service, metadata: {name: ${name}}, spec: {ports: [{name: http, port: 80}]}}`)
  .join("\n---\n");

/** `path type service`, one a line, under hosts that end in a colon; `default service` for the default backend. */
function ingress(name: string, text: string, tls: readonly string[] = []): string {
  const rules: string[] = [];
  let paths: string[] = [];
  let backend = "";
  const backendOf = (service: string): string => `{service: {name: ${service}, port: {number: 80}}}`;
  for (const line of text
    .split("\n")
    .map((l) => l.trim())
    .filter((l) => l !== "")) {
    const [first = "", type = "", service = ""] = line.split(/\s+/);
    if (first === "default") backend = `defaultBackend: ${backendOf(type)}, `;
    else if (line.endsWith(":")) {
      paths = [];
      const host = line.slice(0, -1);
      const index = rules.length;
      rules.push("");
      Object.defineProperty(rules, index, {
        get: () =>
          `{${host === "*" ? "" : `host: "${host}"`}${host === "*" || own.length === 0 ? "" : ", "}${own.length === 0 ? "" : `http: {paths: [${own.join(", ")}]}`}}`,
        enumerable: true,
      });
      const own = paths;
    } else paths.push(`{path: "${first === "''" ? "" : first}", pathType: ${type}, backend: ${backendOf(service)}}`);
  }
  const tlsText = tls.length === 0 ? "" : `tls: [{hosts: [${tls.map((h) => `"${h}"`).join(", ")}]}], `;
  return `{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: ${name}}, spec: {${backend}${tlsText}rules: [${rules.join(", ")}]}}`;
}

function forwardsOf(texts: readonly string[], specific: SpecificPaths = "unknown"): readonly Forward[] {
  const world = worldOf(SERVICES, ...texts);
  return ingressForwards(world, world.ingresses, specific);
}

function nameOf(target: ForwardTarget): string {
  return target.kind === "service" ? target.service.name : target.kind === "nobody" ? "nobody" : target.kind;
}

/** Who gets a request: names with `?` where it is only possible. */
function receivers(forwards: readonly Forward[], host: string, path: string): string {
  const http = { method: "GET", path, host, headers: new Map<string, string>() };
  const out = new Set<string>();
  for (const { requests, target, over } of forwards) {
    const has = requestsHave(requests, { http });
    const secure = over === "https" ? " over TLS" : "";
    if (has !== "no") out.add(`${nameOf(target)}${has === "maybe" ? "?" : ""}${secure}`);
  }
  return [...out].sort().join(" ");
}

describe("paths of one host", () => {
  const forwards = forwardsOf([
    ingress(
      "i",
      `
      a.example:
        /       Prefix web
        /api    Prefix api
        /api/v1 Prefix deep
        /api    Exact  other`,
    ),
  ]);
  test.each([
    ["/", "web"],
    ["/x", "web"],
    ["/apiary", "web"],
    ["/api", "other"],
    ["/api/", "api"],
    ["/api/v2", "api"],
    ["/api/v1", "deep"],
    ["/api/v1/", "deep"],
    ["/api/v1/x", "deep"],
    ["/api/v10", "api"],
    ["/api?x=1", "other"],
    ["/api/v1?x=/api", "deep"],
    ["/?to=/api", "web"],
  ])("[ING-04] %s goes to %s", (path, service) => {
    expect(receivers(forwards, "a.example", path)).toBe(service);
  });
  test("[ING-04] another host goes nowhere", () => {
    expect(receivers(forwards, "b.example", "/")).toBe("");
  });
});

describe("prefixes element by element", () => {
  const forwards = forwardsOf([ingress("i", "a.example:\n/foo Prefix web")]);
  test.each([
    ["/foo", "web"],
    ["/foo/", "web"],
    ["/foo/x", "web"],
    ["/foobar", ""],
    ["/fo", ""],
    ["/x/foo", ""],
  ])("[ING-04] [KX-91] /foo against %s", (path, service) => {
    expect(receivers(forwards, "a.example", path)).toBe(service);
  });
  const slash = forwardsOf([ingress("i", "a.example:\n/foo/ Prefix web")]);
  test.each([
    ["/foo", "web"],
    ["/foo/", "web"],
    ["/foo/x", "web"],
    ["/foobar", ""],
  ])("[ING-04] /foo/ against %s", (path, service) => {
    expect(receivers(slash, "a.example", path)).toBe(service);
  });
});

describe("hosts", () => {
  const forwards = forwardsOf([
    ingress(
      "i",
      `
      a.foo.com:
        /x Prefix web
      *.foo.com:
        /  Prefix api
      *:
        /all Prefix all`,
    ),
  ]);
  test.each([
    ["a.foo.com", "/x", "web"],
    ["b.foo.com", "/x", "api"],
    // What a host of its own does not take may or may not fall through: no document says.
    ["a.foo.com", "/y", "api?"],
    ["a.b.foo.com", "/x", ""],
    ["a.b.foo.com", "/all", "all"],
    ["foo.com", "/", ""],
    ["foo.com", "/all", "all"],
    ["b.foo.com", "/all", "api"],
    ["A.FOO.COM", "/x", ""],
  ])("[ING-04] [KX-91] %s%s goes to %s", (host, path, service) => {
    // Hosts are compared in lower case: whoever asks lowers them first.
    expect(receivers(forwards, host, path)).toBe(service);
  });
});
