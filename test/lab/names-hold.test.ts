/** The name proxy under what nobody should send, and without itself. */

import { describeWithPackets, uniqueName } from "./unprivileged.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { labDown, labExec, labProbe, labUp } from "../../src/lab/client.ts";
import type { Plan } from "../../src/lab/plan.ts";
import type { Ruleset, RulesetEntry } from "../../src/lab/ruleset.ts";
import { Asker, queryBytes } from "./asking.ts";
import { EMPTY, entry, pod, rules } from "./clusters.ts";
import { hello } from "./proxy/hello.ts";
import { proxyPid } from "./proxy-process.ts";

const name = uniqueName();
const SERVER = "10.0.0.53";
/** A server that others speak over. */
const LIAR = "10.0.0.3";
const [WRONG, RIGHT] = ["198.51.100.66", "198.51.100.7"] as const;
/** Addresses that the liar answers from, and that nobody asked: nobody's, and another server's. */
const FORGED = ["10.0.0.99", SERVER];
const NAMES = [{ text: "*.example.com", expression: "^[-a-zA-Z0-9_]*[.]example[.]com[.]$" }];

const PLAN: Plan = {
  ...EMPTY,
  pods: [
    pod("default/client", 1001, "10.0.0.1"),
    pod("default/noisy", 1001, "10.0.0.2"),
    pod("default/liar", 1003, LIAR),
  ],
  dns: {
    clusterIPs: ["10.96.0.10"],
    domain: "cluster.local",
    pod: { name: "kube-system/coredns", identity: 1002, labels: {}, addresses: [SERVER], node: "node-1" },
  },
  outside: [
    { name: "api.example.com", addresses: ["198.51.100.5"] },
    { name: "secret.test", addresses: ["198.51.100.6"] },
  ],
};

function egress(entries: readonly RulesetEntry[]): Ruleset {
  return rules({ identity: 1001, direction: "egress", isolated: true, isolatedBy: ["p"], entries });
}

const RULES = egress([
  ...(["UDP", "TCP"] as const).map((protocol) =>
    entry({
      peer: { kind: "identities", identities: [1002, 1003] },
      traffic: { protocol, ports: { first: 53, last: 53 } },
      application: [{ kind: "dns", names: NAMES }],
    }),
  ),
  entry({ peer: { kind: "names", names: NAMES }, traffic: { protocol: "TCP", ports: { first: 80, last: 80 } } }),
  entry({
    peer: { kind: "prefixes", prefixes: [{ cidr: "192.0.2.0/24", except: [] }], covers: "outside" },
    traffic: { protocol: "TCP", ports: { first: 443, last: 443 } },
    application: [{ kind: "tls", serverNames: NAMES }],
  }),
]);

let client: Asker;
let noisy: Asker;

function changed(bytes: Buffer, change: (bytes: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  change(copy);
  return copy;
}

async function code(asker: Asker, wanted: string, wait = 4_000): Promise<string> {
  return (await asker.lookUp(SERVER, wanted, "A", wait)).code;
}

describeWithPackets("names, held", () => {
  beforeAll(async () => {
    await labUp(PLAN, RULES, { name });
    client = await Asker.in("default/client", name);
    noisy = await Asker.in("default/noisy", name);
  }, 60_000);

  afterAll(async () => {
    client.close();
    noisy.close();
    await labDown({ name });
  });

  test("what is no query is refused or left unanswered, and the next query is answered", async () => {
    const good = queryBytes("api.example.com");
    const said = async (bytes: Buffer, wait: number): Promise<string> => {
      const answer = await client.datagram(SERVER, 53, bytes, wait);
      return answer === null ? "nothing" : `code ${answer.readUInt8(3) & 15}`;
    };
    for (const bytes of [
      changed(good, (b) => b.writeUInt16BE(2, 4)),
      changed(good, (b) => b.writeUInt16BE(0, 4)),
      changed(good, (b) => b.writeUInt16BE(0xc00c, 12)),
      changed(good, (b) => b.writeUInt8(0xff, 12)),
      good.subarray(0, good.length - 3),
    ])
      expect(await said(bytes, 4_000)).toBe("code 1");
    expect(
      await said(
        changed(good, (b) => b.writeUInt16BE(0x2800, 2)),
        4_000,
      ),
    ).toBe("code 4");
    for (const bytes of [Buffer.alloc(0), good.subarray(0, 11), changed(good, (b) => b.writeUInt16BE(0x8180, 2))])
      expect(await said(bytes, 200)).toBe("nothing");
    expect(await code(client, "api.example.com")).toBe("NOERROR");
  });

  test("answers with another number, for another name, cut, from another port or address teach nothing", async () => {
    const program = fileURLToPath(new URL("liar.mjs", import.meta.url));
    const argv = ["timeout", "60", process.execPath, program, LIAR, WRONG, RIGHT, ...FORGED];
    const ended = labExec("default/liar", argv, { name, stdio: "collect" });
    let found = await client.lookUp(LIAR, "www.example.com", "A", 1_000);
    // The server may not be there yet.
    for (let turn = 0; turn < 20 && found.code !== "NOERROR"; turn++)
      found = await client.lookUp(LIAR, "www.example.com", "A", 1_000);
    expect(found).toMatchObject({ code: "NOERROR", addresses: [RIGHT] });
    const to = { from: "default/client", protocol: "TCP", port: 80 } as const;
    const results = await labProbe(
      [WRONG, RIGHT].map((address) => ({ ...to, to: `ip:${address}` })),
      { name },
    );
    expect(results.map(({ outcome }) => outcome)).toEqual(["deny", "allow"]);
    expect(await ended).toMatchObject({ code: 0, stderr: "" });
  });

  test("a stream that is no DNS is ended, and one without an end costs nobody else", async () => {
    const junk = await client.stream(SERVER, 53, [Buffer.from("\0\x05hello and more")]);
    expect([junk.connected, junk.received.length, junk.ended]).toEqual([true, 0, "ECONNRESET"]);
    // Lengths that promise more than ever comes, from more connections than one client may have.
    const open = Array.from({ length: 60 }, () =>
      noisy.stream(SERVER, 53, [Buffer.from([0xff, 0xff, 1, 2, 3])], { wait: 3_000 }),
    );
    await sleep(300);
    expect((await client.lookUpByStream(SERVER, "api.example.com", "A", 4_000)).code).toBe("NOERROR");
    const ended = await Promise.all(open);
    expect(ended.filter((one) => one.ended === "ECONNRESET").length).toBeGreaterThanOrEqual(28);
  });

  test("a flood of one pod leaves the others their look-ups", async () => {
    const flood = Array.from({ length: 1_500 }, (_, id) => queryBytes(`n${id}.example.com`, "A", id));
    const flooding = noisy.flood(SERVER, 53, flood, 3_000);
    for (let turn = 0; turn < 5; turn++) {
      // Whose datagram a full queue lost asks again, as resolvers do.
      const codes = [await code(client, "api.example.com", 1_500)];
      if (codes[0] === "no answer") codes.push(await code(client, "api.example.com", 4_000));
      expect(codes.at(-1)).toBe("NOERROR");
    }
    expect(await flooding).toBeGreaterThan(0);
  });

  test("without the proxy nothing passes, and it comes back", async () => {
    const before = await proxyPid(name);
    if (before === null) throw new Error("no proxy runs");
    process.kill(before, "SIGKILL");
    const codes = new Set<string>();
    const secured: boolean[] = [];
    let isBack = false;
    for (const end = Date.now() + 20_000; !isBack && Date.now() < end; ) {
      codes.add(await code(client, "secret.test", 50));
      const wrong = await client.stream("192.0.2.1", 443, [hello({ serverName: "secret.test" })], { wait: 50 });
      secured.push(wrong.ended === "end");
      isBack = (await code(client, "api.example.com", 100)) === "NOERROR";
    }
    expect(isBack).toBe(true);
    expect(secured).not.toContain(true);
    expect([...codes].filter((one) => one !== "REFUSED" && one !== "no answer")).toEqual([]);
    expect(await proxyPid(name)).not.toBe(before);
    expect(await code(client, "secret.test")).toBe("REFUSED");
    const right = await client.stream("192.0.2.1", 443, [hello({ serverName: "api.example.com" })]);
    expect([right.connected, right.ended]).toEqual([true, "end"]);
    const [result] = await labProbe([{ from: "default/client", to: "ip:198.51.100.5", protocol: "TCP", port: 80 }], {
      name,
    });
    expect(result?.outcome).toBe("allow");
  });
});
