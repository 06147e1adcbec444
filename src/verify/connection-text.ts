/** Connections as expectation files write them: `TCP 80,443; UDP 53`, `All Connections`, `all others but P,…`. */

import { BUCKETS, type FlowSet, ALL_FLOWS, flowUnion, NO_FLOWS, portFlows } from "../net/flow-set.ts";
import { portDomain, PROTOCOLS, type Protocol } from "../net/protocol.ts";

/** A protocol's name in any case; a name that has no bucket of its own is one of the further IP protocols. */
export function protocolOf(text: string): Protocol {
  return PROTOCOLS.find((p) => p.toUpperCase() === text.toUpperCase() && p !== "OTHER") ?? "OTHER";
}

/** Reads a text of connections; undefined with a message where it is none. */
export function parseConnections(text: string): FlowSet | { readonly problem: string } {
  const trimmed = text.trim();
  if (/^all connections$/i.test(trimmed)) return ALL_FLOWS;
  if (/^no connections$/i.test(trimmed) || trimmed === "") return NO_FLOWS;
  let out: FlowSet = NO_FLOWS;
  const named = new Set<Protocol>();
  let others: string | undefined;
  for (const part of trimmed.split(";").map((p) => p.trim())) {
    const rest = /^all others(?:\s+but\s+(.*))?$/i.exec(part);
    if (rest !== null) {
      others = rest[1] ?? "";
      continue;
    }
    const [name, ...words] = part.split(/\s+/);
    if (name === undefined || name === "") return { problem: `an empty part in ${JSON.stringify(text)}` };
    const protocol = protocolOf(name);
    named.add(protocol);
    const domain = portDomain(protocol);
    const ranges = words.join("");
    if (ranges === "" || ranges === "*") {
      out = flowUnion(out, portFlows(protocol, domain.first, domain.last));
      continue;
    }
    for (const range of ranges.split(",")) {
      const match = /^(\d+)(?:-(\d+))?$/.exec(range);
      if (match === null) return { problem: `${JSON.stringify(range)} is no port or range of ports` };
      const first = Number(match[1]);
      const last = match[2] === undefined ? first : Number(match[2]);
      if (first > last || last > 65535) return { problem: `${JSON.stringify(range)} is no range of ports` };
      out = flowUnion(out, portFlows(protocol, first, last));
    }
  }
  if (others !== undefined) {
    const except = new Set(others.split(",").map((p) => p.trim().toUpperCase()));
    for (const bucket of BUCKETS) {
      if (named.has(bucket.protocol) || except.has(bucket.protocol.toUpperCase())) continue;
      out = flowUnion(out, portFlows(bucket.protocol, bucket.first, bucket.last, [bucket.family]));
    }
  }
  return out;
}
