/** What the proxy reports, as the layer 7 part of a flow (cilium `api/v1/flow/flow.proto`, `Layer7`). */

import type { FlowLayer7 } from "./answers.ts";
import type { DnsReport, HttpReport, Report } from "./proxy/seam.ts";

export function layer7(report: Report): FlowLayer7 {
  const { type } = report;
  switch (report.kind) {
    case "http":
      return { type, ...http(report) };
    case "dns":
      return { type, dns: dns(report) };
    case "tls":
      // Hubble has no record of its own for TLS: the name stands in `destination_names`.
      return { type };
  }
}

function http({ method, url, protocol, headers, code, latencyNs }: HttpReport): Omit<FlowLayer7, "type"> {
  return {
    ...(latencyNs === undefined ? {} : { latency_ns: String(latencyNs) }),
    http: {
      ...(code === undefined ? {} : { code }),
      method,
      url,
      protocol,
      ...(headers.length === 0 ? {} : { headers: headers.map(([key, value]) => ({ key, value })) }),
    },
  };
}

/** Numbers that are 0 and lists that are empty are left out, as proto3 does. */
function dns({ query, queryType, answer }: DnsReport): NonNullable<FlowLayer7["dns"]> {
  return {
    query,
    ...(answer === undefined || answer.addresses.length === 0 ? {} : { ips: answer.addresses }),
    ...(answer === undefined || answer.ttl === 0 ? {} : { ttl: answer.ttl }),
    ...(answer === undefined || answer.aliases.length === 0 ? {} : { cnames: answer.aliases }),
    observation_source: "proxy",
    ...(answer === undefined || answer.code === 0 ? {} : { rcode: answer.code }),
    qtypes: [queryType],
    ...(answer === undefined || answer.types.length === 0 ? {} : { rrtypes: answer.types }),
  };
}

/** One line, as `hubble observe` prints it. */
export function requestSummary(report: Report): string {
  switch (report.kind) {
    case "http": {
      const { type, method, url, protocol, code, latencyNs } = report;
      if (type === "REQUEST") return `${protocol} ${method} ${url}`;
      const milliseconds = latencyNs === undefined ? "" : ` ${(latencyNs / 1e6).toFixed(1)}ms`;
      return `${protocol} ${code ?? 0}${milliseconds} (${method} ${url})`;
    }
    case "dns": {
      const { query, queryType, answer } = report;
      if (answer === undefined) return `DNS Query ${query} ${queryType}`;
      const found = answer.addresses.map((address) => JSON.stringify(address)).join(",");
      const told = answer.code === 0 ? (found === "" ? "" : ` ${found}`) : ` RCode: ${codeName(answer.code)}`;
      return `DNS Answer${told} TTL: ${answer.ttl} (Proxy ${query} ${queryType})`;
    }
    case "tls":
      return report.serverName === null ? "TLS without a server name" : `TLS ${report.serverName}`;
  }
}

/** Response codes as Hubble names them. */
const CODES: Readonly<Record<number, string>> = {
  1: "Format Error",
  2: "Server Failure",
  3: "Non-Existent Domain",
  4: "Not Implemented",
  5: "Query Refused",
};

function codeName(code: number): string {
  return CODES[code] ?? String(code);
}
