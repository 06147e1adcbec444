import { parseAddress, parsePrefix, rangeOf, type AddressRange } from "../../reference/addresses.ts";
import { clusterOf } from "../../reference/cluster.ts";
import type { Flow } from "../../reference/index.ts";
import { objectsOf } from "../../reference/objects.ts";
import type { Connectivity } from "./conformance.ts";

/** Ports that are asked; the ends of every listed range are added. */
const SAMPLE_PORTS = [1, 53, 80, 443, 8080, 65535];

export interface Probe {
  readonly flow: Flow;
  readonly allowed: boolean;
}

/**
 * Samples of what a connectivity list says: complete between different endpoints, silent about an endpoint and itself,
 * and about two ranges. Of protocols that policies leave undefined only what is listed is asked.
 */
export function probesOf(rows: readonly Connectivity[], documents: readonly unknown[]): readonly Probe[] {
  const workloads = clusterOf(objectsOf(documents), { dialect: "kubernetes" }).workloads.map(
    (workload) => `${workload.namespace}/${workload.kind}/${workload.name}`,
  );
  const ranges = [...new Set(rows.flatMap((row) => [row.from, row.to]).filter((name) => spanOf(name) !== undefined))];
  const names = [...workloads, ...ranges];
  return names.flatMap((from) =>
    names
      .filter((to) => from !== to && (spanOf(from) === undefined || spanOf(to) === undefined))
      .flatMap((to) => {
        const own = rows.filter((row) => row.from === from && row.to === to).map((row) => row.connections);
        // A wider or narrower range has its own row: this pair is a mixture.
        const shared = rows.some((row) => row !== undefined && overlaps(row.from, from) && overlaps(row.to, to));
        if (own.length === 0 && shared) return [];
        return samples(own[0]).map(({ allowed, ...traffic }) => ({ flow: { from, to, ...traffic }, allowed }));
      }),
  );
}

function spanOf(name: string): AddressRange | undefined {
  const prefix = parsePrefix(name);
  if (prefix !== undefined) return rangeOf(prefix);
  const [first, last] = name.split("-").map((part) => parseAddress(part));
  return first === undefined || last === undefined
    ? undefined
    : { family: first.family, first: first.value, last: last.value };
}

function overlaps(a: string, b: string): boolean {
  const [one, two] = [spanOf(a), spanOf(b)];
  if (one === undefined || two === undefined) return a === b;
  return one.family === two.family && one.first <= two.last && two.first <= one.last;
}

type Sample = Pick<Flow, "protocol"> & Partial<Pick<Flow, "port" | "icmp">> & { readonly allowed: boolean };

/** `All Connections`, or `TCP 80,443; UDP 53`; nothing listed, nothing allowed. */
function samples(connections: string | undefined): readonly Sample[] {
  const isAll = connections === "All Connections";
  const listed = new Map(
    (isAll || connections === undefined ? [] : connections.split(";")).map((part) => {
      const [protocol = "", ports = ""] = part.trim().split(/\s+(.*)/);
      return [protocol.toUpperCase(), ports.split(",").map((range) => range.trim().split("-").map(Number))] as const;
    }),
  );
  const asked = ["TCP", "UDP", "SCTP"].flatMap((protocol) => {
    const ranges = listed.get(protocol) ?? [];
    const ends = ranges.flat().flatMap((port) => [port - 1, port, port + 1]);
    const ports = [...new Set([...SAMPLE_PORTS, ...ends])].filter((port) => port > 0 && port < 65536);
    return ports.map((port) => ({
      protocol,
      port,
      allowed: isAll || ranges.some(([first = 0, last = first]) => first <= port && port <= last),
    }));
  });
  return isAll ? [...asked, { protocol: "ICMP", icmp: { type: 8 }, allowed: true }] : asked;
}

/** The same questions about every pair of workloads and the outside, for comparing two policy sets. */
export function questionsOf(documents: readonly unknown[]): readonly Flow[] {
  const workloads = clusterOf(objectsOf(documents), { dialect: "kubernetes" }).workloads.map(
    (workload) => `${workload.namespace}/${workload.kind}/${workload.name}`,
  );
  const ports = [...new Set([1, 80, ...portsIn(documents)])];
  const traffic = [
    ...ports.flatMap((port) => [
      { protocol: "TCP", port },
      { protocol: "UDP", port },
    ]),
    { protocol: "ICMP", icmp: { type: 8 } },
  ];
  return ["internet", ...workloads].flatMap((from) =>
    ["internet", ...workloads]
      .filter((to) => from !== to)
      .flatMap((to) => traffic.map((item) => ({ from, to, ...item }))),
  );
}

/** Every number written under a key `port`. */
function portsIn(value: unknown): readonly number[] {
  if (Array.isArray(value)) return value.flatMap(portsIn);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    key === "port" && typeof item === "number" ? [item] : portsIn(item),
  );
}
