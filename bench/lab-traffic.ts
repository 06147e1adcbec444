/**
 * What policy costs the traffic: one path between two pods, measured in turns with the lab's rules and with connection
 * tracking alone, so that whatever else the machine does falls on both. Needs iperf3 for the throughput.
 *
 *   node --import tsx bench/lab-traffic.ts [rounds] [what…]      default 20 rounds of everything: throughput tcp udp
 */

import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
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
import { MessageWriter, NetlinkSocket, NLM_F_REQUEST } from "../src/lab/kernel/netlink.ts";
import { NftTable } from "../src/lab/kernel/nftables.ts";
import { resetOnClose, tcpListener, udpSocket } from "../src/lab/kernel/sockets.ts";
import { RESERVED_IDENTITY, type Plan } from "../src/lab/plan.ts";
import type { Peer, Ruleset, RulesetEntry, Traffic } from "../src/lab/ruleset.ts";
import { populationOf, sitesOf } from "../src/lab/sites.ts";
import { VerdictCompiler, type VerdictTables } from "../src/lab/verdicts.ts";
import { patternMatches } from "../src/net/path-language.ts";
import { boundsOfMedian, median } from "./figures.ts";

const ROUNDS = Number(process.argv[2] ?? 20);
const ASKED = process.argv.slice(3);
/** Pairs of what takes milliseconds, for each pair of what takes seconds. */
const SHORT_ROUNDS = 5 * ROUNDS;
const SECONDS = 1;
const CONNECTIONS = 1000;
const FLOWS = 4000;
const NETLINK_NETFILTER = 12;
const CONNTRACK_SUBSYSTEM = 1;
const CONNTRACK_DELETE = 2;
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
  private readonly compiler = new VerdictCompiler(patternMatches);
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

  /** TCP connections a second of CPU time, opened, accepted and reset one after another. */
  connections(): number {
    forgetConnections();
    const listener = tcpListener(this.b.namespace, B, 9000);
    const target = socketAddress(B, 9000);
    const begun = cpuMilliseconds();
    this.a.namespace.run(() => {
      for (let i = 0; i < CONNECTIONS; i++) {
        const fd = socket(2, 1, 0);
        connect(fd, target);
        close(accept(listener));
        resetOnClose(fd);
        close(fd);
      }
    });
    const rate = (CONNECTIONS / (cpuMilliseconds() - begun)) * 1000;
    close(listener);
    return rate;
  }

  /** New UDP flows a second of CPU time, one datagram each. */
  flows(): number {
    forgetConnections();
    const sink = udpSocket(this.b.namespace, B, 9001);
    const target = socketAddress(B, 9001);
    const bytes = Buffer.from("x");
    const begun = cpuMilliseconds();
    this.a.namespace.run(() => {
      for (let i = 0; i < FLOWS; i++) {
        const fd = socket(2, 2, 0);
        connect(fd, target);
        send(fd, bytes);
        close(fd);
      }
    });
    const rate = (FLOWS / (cpuMilliseconds() - begun)) * 1000;
    close(sink);
    return rate;
  }
}

/** CPU time of this thread, in which the kernel also handles the packets that it sends. */
function cpuMilliseconds(): number {
  return Number(readFileSync("/proc/thread-self/schedstat", "utf8").split(" ")[0]) / 1e6;
}

/** Empties the router's table of tracked connections, so that every flow is a new one whichever ports come up. */
function forgetConnections(): void {
  const link = new NetlinkSocket(NETLINK_NETFILTER);
  const writer = new MessageWriter(64);
  writer.begin((CONNTRACK_SUBSYSTEM << 8) | CONNTRACK_DELETE, NLM_F_REQUEST, link.next(), Buffer.alloc(4));
  writer.acknowledge();
  writer.finish();
  link.exchange(writer, "forget connections");
  link.close();
}

/** Identities that the exact keys name: known addresses, so that they have classes. */
function strangers(): { readonly address: string; readonly identity: number; readonly kind: "pod" }[] {
  return Array.from({ length: 101 }, (_, i) => ({
    address: `10.9.0.${i}`,
    identity: RESERVED_IDENTITY.world + 100 + i,
    kind: "pod",
  }));
}

function compareInTurns(
  title: string,
  unit: string,
  measure: () => number,
  base: () => void,
  other: () => void,
  rounds: number,
): void {
  const bases: number[] = [];
  const others: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const turns = [
      [bases, base],
      [others, other],
    ] as const;
    for (const [values, set] of round % 2 === 0 ? turns : turns.toReversed()) {
      set();
      values.push(measure());
    }
  }
  const ratios = others.map((value, at) => value / (bases[at] ?? NaN));
  const [low, high] = boundsOfMedian(ratios);
  process.stdout.write(
    `${title.padEnd(58)} ${median(bases).toFixed(1)} → ${median(others).toFixed(1)} ${unit}; ratio ${median(ratios).toFixed(3)} (95 %: ${low.toFixed(3)}–${high.toFixed(3)}, ${rounds} pairs)\n`,
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
  const isAsked = (what: string): boolean => ASKED.length === 0 || ASKED.includes(what);
  const withIperf = isAsked("throughput") && spawnSync("iperf3", ["--version"]).error === undefined;
  if (withIperf) bench.startServer();
  const none = (): void => bench.trackOnly();
  for (const [title, tables] of sets) {
    bench.enforce(tables);
    const rules = (): void => bench.enforce(tables);
    if (withIperf)
      compareInTurns(`throughput, no policy → ${title}`, "Gbit/s", () => bench.throughput(), none, rules, ROUNDS);
    if (isAsked("tcp"))
      compareInTurns(
        `TCP connections, no policy → ${title}`,
        "/s",
        () => bench.connections(),
        none,
        rules,
        SHORT_ROUNDS,
      );
    if (isAsked("udp"))
      compareInTurns(`UDP flows, no policy → ${title}`, "/s", () => bench.flows(), none, rules, SHORT_ROUNDS);
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
