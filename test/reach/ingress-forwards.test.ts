/** Which request an Ingress sends where, by its language and request by request (kubernetes.md section 5). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ForwardTarget, type Forward } from "../../src/reach/forward.ts";
import { ingressForwards, type SpecificPaths } from "../../src/reach/ingress-forwards.ts";
import { requestsHave } from "../../src/reach/requests.ts";
import { worldOf } from "./scenes.ts";

const SERVICES = ["web", "api", "deep", "all", "other"]
  .map((name) => `{apiVersion: v1, kind: Service, metadata: {name: ${name}}, spec: {ports: [{name: http, port: 80}]}}`)
  .join("\n---\n");

/**
 * An Ingress of namespace default. Takes its name, lines, and the hosts of its TLS entry. A line ends in a colon and is a
 * host (`*`: none), or is `path type service` under it (`''`: an empty path), or `default service`.
 */
function ingress(name: string, text: string, tls: readonly string[] = []): string {
  const backendOf = (service: string): object => ({ service: { name: service, port: { number: 80 } } });
  const rules: { readonly host: string; readonly paths: object[] }[] = [];
  let defaultBackend: object | undefined;
  for (const line of text.split("\n").map((l) => l.trim())) {
    const [first = "", second = "", third = ""] = line.split(/\s+/);
    if (line === "") continue;
    if (first === "default") defaultBackend = backendOf(second);
    else if (line.endsWith(":")) rules.push({ host: line.slice(0, -1), paths: [] });
    else rules.at(-1)?.paths.push({ path: first === "''" ? "" : first, pathType: second, backend: backendOf(third) });
  }
  return JSON.stringify({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name },
    spec: {
      ...(defaultBackend === undefined ? {} : { defaultBackend }),
      ...(tls.length === 0 ? {} : { tls: [{ hosts: tls }] }),
      rules: rules.map(({ host, paths }) => ({
        ...(host === "*" ? {} : { host }),
        ...(paths.length === 0 ? {} : { http: { paths } }),
      })),
    },
  });
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

describe("default backends", () => {
  test("[ING-03] [KX-88] without rules every host and path goes to it", () => {
    const forwards = forwardsOf([ingress("i", "default web")]);
    expect(receivers(forwards, "any.example", "/any")).toBe("web");
    expect(receivers(forwards, "", "/")).toBe("web");
  });

  test("[ING-03] [KX-90] a host without paths goes to it, and to nobody where there is none", () => {
    const having = forwardsOf([ingress("i", "default web\na.example:")]);
    expect(receivers(having, "a.example", "/x")).toBe("web");
    const lacking = forwardsOf([ingress("i", "a.example:\nb.example:\n/ Prefix api")]);
    expect(receivers(lacking, "a.example", "/x")).toBe("nobody");
    expect(receivers(lacking, "b.example", "/x")).toBe("api");
  });

  test("[ING-03] what no rule takes goes to it", () => {
    const forwards = forwardsOf([ingress("i", "default all\na.example:\n/x Prefix web")]);
    expect(receivers(forwards, "a.example", "/x")).toBe("web");
    expect(receivers(forwards, "a.example", "/y")).toBe("all");
    expect(receivers(forwards, "b.example", "/x")).toBe("all");
  });

  test("[ING-03] of two Ingress objects with one, which of them is told nowhere", () => {
    const forwards = forwardsOf([ingress("i", "default web"), ingress("j", "default api\na.example:\n/ Prefix all")]);
    expect(receivers(forwards, "b.example", "/")).toBe("api? web?");
    expect(receivers(forwards, "a.example", "/")).toBe("all");
  });
});

describe("several Ingress objects of one controller", () => {
  test("[ING-04] rules of one host stand beside each other", () => {
    const forwards = forwardsOf([
      ingress("i", "a.example:\n/ Prefix web"),
      ingress("j", "a.example:\n/api Prefix api"),
    ]);
    expect(receivers(forwards, "a.example", "/api/x")).toBe("api");
    expect(receivers(forwards, "a.example", "/x")).toBe("web");
  });

  test("[ING-04] the same path twice: one of the two has it", () => {
    const forwards = forwardsOf([ingress("i", "a.example:\n/ Prefix web"), ingress("j", "a.example:\n/ Prefix api")]);
    expect(receivers(forwards, "a.example", "/x")).toBe("api? web?");
  });
});

describe("paths of the controller's own type", () => {
  const one = ingress("i", "a.example:\n/x ImplementationSpecific api\n/ Prefix web");
  test.each([
    ["prefix", "/x", "api"],
    ["prefix", "/x/y", "api"],
    ["prefix", "/xy", "web"],
    // An expression over the whole path.
    ["regex", "/x", "api"],
    ["regex", "/x/y", "web"],
    // The path itself is meant however it is read; what else is meant is not known.
    ["unknown", "/x", "api"],
    ["unknown", "/x/y", "api? web?"],
  ] as const)("[ING-04] read as %s, %s goes to %s", (specific, path, service) => {
    expect(receivers(forwardsOf([one], specific), "a.example", path)).toBe(service);
  });

  test("[ING-04] an empty one takes every path", () => {
    const forwards = forwardsOf([ingress("i", "a.example:\n'' ImplementationSpecific web")], "unknown");
    expect(receivers(forwards, "a.example", "/x/y")).toBe("web");
  });

  test("[ING-04] an annotation of ingress-nginx makes prefixes expressions", () => {
    const annotated = one.replace(
      '"name":"i"',
      '"name":"i","annotations":{"nginx.ingress.kubernetes.io/use-regex":"true"}',
    );
    expect(receivers(forwardsOf([annotated], "prefix"), "a.example", "/x/y")).toBe("api? web?");
  });
});

describe("TLS", () => {
  test("[ING-05] a host with a TLS entry is served over TLS alone", () => {
    const forwards = forwardsOf([ingress("i", "a.example:\n/ Prefix web\nb.example:\n/ Prefix api", ["a.example"])]);
    expect(receivers(forwards, "a.example", "/")).toBe("web over TLS");
    expect(receivers(forwards, "b.example", "/")).toBe("api");
  });

  test("[ING-05] rules without host are divided by it", () => {
    const forwards = forwardsOf([ingress("i", "*:\n/ Prefix web", ["*.foo.com"])]);
    expect(receivers(forwards, "a.foo.com", "/")).toBe("web over TLS");
    expect(receivers(forwards, "a.b.foo.com", "/")).toBe("web");
  });
});

describe("backends", () => {
  test("[ING-02] the port is the Service's, by number or name; a Service that is missing ends the request", () => {
    const named = ingress("i", "a.example:\n/ Prefix web").replace('"number":80', '"name":"http"');
    expect(forwardsOf([named])[0]?.target).toMatchObject({ kind: "service", port: { port: 80 } });
    const [missing] = forwardsOf([ingress("i", "a.example:\n/ Prefix nothing")]);
    expect(missing?.target).toEqual({
      kind: "nobody",
      reason: "Service default/nothing is not in the input",
      service: "default/nothing",
    });
    const [wrong] = forwardsOf([ingress("i", "a.example:\n/ Prefix web").replace('"number":80', '"number":81')]);
    expect(wrong?.target).toMatchObject({ kind: "nobody", reason: "Service default/web has no port 81" });
  });
});

/** Who gets a request, rule by rule as ING-04 says it, for one host; undefined where no path matches. */
function naive(paths: readonly (readonly [path: string, type: string, service: string])[], path: string): string[] {
  const matching = paths.filter(([own, type]) => {
    if (type === "Exact") return own === path;
    const base = own.replace(/\/+$/, "");
    return path === base || path.startsWith(`${base}/`);
  });
  const longest = Math.max(...matching.map(([own]) => own.length));
  const best = matching.filter(([own]) => own.length === longest);
  const exact = best.filter(([, type]) => type === "Exact");
  return [...new Set((exact.length > 0 ? exact : best).map(([, , service]) => service))].sort();
}

describe("against request by request", () => {
  const segment = fc.constantFrom("a", "b", "ab");
  const path = fc
    .tuple(fc.array(segment, { maxLength: 3 }), fc.boolean())
    .map(([segments, slash]) => `/${segments.join("/")}${slash && segments.length > 0 ? "/" : ""}`);
  const rule = fc.tuple(path, fc.constantFrom("Exact", "Prefix"), fc.constantFrom("web", "api", "deep", "all"));
  test("[ING-04] the languages of random paths agree with trying every path", () => {
    fc.assert(
      fc.property(
        fc.array(rule, { minLength: 1, maxLength: 5 }),
        fc.array(path, { minLength: 5, maxLength: 5 }),
        (rules, asked) => {
          const text = rules.map((r) => r.join(" ")).join("\n");
          const forwards = forwardsOf([ingress("i", `a.example:\n${text}`)]);
          for (const one of asked) {
            const expected = naive(rules, one);
            const marked = expected.map((service) => (expected.length > 1 ? `${service}?` : service)).join(" ");
            expect(receivers(forwards, "a.example", one)).toBe(marked);
          }
        },
      ),
      { seed: 5, numRuns: 300 },
    );
  });
});
