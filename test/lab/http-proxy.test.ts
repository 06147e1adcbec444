import { describeWithPackets, uniqueName } from "./unprivileged.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Flow } from "../../src/lab/answers.ts";
import { labApply, labDown, labExec, labFlows, labProbe, labUp } from "../../src/lab/client.ts";
import type { Plan } from "../../src/lab/plan.ts";
import type { RulesetEntry } from "../../src/lab/ruleset.ts";
import type { HttpRule } from "../../src/policy/rule.ts";
import { EMPTY, egress, entry, ingress, pod, rules, service } from "./clusters.ts";
import { proxyPid } from "./proxy-process.ts";

const name = uniqueName();
const WEB = { name: "web", protocol: "TCP", port: 80 } as const;
const web = pod("default/web", 1001, "10.0.0.1", { ports: [WEB] });
const client = pod("default/client", 1002, "10.0.0.3");
const PLAN: Plan = { ...EMPTY, pods: [web, client], services: [service("default/web", "10.96.0.1", [web], 80, 80)] };

function http(...given: readonly Partial<HttpRule>[]): Partial<RulesetEntry> {
  const list = given.map((one): HttpRule => ({ headers: [], at: [], ...one }));
  return { application: [{ kind: "http", rules: list }] };
}

const PUBLIC = rules(ingress(1001, [entry(http({ method: "GET", path: "/public" }))]));

/** What curl prints of the answer. */
async function curl(path: string, ...more: readonly string[]): Promise<string> {
  const argv = [
    "curl",
    "-sS",
    "--max-time",
    "5",
    "--path-as-is",
    "-w",
    "%{http_code}",
    ...more,
    `http://10.96.0.1${path}`,
  ];
  return (await labExec("default/client", argv, { name, stdio: "collect" })).stdout;
}

/** Sends bytes as they are over one connection, and gives what comes back until its end. `port`: the client's; 0: any. */
async function raw(bytes: string, port = 0): Promise<string> {
  const script = `const s=require("net").connect({port:80,host:"10.0.0.1",localPort:${port}});s.on("data",d=>process.stdout.write(d));s.on("error",()=>{});s.on("close",()=>process.exit());s.write(Buffer.from(process.argv[1],"base64"));setTimeout(()=>s.destroy(),1500)`;
  const argv = [process.execPath, "-e", script, Buffer.from(bytes, "latin1").toString("base64")];
  return (await labExec("default/client", argv, { name, stdio: "collect" })).stdout;
}

async function requestFlows(): Promise<Flow[]> {
  const found: Flow[] = [];
  for await (const { flow } of labFlows({}, { name })) if (flow.l7?.type === "REQUEST") found.push(flow);
  return found;
}

describeWithPackets(
  "HTTP through the proxy",
  () => {
    beforeAll(async () => {
      await labUp(PLAN, PUBLIC, { name, attached: true });
    }, 60_000);

    afterAll(async () => {
      await labDown({ name });
    });

    test("what the rules allow comes from the client's own address, the rest is 403", async () => {
      const allowed = await curl("/public");
      expect(allowed).toContain("served by default/web");
      expect(allowed).toContain("from      10.0.0.3 (default/client)");
      expect(await curl("/private")).toBe("Access denied\r\n403");
      expect(await curl("/public", "-X", "DELETE")).toBe("Access denied\r\n403");
      expect(await curl("/public?x=1")).toBe("Access denied\r\n403");
    });

    test("paths are normalised before they are judged; escaped slashes are asked for again", async () => {
      expect(await curl("/x/../public")).toContain("asked     GET /public");
      expect(await curl("//public")).toContain("served by");
      expect(await curl("/a%2f..%2fpublic")).toBe("307");
      expect(await curl("/public/%00")).toBe("400");
    });

    test("a probe tells what the proxy answers", async () => {
      const probe = { from: "default/client", to: "default/web", protocol: "TCP", port: 80 } as const;
      const [passes, refused, bare] = await labProbe(
        [{ ...probe, http: { path: "/public" } }, { ...probe, http: { path: "/private" } }, probe],
        { name },
      );
      expect(passes).toMatchObject({ outcome: "allow", answeredBy: "default/web", http: { status: 200 } });
      expect(refused).toMatchObject({
        outcome: "allow",
        answeredBy: null,
        http: { status: 403, body: "Access denied\r\n" },
      });
      expect(bare).toMatchObject({ outcome: "allow", answeredBy: null });
    });

    test("each request is a flow with its rule", async () => {
      await curl("/public");
      await curl("/private");
      await expect
        .poll(async () => (await requestFlows()).slice(-2).map((flow) => [flow.verdict, flow.l7?.http?.url]))
        .toEqual([
          ["FORWARDED", "http://10.96.0.1/public"],
          ["DROPPED", "http://10.96.0.1/private"],
        ]);
      const [passes] = (await requestFlows()).slice(-2);
      expect(passes).toMatchObject({
        ingress_allowed_by: [{ kind: "CiliumNetworkPolicy" }],
        source: { pod_name: "client" },
      });
    });

    test("one connection, several requests, each judged", async () => {
      const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
      const answers = await raw(ask("/public") + ask("/private") + ask("/public"));
      expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 403", "HTTP/1.1 200"]);
    });

    test.each([
      [
        "both lengths",
        "POST /public HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      ],
      ["two lengths", "POST /public HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"],
      ["a space before the colon", "GET /public HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n"],
      ["two hosts", "GET /public HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"],
      ["no host", "GET /public HTTP/1.1\r\n\r\n"],
      ["no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ])("%s is refused", async (_what, bytes) => {
      expect(await raw(bytes)).toMatch(/^HTTP\/1\.1 400 /);
    });

    test("too many headers and too long ones are refused", async () => {
      const many = Array.from({ length: 150 }, (_, i) => `X-${i}: y\r\n`).join("");
      expect(await raw(`GET /public HTTP/1.1\r\nHost: a\r\n${many}\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
      expect(await raw(`GET /public HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(70_000)}\r\n\r\n`)).toMatch(
        /^HTTP\/1\.1 431 /,
      );
    });

    test("headers are judged and changed as the rules say; both sides judge", async () => {
      const headers = [
        { name: "x-team", value: "a" },
        { name: "x-mark", value: "lab", mismatch: "REPLACE" },
      ] as const;
      const both = rules(
        ingress(1001, [entry(http({ path: "/in.*", headers }))]),
        egress(1002, [entry(http({ path: "/.*n" }))]),
      );
      await labApply({ ruleset: both }, { name });
      expect(await curl("/in", "-H", "X-Team: a", "-H", "Accept: application/json")).toContain('"x-mark":"lab"');
      expect(await curl("/in", "-H", "X-Team: b")).toContain("403");
      expect(await curl("/inside", "-H", "X-Team: a")).toContain("403");
      expect(await curl("/on", "-H", "X-Team: a")).toContain("403");
      await labApply({ ruleset: PUBLIC }, { name });
      expect(await curl("/public")).toContain("served by");
    });

    test("what a proxied connection leaves behind does not stand in the way of a direct one from the same port", async () => {
      const request = "GET /public HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
      expect(await raw(request, 40_001)).toMatch(/^HTTP\/1\.1 200 /);
      await labApply({ ruleset: rules() }, { name });
      expect(await raw(request, 40_001)).toMatch(/^HTTP\/1\.1 200 /);
      await labApply({ ruleset: PUBLIC }, { name });
      expect(await raw(request.replace("public", "private"), 40_001)).toMatch(/^HTTP\/1\.1 403 /);
    });

    test("a target whose own rules drop the connection is 503", async () => {
      const closed = rules(ingress(1001, []), egress(1002, [entry(http({}))]));
      await labApply({ ruleset: closed }, { name });
      expect(await curl("/")).toMatch(/^upstream connect error .*503$/);
      await labApply({ ruleset: PUBLIC }, { name });
    });

    test("a request that passes to a port on which nobody listens is refused", async () => {
      await labApply({ ruleset: rules(ingress(1001, [entry(http({ path: "/public" }))])) }, { name });
      const probe = { from: "default/client", to: "default/web", protocol: "TCP", port: 81 } as const;
      for (const method of ["GET", "HEAD"]) {
        const [passes, not] = await labProbe(
          [
            { ...probe, http: { method, path: "/public" } },
            { ...probe, http: { method, path: "/private" } },
          ],
          { name },
        );
        expect(passes).toMatchObject({ outcome: "refused", http: { status: 503 } });
        expect(not).toMatchObject({ outcome: "allow", http: { status: 403 } });
      }
      await labApply({ ruleset: PUBLIC }, { name });
    });

    test("without the proxy nothing passes; it comes back", async () => {
      const proxy = await proxyPid(name);
      if (proxy === null) throw new Error("no proxy runs");
      process.kill(proxy, "SIGKILL");
      expect(await curl("/private", "--connect-timeout", "1")).not.toContain("served by");
      await expect.poll(() => curl("/public"), { timeout: 10_000 }).toContain("served by default/web");
      expect(await curl("/private")).toBe("Access denied\r\n403");
    });
  },
  60_000,
);
