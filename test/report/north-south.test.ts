/** Paths from outside as `why` and `reach` tell them. */
import { describe, expect, test } from "vitest";
import type { Question } from "../../src/reach/answer.ts";
import type { Engine } from "../../src/reach/engine.ts";
import { reachJson } from "../../src/report/reach-json.ts";
import type { ReachReport } from "../../src/report/reach-report.ts";
import { reachText } from "../../src/report/reach-text.ts";
import { PLAIN } from "../../src/report/style.ts";
import { whyJson } from "../../src/report/why-json.ts";
import type { WhyReport } from "../../src/report/why-report.ts";
import { whyText } from "../../src/report/why-text.ts";
import { schemaProblems } from "../cli/schema.ts";
import { engineOf, service, SHOP } from "../reach/scenes.ts";

const written = (pieces: Iterable<string>): string => [...pieces].join("");

const WEB = service("shop", "web", {
  type: "NodePort",
  externalTrafficPolicy: "Local",
  selector: { app: "web" },
  ports: [{ port: 80, targetPort: 8080, nodePort: 30080 }],
});
const INGRESS = JSON.stringify({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name: "i", namespace: "shop" },
  spec: {
    ingressClassName: "cilium",
    rules: [
      {
        host: "a.example",
        http: {
          paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "web", port: { number: 80 } } } }],
        },
      },
    ],
  },
});
const POLICY = JSON.stringify({
  apiVersion: "cilium.io/v2",
  kind: "CiliumNetworkPolicy",
  metadata: { name: "web", namespace: "shop" },
  spec: { endpointSelector: { matchLabels: { app: "web" } }, ingress: [{ fromEntities: ["ingress"] }] },
});

const open = (...more: readonly string[]): Engine => engineOf("cilium", [SHOP, WEB, INGRESS, POLICY, ...more]);

function why(engine: Engine, to = "shop/web", port = 8080): WhyReport {
  const question: Question = { from: "ip:203.0.113.9", to, protocol: "TCP", port };
  return {
    dialect: "cilium",
    complete: true,
    question,
    answer: engine.why(question),
    paths: engine.paths({ from: question.from, to, port: { protocol: "TCP", port } }),
    diagnostics: [],
  };
}

function reach(engine: Engine, provenance: boolean): ReachReport {
  const { rows, pairs } = engine.reach({ from: "internet", by: "endpoint", outside: true, provenance });
  return {
    dialect: "cilium",
    complete: true,
    rows: rows.map((row) => ({ row })),
    pairs,
    paths: engine.paths({ from: "internet" }),
    provenance,
    diagnostics: [],
  };
}

describe("why", () => {
  test("[ING-07] [SVC-17] tells every way with each hop, the verdict of direct traffic first", () => {
    const text = written(whyText(why(open()), PLAIN));
    expect(text).toContain(
      "deny  ip:203.0.113.9 → shop/web, TCP 8080\n  directly; 2 other ways from outside below: 1 allow, 1 deny\n",
    );
    expect(text).toContain("ip:203.0.113.9 → shop/Pod/web, TCP 8080, through node port, any node, port 30080: deny\n");
    expect(text).toContain(
      [
        "ip:203.0.113.9 → shop/Pod/web, TCP 8080, through Ingress/shop/i, host a.example, path / (Prefix): allow (any method host a.example)",
        "1. load balancer of Ingress/shop/i: a.example, port 80, served by Cilium  2.yaml:1",
        "2. ingress of ingress-controller: allow, no policy selects it",
        "3. Cilium: Ingress/shop/i, host a.example, path / (Prefix); a new connection begins here  2.yaml:1",
        "4. shop/Service/web: 80 → 8080",
        "5. egress of ingress-controller: allow, no policy selects it",
        "6. ingress of shop/Pod/web: allow, a rule decides",
      ].join("\n"),
    );
  });

  test("its JSON keeps to the schema, and deciders of a path name their hop", () => {
    const value: unknown = JSON.parse(written(whyJson(why(open()))));
    expect(schemaProblems("why", value)).toEqual([]);
    expect(value).toMatchObject({
      verdict: "deny",
      paths: [
        { verdict: "deny" },
        { way: "node-port", verdict: "deny" },
        {
          way: "ingress",
          through: { object: "Ingress/shop/i", host: "a.example", match: "path / (Prefix)" },
          verdict: "allow",
          http: { boxes: [{ host: "a[.]example" }] },
          decidedBy: [{ hop: 2 }, { hop: 5 }, { hop: 6, kind: "CiliumNetworkPolicy", name: "web" }],
        },
      ],
    });
  });

  test("a way that ends is said at its place", () => {
    const none = service("shop", "none", { selector: { app: "none" }, ports: [{ port: 80 }] });
    const report = why(open(none), "shop/Service/none", 80);
    expect(written(whyText(report, PLAIN))).toContain("  shop/Service/none has no backend for this port  4.yaml:1\n");
    const value: unknown = JSON.parse(written(whyJson(report)));
    expect(schemaProblems("why", value)).toEqual([]);
    expect(value).toMatchObject({ verdict: "deny", stops: [{ kind: "route", verdict: "deny", file: "4.yaml" }] });
  });

  test("[SVC-17] where nothing leads there, it says so", () => {
    expect(written(whyText(why(open(), "shop/db", 5432), PLAIN))).toContain(
      "No load balancer, node port, Ingress or Gateway of the input leads there; the answer above is for direct traffic.",
    );
  });
});

describe("reach", () => {
  test("[SVC-17] lists the ways from outside beside the connections", () => {
    const text = written(reachText(reach(open(), true), PLAIN));
    expect(text).toMatch(/internet +shop\/Pod\/web TCP 8080 +node port, any node, port 30080 +deny +default deny by/);
    expect(text).toMatch(/Ingress\/shop\/i, host a\.example, path \/ \(Prefix\) +allow \(any method host a\.example\)/);
    expect(written(reachText(reach(open(), false), PLAIN))).not.toContain("default deny");
  });

  test("its JSON keeps to the schema", () => {
    for (const provenance of [true, false]) {
      const value: unknown = JSON.parse(written(reachJson(reach(open(), provenance))));
      expect(schemaProblems("reach", value)).toEqual([]);
      expect(value).toMatchObject({ paths: [{ way: "node-port" }, { way: "ingress", hops: { length: 6 } }] });
    }
  });
});
