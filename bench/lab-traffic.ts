/**
 * What policy costs the traffic: one path between two pods, measured in turns with the lab's rules and with connection
 * tracking alone, so that whatever else the machine does falls on both. Needs iperf3 for the throughput.
 *
 *   node --import tsx bench/lab-traffic.ts [rounds]      default 20
 */

import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { numberBytes } from "../src/lab/address-space.ts";
import { Enforcement } from "../src/lab/enforcement.ts";
import { Fabric, type WiredSite } from "../src/lab/fabric.ts";
import { socketAddress } from "../src/lab/kernel/address.ts";
import {
  ACCEPT,
  CT_ESTABLISHED,
  compare,
  conntrack,
  lookUpVerdict,
  mask,
  number32,
  payload,
  REGISTER,
  verdict,
} from "../src/lab/kernel/expressions.ts";
import { accept, close, connect, send, socket } from "../src/lab/kernel/libc.ts";
import { NftTable } from "../src/lab/kernel/nftables.ts";
import { resetOnClose, tcpListener, udpSocket } from "../src/lab/kernel/sockets.ts";
import { RESERVED_IDENTITY, type Plan } from "../src/lab/plan.ts";
import type { Peer, Ruleset, RulesetEntry, Traffic } from "../src/lab/ruleset.ts";
import { populationOf, sitesOf } from "../src/lab/sites.ts";
import { VerdictCompiler, type VerdictTables } from "../src/lab/verdicts.ts";

const ROUNDS = Number(process.argv[2] ?? 20);
const SECONDS = 1;
const CONNECTIONS = 3000;
const A = "10.0.0.1";
const B = "10.0.0.2";
const PORT = 5201;

const pod = (name: string, identity: number, address: string) => ({
  name,
  namespace: "default",
  identity,
  labels: {},
  addresses: [address],
  hostNetwork: false,
  node: "node-1",
  ports: [],
});
const PLAN: Plan = {
  nodes: [{ name: "node-1", addresses: ["192.168.50.1"], identity: RESERVED_IDENTITY.remoteNode }],
  pods: [pod("default/a", 1001, A), pod("default/b", 1002, B)],
  services: [],
  ingress: null,
  dns: null,
  outside: [],
  world: { ipv4: RESERVED_IDENTITY.world, ipv6: RESERVED_IDENTITY.world },
};
const from = (...identities: readonly number[]): Peer => ({ kind: "identities", identities });
const entry = (peer: Peer, traffic: Traffic): RulesetEntry => ({
  action: "allow",
  peer,
  traffic,
  origin: "CiliumNetworkPolicy/default/bench#ingress[0]",
});
const tcp = (first: number, last = first): Traffic => ({ protocol: "TCP", ports: { first, last } });

function ruleset(entries: readonly RulesetEntry[]): Ruleset {
  const isolated = { isolated: true, isolatedBy: ["CiliumNetworkPolicy/default/bench"] };
  return {
    policies: [],
    subjects: [
      {
        identity: 1002,
        direction: "ingress",
        ...isolated,
        entries: [...entries, entry(from(1001), { protocol: "any" })],
      },
      { identity: 1001, direction: "egress", ...isolated, entries: [entry(from(1002), { protocol: "any" })] },
    ],
  };
}

/** Exactly so many keys beside those that the traffic uses: ports of one peer, then of the next. */
function exactKeys(count: number): Ruleset {
  const ports = 1000;
  return ruleset(
    Array.from({ length: count }, (_, i) =>
      entry(from(RESERVED_IDENTITY.world + 100 + Math.floor(i / ports)), tcp(6000 + (i % ports))),
    ),
  );
}

/** So many prefixes in as many rules as have different ports, and port ranges beside. */
function ranges(count: number): Ruleset {
  const rules = Math.min(count, 100);
  return ruleset(
    Array.from({ length: rules }, (_, rule) => {
      const prefixes = Array.from({ length: Math.ceil(count / rules) }, (_, i) => {
        const n = rule * Math.ceil(count / rules) + i;
        return { cidr: `${20 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}.0/25`, except: [] };
      });
      return entry({ kind: "prefixes", prefixes, covers: "outside" }, tcp(7000 + rule * 10, 7000 + rule * 10 + 5));
    }),
  );
}

class Bench {
  private readonly fabric = new Fabric();
  private readonly table: NftTable;
  private readonly enforcement: Enforcement;
  private readonly compiler = new VerdictCompiler();
  private readonly a: WiredSite;
  private readonly b: WiredSite;

  constructor() {
    this.fabric.add(sitesOf(PLAN));
    this.table = new NftTable("bulkhead");
    this.table.commit(this.table.transaction().addTable(), "table");
    this.enforcement = new Enforcement(this.table, { internetIndex: 0, podsRoutable: true, serviceAddresses: [] });
    const [a, b] = ["default/a", "default/b"].map((name) => this.fabric.get(name));
    if (a === undefined || b === undefined) throw new Error("no sites");
    this.a = a;
    this.b = b;
  }

  tables(rules: Ruleset): VerdictTables {
    return this.compiler.compile(
      { ...populationOf(PLAN), known: [...populationOf(PLAN).known, ...strangers()] },
      rules,
    );
  }

  enforce(tables: VerdictTables): void {
    this.enforcement.enforce(tables);
  }

  /** Connection tracking, and no policy. */
  trackOnly(): void {
    const r0 = REGISTER(0);
    this.table.commit(
      this.table
        .transaction()
        .flushChain("judge")
        .addRule(
          "judge",
          conntrack("state", r0),
          mask(r0, number32(CT_ESTABLISHED)),
          compare(r0, "neq", number32(0)),
          verdict(ACCEPT),
        )
        .addRule("judge", verdict(ACCEPT)),
      "no policy",
    );
  }

  /** One interval set of so many prefixes, looked up for every packet: what the classes replace. */
  naive(count: number): void {
    const elements = Array.from({ length: count }, (_, n) => BigInt((20 << 24) | (n << 8))).flatMap((first) => [
      { key: numberBytes(4, first), value: ACCEPT },
      { key: numberBytes(4, first + 128n), intervalEnd: true },
    ]);
    const name = `naive-${count}`;
    if (!this.made.has(name)) {
      this.table.commit(
        this.table.transaction().addSet({ name, keyLength: 4, value: "verdict", interval: true }),
        name,
      );
      this.table.fill(name, elements, name);
      this.made.add(name);
    }
    const r0 = REGISTER(0);
    const swap = this.table.transaction().flushChain("judge");
    for (const offset of [12, 16]) swap.addRule("judge", payload("network", offset, 4, r0), lookUpVerdict(name, r0));
    this.table.commit(swap.addRule("judge", verdict(ACCEPT)), "naive");
  }
  private readonly made = new Set<string>();

  private inside(site: WiredSite, argv: readonly string[]): readonly [string, readonly string[]] {
    return ["nsenter", [`--net=/proc/${process.pid}/fd/${site.namespace.fd}`, ...argv]];
  }

  startServer(): void {
    const [command, argv] = this.inside(this.b, ["iperf3", "-s", "-p", String(PORT)]);
    spawn(command, argv, { stdio: "ignore" });
    spawnSync("sleep", ["0.3"]);
  }

  /** Gbit/s of one TCP stream. */
  throughput(): number {
    const [command, argv] = this.inside(this.a, ["iperf3", "-c", B, "-p", String(PORT), "-t", String(SECONDS), "-J"]);
    const run = spawnSync(command, argv, { encoding: "utf8" });
    const told: { end?: { sum_received?: { bits_per_second?: number } } } = JSON.parse(run.stdout);
    return (told.end?.sum_received?.bits_per_second ?? NaN) / 1e9;
  }

  /** TCP connections a second, opened, accepted and reset one after another. */
  connections(): number {
    const listener = tcpListener(this.b.namespace, B, 9000);
    const target = socketAddress(B, 9000);
    const begun = performance.now();
    this.a.namespace.run(() => {
      for (let i = 0; i < CONNECTIONS; i++) {
        const fd = socket(2, 1, 0);
        connect(fd, target);
        close(accept(listener));
        resetOnClose(fd);
        close(fd);
      }
    });
    const rate = (CONNECTIONS / (performance.now() - begun)) * 1000;
    close(listener);
    return rate;
  }

  /** New UDP flows a second, one datagram each. */
  flows(): number {
    const sink = udpSocket(this.b.namespace, B, 9001);
    const target = socketAddress(B, 9001);
    const bytes = Buffer.from("x");
    const begun = performance.now();
    this.a.namespace.run(() => {
      for (let i = 0; i < CONNECTIONS * 2; i++) {
        const fd = socket(2, 2, 0);
        connect(fd, target);
        send(fd, bytes);
        close(fd);
      }
    });
    const rate = ((CONNECTIONS * 2) / (performance.now() - begun)) * 1000;
    close(sink);
    return rate;
  }
}

/** Identities that the exact keys name: known addresses, so that they have classes. */
function strangers(): { readonly address: string; readonly identity: number; readonly kind: "pod" }[] {
  return Array.from({ length: 101 }, (_, i) => ({
    address: `10.9.0.${i}`,
    identity: RESERVED_IDENTITY.world + 100 + i,
    kind: "pod",
  }));
}

interface Statistics {
  readonly mean: number;
  /** Lower and upper end of the 95 % confidence interval of the mean. */
  readonly low: number;
  readonly high: number;
}

function statistics(values: readonly number[]): Statistics {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1);
  const half = (2.09 * Math.sqrt(variance)) / Math.sqrt(values.length);
  return { mean, low: mean - half, high: mean + half };
}

function compareInTurns(
  title: string,
  unit: string,
  measure: () => number,
  base: () => void,
  other: () => void,
  rounds = ROUNDS,
): void {
  const bases: number[] = [];
  const others: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const values = new Map<string, number>();
    const turns = [
      ["base", base],
      ["other", other],
    ] as const;
    for (const [name, set] of round % 2 === 0 ? turns : turns.toReversed()) {
      set();
      values.set(name, measure());
    }
    const [b = NaN, o = NaN] = [values.get("base"), values.get("other")];
    bases.push(b);
    others.push(o);
    ratios.push(o / b);
  }
  const [b, o, r] = [bases, others, ratios].map(statistics);
  process.stdout.write(
    `${title.padEnd(58)} ${b?.mean.toFixed(1)} → ${o?.mean.toFixed(1)} ${unit}; ratio ${r?.mean.toFixed(3)} (95 %: ${r?.low.toFixed(3)}–${r?.high.toFixed(3)}, ${rounds} pairs)\n`,
  );
}

function main(): void {
  const bench = new Bench();
  const sets: readonly (readonly [string, VerdictTables])[] = [
    ["10 exact keys", bench.tables(exactKeys(10))],
    ["100,000 exact keys", bench.tables(exactKeys(100_000))],
    ["10 prefixes", bench.tables(ranges(10))],
    ["100,000 prefixes", bench.tables(ranges(100_000))],
  ];
  const withIperf = spawnSync("iperf3", ["--version"]).error === undefined;
  if (withIperf) bench.startServer();
  const none = (): void => bench.trackOnly();
  for (const [title, tables] of sets) {
    bench.enforce(tables);
    const rules = (): void => bench.enforce(tables);
    if (withIperf) compareInTurns(`throughput, no policy → ${title}`, "Gbit/s", () => bench.throughput(), none, rules);
    compareInTurns(`TCP connections, no policy → ${title}`, "/s", () => bench.connections(), none, rules);
    compareInTurns(`UDP flows, no policy → ${title}`, "/s", () => bench.flows(), none, rules);
  }
  const naive = (): void => bench.naive(100_000);
  naive();
  if (withIperf)
    compareInTurns(
      "throughput, no policy → naive set of 100,000 prefixes",
      "Gbit/s",
      () => bench.throughput(),
      none,
      naive,
      Math.min(5, ROUNDS),
    );
  process.exit(0);
}

if (process.pid === 1) {
  main();
} else {
  const argv = ["--import", "tsx", fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const run = spawnSync("unshare", ["-Urnmp", "--fork", "--kill-child", "--mount-proc", process.execPath, ...argv], {
    stdio: "inherit",
  });
  process.exitCode = run.status ?? 1;
}
