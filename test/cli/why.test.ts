import { describe, expect, test } from "vitest";
import { bulkhead, EXAMPLE, json } from "./run.ts";
import { schemaProblems } from "./schema.ts";

const STORY = ["-f", EXAMPLE, "-f", `${EXAMPLE}/policies/cilium`];
const POLICY = `${EXAMPLE}/policies/cilium/service-a.yaml`;

describe.concurrent("why", () => {
  test("names the policy that denies, with its place", async () => {
    const { code, stdout } = await bulkhead([
      "why",
      "default/client-b",
      "default/service-a",
      "--port",
      "80/TCP",
      ...STORY,
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^deny {2}default\/client-b → default\/service-a, TCP 80\n/);
    expect(stdout).toContain(`default deny by CiliumNetworkPolicy/default/service-a  ${POLICY}:3`);
    expect(stdout).toContain(`peer does not match, port matches  ${POLICY}:14`);
  });

  test("names the rule that allows, and each hop on the way from a Service", async () => {
    const { stdout } = await bulkhead(["why", "default/client-a", "default/Service/service-a", ...STORY]);
    expect(stdout).toMatch(/^allow/);
    expect(stdout).toContain(`CiliumNetworkPolicy/default/service-a#ingress[0]`);
    expect(stdout).toContain("1. default/Service/service-a: 80 → 80");
    expect(stdout).toContain("2. egress of default/Deployment/client-a: allow, no policy selects it");
    expect(stdout).toContain("3. ingress of default/Deployment/service-a: allow, a rule decides");
  });

  test("the JSON keeps to its schema", async () => {
    const { stdout } = await bulkhead(["why", "default/client-b", "default/service-a", "-o", "json", ...STORY]);
    const answer = json(stdout);
    expect(schemaProblems("why", answer)).toEqual([]);
    expect(answer).toMatchObject({
      verdict: "deny",
      decidedBy: [{ direction: "ingress", reason: "default-deny", name: "service-a", file: POLICY, line: 3 }],
    });
  });

  test.each([
    [["ingress-controller", "default/service-a"], "deny"],
    [["ingress-controller", "default/service-b"], "allow"],
    [["internet", "default/service-a"], "deny"],
    [["default/client-a", "default/service-a", "--port", "443"], "deny"],
    [["default/client-b", "ip:203.0.113.7", "--port", "53/UDP"], "allow"],
    [["default/client-a", "default/service-a", "--port", "8/ICMP"], "deny"],
  ])("%j: %s", async (args, verdict) => {
    const { code, stdout } = await bulkhead(["why", ...args, ...STORY]);
    expect(code).toBe(0);
    expect(stdout.split(/\s/)[0]).toBe(verdict);
  });
});

const SHOP = `apiVersion: v1
kind: Pod
metadata: {name: client, namespace: shop, labels: {app: client}}
spec: {containers: [{name: m, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: m, image: i, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: dns, namespace: kube-system, labels: {k8s-app: kube-dns}}
spec: {containers: [{name: m, image: i, ports: [{containerPort: 53, protocol: UDP}]}]}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: client, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: client}}
  egress:
    - toEndpoints: [{}]
    - toFQDNs: [{matchName: api.example.com}, {matchPattern: "*.shop.example"}, {matchName: ok.internal}]
    - toEntities: [cluster]
      toPorts: [{ports: [{port: "53", protocol: ANY}], rules: {dns: [{matchPattern: "*.internal"}]}}]
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress:
    - fromEndpoints: [{matchLabels: {app: client}}]
      toPorts:
        - ports: [{port: "80", protocol: TCP}]
          rules:
            http:
              - {method: POST, path: "/admin", headers: ["X-Role: ops"]}
              - {method: GET, path: "/public/.*"}
              - {method: GET, path: "/items", host: "shop[.]example"}
`;

describe.concurrent("why, above the port", () => {
  const ask = (args: readonly string[]): ReturnType<typeof bulkhead> =>
    bulkhead(["why", "shop/client", ...args, "-f", "-"], { input: SHOP });

  test("of a request: every rule for requests, the nearest first, and on what it fails", async () => {
    const { stdout } = await ask(["shop/web", "--http", "GET a/admin"]);
    expect(stdout).toMatch(/^deny/);
    const lines = stdout.split("\n").filter((line) => /[✓✗?] /.test(line));
    expect(lines.map((line) => line.trim().replaceAll(/ {2,}/g, " | "))).toEqual([
      "✗ method GET, path /public/.* | nearly: path is /admin | -:39",
      "✗ method POST, path /admin, header x-role: ops | no: method is GET, header x-role is not sent | -:38",
      "✗ method GET, path /items, host shop[.]example | no: path is /admin, host is a | -:40",
    ]);
  });

  test("of a request with headers", async () => {
    const { stdout } = await ask(["shop/web", "--http", "POST /admin", "--header", "X-Role: ops"]);
    expect(stdout).toMatch(/^allow/);
    expect(stdout).toMatch(/✓ method POST, path \/admin, header x-role: ops +matches +-:38/);
    const other = await ask(["shop/web", "--http", "POST /admin", "--header", "X-Role: dev"]);
    expect(other.stdout).toMatch(/^deny/);
    expect(other.stdout).toContain("nearly: header x-role is dev");
    const alone = await ask(["shop/web", "--header", "X-Role: dev", "--port", "80"]);
    expect(alone.code).toBe(2);
  });

  test("of a request as JSON", async () => {
    const { stdout } = await ask(["shop/web", "--http", "GET /admin", "-o", "json"]);
    const answer = json(stdout);
    expect(schemaProblems("why", answer)).toEqual([]);
    const failure = { part: "path", demand: "/public/.*", actual: "/admin", verdict: "no" };
    expect(stdout.replaceAll(/\s+/g, "")).toContain(JSON.stringify([failure]));
  });

  test("[R6.1.3] a pattern too large to be compiled is unsure, and told with its place", async () => {
    const input = SHOP.replace('path: "/public/.*"', 'path: "/((a{30}){30}){30}"');
    const { code, stdout, stderr } = await bulkhead(
      ["why", "shop/client", "shop/web", "--http", "GET /aaa", "-f", "-"],
      {
        input,
      },
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^unsure/);
    expect(stdout).toContain("because pattern-limit: /((a{30}){30}){30}: longer than 10000 characters");
    expect(stdout).toMatch(/\? method GET, path \/\(\(a\{30\}\)\{30\}\)\{30\} +may match: .* -:39/);
    expect(stderr).toMatch(
      /^-:39:\d+: warning BH230: CiliumNetworkPolicy shop\/web: spec\.ingress\[0\]\.toPorts\[0\]\.rules\.http\[1\]\.path/m,
    );
  });

  test("of a handshake: a port that is read as HTTP takes none", async () => {
    const { stdout } = await ask(["shop/web", "--port", "80", "--tls", "shop.example"]);
    expect(stdout).toMatch(/^deny/);
  });

  test.each(["api.example.com", "www.shop.example"])("[R7.3.1] %s is allowed and dead, by both rules", async (name) => {
    const { stdout } = await ask([`fqdn:${name}`, "--port", "443"]);
    expect(stdout).toMatch(/^deny/);
    expect(stdout).toMatch(new RegExp(`dead: ${name} +CiliumNetworkPolicy/shop/client#egress\\[1\\] allows it +-:23`));
    expect(stdout).toMatch(/client#egress\[2\] lets no look-up of it pass +-:24/);
    const other = await ask([`fqdn:${name}`, "--port", "443", "-o", "json"]);
    expect(schemaProblems("why", json(other.stdout))).toEqual([]);
    expect(other.stdout).toContain('"dead"');
  });

  test("[R7.3.1] a name that is learned is not dead, and one that nobody allows is none", async () => {
    const learned = await ask(["fqdn:ok.internal", "--port", "443"]);
    expect(learned.stdout).toMatch(/^allow/);
    const other = await ask(["fqdn:other.example", "--port", "443"]);
    expect(`${learned.stdout}${other.stdout}`).not.toContain("dead");
  });

  test("[R7.3.1] reach and lint tell dead names", async () => {
    const [text, markdown, data, lint] = await Promise.all(
      [
        ["reach", "-"],
        ["reach", "-", "-o", "md"],
        ["reach", "-", "-o", "json"],
        ["lint", "-"],
      ].map((args) => bulkhead(args, { input: SHOP })),
    );
    const said = "shop/Pod/client: api.example.com, *.shop.example";
    expect(text?.stdout).toContain(said);
    expect(markdown?.stdout.replaceAll("\\", "")).toContain(said);
    expect(schemaProblems("reach", json(data?.stdout ?? ""))).toEqual([]);
    expect(data?.stdout).toContain('"names":["api.example.com","*.shop.example"]');
    expect(lint?.stdout).toMatch(/BH149.*api\.example\.com, \*\.shop\.example.*egress\[2\] \(-:24\)/);
  });
});
