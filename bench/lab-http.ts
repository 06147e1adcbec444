/**
 * What HTTP rules cost: the lab's proxy beside nginx and haproxy (Debian packages) that filter by the same rules, in turns,
 * so that whatever else the machine does falls on all of them. Whoever filters has one processor, the client (wrk) and the
 * server behind (nginx) the other. All in the network of one lab.
 *
 *   node --import tsx bench/lab-http.ts [rounds] [seconds] [way…]   default 5 rounds of 2 seconds each, every way:
 *                                                                    one many fresh large alone
 */

import "../test/lab/ordinary-user.ts";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { labDown, labExec, labUp } from "../src/lab/client.ts";
import { type Plan, type PlannedPod, RESERVED_IDENTITY } from "../src/lab/plan.ts";
import { PROXY_MARK } from "../src/lab/proxy/supervisor.ts";
import type { Ruleset, RulesetEntry } from "../src/lab/ruleset.ts";
import { median } from "./figures.ts";

const NAME = `bench-http-${process.pid}`;
const ROUNDS = Number(process.argv[2] ?? 5);
const SECONDS = Number(process.argv[3] ?? 2);
const [FILTERS, OTHERS] = ["0", "1"];
const RULES = 1_000;
const PATHS_OF_RULE = 10;
const CONNECTIONS = 32;
const LARGE = 1024 * 1024;
/** Requests before anything is measured: Node compiles what is used often. */
const WARM = 40_000;
const ORIGIN = "CiliumNetworkPolicy/default/web#ingress[0]";

const pod = (own: string, identity: number, address: string): PlannedPod => ({
  name: `default/${own}`,
  namespace: "default",
  identity,
  labels: { app: own },
  addresses: [address],
  hostNetwork: false,
  node: "node-1",
  ports: [],
});
const PODS = {
  web: pod("web", 1001, "10.0.0.1"),
  client: pod("client", 1002, "10.0.0.2"),
  nginx: pod("nginx", 1003, "10.0.0.3"),
  haproxy: pod("haproxy", 1004, "10.0.0.4"),
} as const;
const PLAN: Plan = {
  nodes: [{ name: "node-1", addresses: ["192.168.50.1"], identity: RESERVED_IDENTITY.remoteNode }],
  pods: Object.values(PODS),
  services: [],
  ingress: null,
  dns: null,
  outside: [],
  world: { ipv4: RESERVED_IDENTITY.world, ipv6: RESERVED_IDENTITY.world },
};

/** Where every filter has one rule, where it has many, and where the server itself is reached. */
const PORT = { one: 80, many: 81, direct: 82 } as const;
/** Beginnings of the paths that pass; a beginning of one rule is none of another's. */
const PREFIXES = { one: ["/p"], many: Array.from({ length: RULES }, (_, number) => `/p${number}/`) } as const;

function entry(port: number, more: Partial<RulesetEntry>): RulesetEntry {
  const traffic = { protocol: "TCP", ports: { first: port, last: port } } as const;
  return { action: "allow", peer: { kind: "any" }, traffic, origin: ORIGIN, ...more };
}

function filtered(which: "one" | "many"): RulesetEntry {
  const rules = PREFIXES[which].map((prefix) => ({ method: "GET", path: `${prefix}.*`, headers: [], at: [] }));
  return entry(PORT[which], { application: [{ kind: "http", rules }] });
}

const RULESET: Ruleset = {
  policies: ["CiliumNetworkPolicy/default/web"],
  subjects: [
    {
      identity: 1001,
      direction: "ingress",
      isolated: true,
      isolatedBy: ["CiliumNetworkPolicy/default/web"],
      entries: [filtered("one"), filtered("many"), entry(PORT.direct, {})],
    },
  ],
};

const folder = mkdtempSync(join(tmpdir(), "bench-http-"));
chmodSync(folder, 0o755);

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** `master_process off`: there is nobody to become in the lab, where every file is root's. */
function nginx(name: string, body: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${join(folder, `${name}-${kind}`)};`)
    .join(" ");
  return file(
    `${name}.conf`,
    `user root root; daemon off; master_process off; pid ${join(folder, `${name}.pid`)}; error_log stderr crit;
events { worker_connections 4096; }
http { ${temporary} access_log off; sendfile on; tcp_nodelay on; keepalive_requests 1000000000; keepalive_timeout 600s;
${body} }
`,
  );
}

const server = nginx(
  "server",
  `server { ${Object.values(PORT)
    .map((port) => `listen ${port};`)
    .join(
      " ",
    )} location / { return 200 "here"; } location = /p0/large { alias ${file("large", Buffer.alloc(LARGE))}; } }`,
);

function nginxFilter(): string {
  const pass = `{ limit_except GET { deny all; } proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://web; }`;
  const servers = (["one", "many"] as const).map(
    (which) =>
      `server { listen ${PORT[which]}; location / { return 403; } ${PREFIXES[which]
        .map((prefix) => `location ^~ ${prefix} ${pass}`)
        .join("\n")} }`,
  );
  const upstream = `upstream web { server ${PODS.web.addresses[0]}:${PORT.direct}; keepalive ${CONNECTIONS * 2}; keepalive_requests 1000000000; }`;
  return nginx("filter", `proxy_max_temp_file_size 0; ${upstream}\n${servers.join("\n")}`);
}

function haproxyFilter(): string {
  const fronts = (["one", "many"] as const).map((which) => {
    const list = file(`${which}.list`, `${PREFIXES[which].join("\n")}\n`);
    return `frontend ${which}
  bind :${PORT[which]}
  http-request deny deny_status 403 unless METH_GET { path_beg -f ${list} }
  default_backend web`;
  });
  return file(
    "haproxy.conf",
    `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
${fronts.join("\n")}
backend web
  http-reuse always
  server web ${PODS.web.addresses[0]}:${PORT.direct}
`,
  );
}

/** So many paths by turns; `fresh`: with a number in the query that comes but once. */
function script(fresh: boolean): string {
  const path = `"/p" .. (n % ${RULES}) .. "/" .. (math.floor(n / ${RULES}) % ${PATHS_OF_RULE})`;
  return file(
    `paths-${fresh}.lua`,
    fresh
      ? `local n = 0\nrequest = function() n = n + 1; return wrk.format("GET", ${path} .. "?" .. n) end\n`
      : `local made = {}
init = function() for n = 1, ${RULES * PATHS_OF_RULE} do made[n] = wrk.format("GET", ${path}) end end
local at = 0
request = function() at = at % ${RULES * PATHS_OF_RULE} + 1; return made[at] end
`,
  );
}

interface Measured {
  readonly requests: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly median: number;
  readonly late: number;
  /** Microseconds of the filter's processor that a request took; NaN: there is no filter. */
  readonly cpu: number;
}

interface Load {
  readonly connections: number;
  /** A script, or the one path. */
  readonly paths: { readonly script: string } | { readonly path: string };
}

function milliseconds(text: string): number {
  const [, number = "", unit] = /^([\d.]+)(us|ms|s)$/.exec(text) ?? [];
  return Number(number) * (unit === "us" ? 1e-3 : unit === "s" ? 1e3 : 1);
}

/** Seconds of processor time that a process has used. */
function processorTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function measure(target: string, pid: number | null, { connections, paths }: Load): Promise<Measured> {
  const [path, more] = "path" in paths ? [paths.path, []] : ["/", ["-s", paths.script]];
  const argv = ["-t1", `-c${connections}`, `-d${SECONDS}s`, "--latency", ...more, `http://${target}${path}`];
  const before = pid === null ? NaN : processorTime(pid);
  const { stdout, stderr } = await labExec("default/client", ["taskset", "-c", OTHERS, "wrk", ...argv], {
    name: NAME,
    stdio: "collect",
  });
  const used = pid === null ? NaN : processorTime(pid) - before;
  const found = (pattern: RegExp): string => pattern.exec(stdout)?.[1] ?? "";
  const count = Number(found(/(\d+) requests in/));
  if (/Non-2xx|Socket errors/.test(stdout) || !(count > 0))
    throw new Error(`${target}${path} is not answered as it should be\n${stdout}${stderr}`);
  return {
    requests: count,
    perSecond: Number(found(/Requests\/sec:\s+([\d.]+)/)),
    median: milliseconds(found(/ 50%\s+(\S+)/)),
    late: milliseconds(found(/ 99%\s+(\S+)/)),
    cpu: (used / count) * 1e6,
  };
}

/** The process of a program with this configuration, when something listens in its network. */
function listening(program: string, config: string): number | null {
  for (const found of readdirSync("/proc")) {
    if (!/^\d+$/.test(found)) continue;
    try {
      const isIt =
        readFileSync(`/proc/${found}/comm`, "utf8").trim() === program &&
        readFileSync(`/proc/${found}/cmdline`, "utf8").includes(config);
      if (isIt) return / 0A /.test(readFileSync(`/proc/${found}/net/tcp`, "utf8")) ? Number(found) : null;
    } catch {
      // It has ended meanwhile.
    }
  }
  return null;
}

/** The lab's proxy: a child of the daemon. */
function proxyOf(daemon: number): number | null {
  const children = readFileSync(`/proc/${daemon}/task/${daemon}/children`, "utf8").trim().split(" ");
  const found = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(PROXY_MARK));
  return found === undefined ? null : Number(found);
}

/** Starts a program in a pod, and gives its process when it takes connections. */
async function start(place: string, processor: string, argv: readonly string[], config: string): Promise<number> {
  const ended = labExec(place, ["taskset", "-c", processor, ...argv, config], { name: NAME, stdio: "collect" });
  let failure: string | null = null;
  void ended.then(({ stderr }) => (failure = stderr));
  for (let turn = 0; turn < 100; turn++) {
    await sleep(100);
    if (failure !== null) break;
    const pid = listening(argv[0] ?? "", config);
    if (pid !== null) return pid;
  }
  throw new Error(`${argv.join(" ")} does not start: ${failure ?? ""}`);
}

/** Who filters. */
interface Filter {
  readonly name: string;
  readonly address: string;
  readonly pid: number;
}

const ALL_WAYS = ["one", "many", "fresh", "large", "alone"] as const;
type Way = (typeof ALL_WAYS)[number];
const ASKED_WAYS = process.argv.slice(4);
const WAYS = ALL_WAYS.filter((way) => ASKED_WAYS.length === 0 || ASKED_WAYS.includes(way));

const LOADS: Readonly<Record<Way, { readonly port: "one" | "many"; readonly load: Load; readonly title: string }>> = {
  one: {
    port: "one",
    load: { connections: CONNECTIONS, paths: { script: script(false) } },
    title: "small, 1 rule",
  },
  many: {
    port: "many",
    load: { connections: CONNECTIONS, paths: { script: script(false) } },
    title: `small, ${RULES} rules`,
  },
  fresh: {
    port: "many",
    load: { connections: CONNECTIONS, paths: { script: script(true) } },
    title: `small, ${RULES} rules, no path twice`,
  },
  large: { port: "one", load: { connections: 8, paths: { path: "/p0/large" } }, title: "bodies of 1 MiB" },
  alone: {
    port: "one",
    load: { connections: 1, paths: { script: script(false) } },
    title: "one connection",
  },
};

function spread(values: readonly number[]): string {
  return `${median(values).toFixed(2)} (${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)})`;
}

async function filters(daemon: number): Promise<readonly Filter[]> {
  const proxy = proxyOf(daemon);
  if (proxy === null) throw new Error("the lab's proxy does not run");
  spawnSync("taskset", ["-a", "-p", "-c", FILTERS, String(proxy)]);
  const found: Filter[] = [{ name: "bulkhead", address: PODS.web.addresses[0] ?? "", pid: proxy }];
  for (const [name, argv, config] of [
    ["nginx", ["nginx", "-c"], nginxFilter()],
    ["haproxy", ["haproxy", "-f"], haproxyFilter()],
  ] as const) {
    if (spawnSync(name, ["-v"]).error !== undefined) {
      process.stderr.write(`${name} is not installed (apt-get install ${name}): left out\n`);
      continue;
    }
    const pid = await start(`default/${name}`, FILTERS, argv, config);
    found.push({ name, address: PODS[name].addresses[0] ?? "", pid });
  }
  return found;
}

async function main(): Promise<void> {
  for (const tool of ["wrk", "nginx", "taskset"]) {
    if (spawnSync(tool, ["-v"]).error === undefined) continue;
    process.stderr.write(`${tool} is not installed: nothing can be measured\n`);
    process.exitCode = 3;
    return;
  }
  const { pid: daemon } = await labUp(PLAN, RULESET, { name: NAME, attached: true });
  try {
    spawnSync("taskset", ["-a", "-p", "-c", OTHERS, String(daemon)]);
    await start("default/web", OTHERS, ["nginx", "-c"], server);
    const all = await filters(daemon);
    await sleep(500);
    const seen = new Map<string, Measured[]>();
    const add = (key: string, measured: Measured): void => {
      seen.set(key, [...(seen.get(key) ?? []), measured]);
    };
    for (let done = 0; done < WARM; )
      done += (await measure(`${PODS.web.addresses[0]}:${PORT.many}`, null, LOADS.many.load)).requests;
    const direct = `${PODS.web.addresses[0]}:${PORT.direct}`;
    for (let round = 0; round < ROUNDS; round++) {
      const turns = round % 2 === 0 ? all : all.toReversed();
      for (const way of WAYS) {
        const { port, load } = LOADS[way];
        add(`${way} direct`, await measure(direct, null, load));
        for (const { name, address, pid } of turns)
          add(`${way} ${name}`, await measure(`${address}:${PORT[port]}`, pid, load));
      }
    }
    report(
      all.map(({ name }) => name),
      (way, who) => seen.get(`${way} ${who}`) ?? [],
    );
  } finally {
    await labDown({ name: NAME });
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(names: readonly string[], of: (way: Way, who: string) => readonly Measured[]): void {
  const write = (line: string): boolean => process.stdout.write(`${line}\n`);
  const ratios = (way: Way, who: string, to: readonly Measured[], what: "perSecond" | "cpu"): readonly number[] =>
    of(way, who).map((one, round) => one[what] / (to[round]?.[what] ?? NaN));
  const added = (who: string): string => {
    const more = (["median", "late"] as const).map((which) =>
      median(of("alone", who).map((run, round) => run[which] - (of("alone", "direct")[round]?.[which] ?? NaN))),
    );
    return `${who} 50 % ${more[0]?.toFixed(2)} ms, 99 % ${more[1]?.toFixed(2)} ms`;
  };
  write(`${ROUNDS} rounds of ${SECONDS} s; middle of the rounds (least–most)`);
  for (const way of WAYS) {
    write(`\n${LOADS[way].title}, ${LOADS[way].load.connections} connections`);
    for (const who of ["direct", ...names]) {
      const runs = of(way, who);
      const rate = median(runs.map(({ perSecond }) => perSecond));
      const parts = [`${who.padEnd(9)} ${rate.toFixed(0).padStart(7)} requests/s`];
      parts.push(`50 % ${median(runs.map(({ median }) => median)).toFixed(2)} ms`);
      parts.push(`99 % ${median(runs.map(({ late }) => late)).toFixed(2)} ms`);
      if (who !== "direct") parts.push(`${median(runs.map(({ cpu }) => cpu)).toFixed(0)} µs of processor a request`);
      write(parts.join(", "));
    }
    if (LOADS[way].load.connections === 1) write(`latency added: ${names.map((who) => added(who)).join("; ")}`);
    for (const other of names.slice(1)) {
      const rates = ratios(way, "bulkhead", of(way, other), "perSecond");
      const costs = ratios(way, other, of(way, "bulkhead"), "cpu");
      write(`bulkhead to ${other}: ${spread(rates)} of its requests/s; by processor time ${spread(costs)}`);
    }
  }
  for (const way of ["many", "fresh"] as const) {
    if (!WAYS.includes(way) || !WAYS.includes("one")) continue;
    write(
      `\n${LOADS[way].title}, to 1 rule: ${spread(ratios(way, "bulkhead", of("one", "bulkhead"), "perSecond"))} of its requests/s; by processor time ${spread(of("one", "bulkhead").map(({ cpu }, round) => cpu / (of(way, "bulkhead")[round]?.cpu ?? NaN)))}`,
    );
  }
}

await main();
