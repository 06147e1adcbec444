/** Expectation files: what a user expects of a network, decoded from YAML (design: Expectations). */

import type { Cursor } from "../documents/cursor.ts";
import type { Family } from "../net/address.ts";
import type { ApplicationQuestion } from "../net/application.ts";
import type { FlowSet } from "../net/flow-set.ts";
import { hasPorts, type Protocol } from "../net/protocol.ts";
import { parseConnections, protocolOf } from "./connection-text.ts";

export const VERDICTS = ["allow", "deny", "unsure", "mixed"] as const;
export type ExpectedVerdict = (typeof VERDICTS)[number];

/** One row of `assertions`. */
export interface Assertion {
  readonly from: string;
  readonly to: string;
  readonly protocol: Protocol;
  /** Port, or ICMP type. */
  readonly port: number | undefined;
  readonly family?: Family;
  readonly application?: ApplicationQuestion;
  readonly verdict: ExpectedVerdict;
  readonly decidedBy: readonly string[];
  /** What is asked of a VPC beyond that (aws-vpc.md 6.2); absent where the row says nothing of it. */
  readonly aws?: AwsAssertion;
  /** The row as text, for reports. */
  readonly text: string;
}

/** The part of a row that only a VPC can answer. */
export interface AwsAssertion {
  /** A load balancer: both connections and its target group must work. */
  readonly via?: string;
  /** What `from` answers to `to`, which opened the connection. */
  readonly reply: boolean;
  /** Ports of the client to which a reply goes. */
  readonly clientPorts?: { readonly first: number; readonly last: number };
  /** Compared as a set. */
  readonly alsoDeniedBy?: readonly string[];
  /** Replaces `decidedBy` where the answers of `describe-*` are asked. */
  readonly decidedByDescribe?: readonly string[];
}

/** One row of `connectivity`. */
export interface ConnectivityRow {
  readonly from: string;
  readonly to: string;
  readonly connections: FlowSet;
  readonly text: string;
}

export const RELATIONS = ["equivalence", "containment", "vacuity", "permits", "forbids"] as const;
export type RelationKind = (typeof RELATIONS)[number];

export interface Relation {
  readonly kind: RelationKind;
  readonly holds: boolean;
  /** Files of policies, relative to the expectation file. */
  readonly a: string;
  /** Absent for `vacuity`. */
  readonly b?: string;
}

export interface DiffRow {
  readonly type: "added" | "removed" | "changed";
  readonly from: string;
  readonly to: string;
  readonly before: FlowSet;
  readonly after: FlowSet;
  readonly text: string;
}

export interface Expectation {
  readonly dialect?: string;
  /** Relative to the file; absent: the files beside it with the usual names. */
  readonly manifests?: readonly string[];
  readonly assertions: readonly Assertion[];
  readonly connectivity?: readonly ConnectivityRow[];
  readonly relation?: Relation;
  readonly diff?: readonly DiffRow[];
  /** For AWS: what the answers of `describe-*` call the objects that rows name by address. */
  readonly ids?: ReadonlyMap<string, string>;
}

/** Keys without effect. */
const NOTES = [
  "source",
  "inputs",
  "uses",
  "rules",
  "options",
  "case",
  "description",
  "title",
  "id",
  "note",
  "why",
  "differsFromBase",
];

const CHECKS = ["assertions", "connectivity", "relation", "diff"] as const;

/** Decodes a file; findings of the cursor tell what is wrong. Undefined where it cannot be run. */
export function decodeExpectation(root: Cursor): Expectation | undefined {
  root.unknownFields([...NOTES, "dialect", "manifests", "ids", ...CHECKS]);
  const dialect = root.field("dialect").string();
  const manifests = root.field("manifests").strings();
  const assertions = (root.field("assertions").list() ?? []).flatMap((row) => decodeAssertion(row) ?? []);
  const connectivity = root
    .field("connectivity")
    .list()
    ?.flatMap((row) => decodeConnectivity(row) ?? []);
  const relation = decodeRelation(root.field("relation"));
  const ids = root.field("ids").stringMap();
  const diff = root
    .field("diff")
    .list()
    ?.flatMap((row) => decodeDiff(row) ?? []);
  if (
    CHECKS.every((key) => !root.has(key)) ||
    (assertions.length === 0 &&
      root.has("assertions") &&
      root.findings.errors === 0 &&
      connectivity === undefined &&
      relation === undefined &&
      diff === undefined)
  ) {
    root.error("BH202", "this expectation file checks nothing: give it assertions, connectivity, relation or diff");
  }
  if (root.findings.errors > 0) return undefined;
  return {
    ...(dialect === undefined ? {} : { dialect }),
    ...(manifests === undefined ? {} : { manifests }),
    assertions,
    ...(connectivity === undefined ? {} : { connectivity }),
    ...(relation === undefined ? {} : { relation }),
    ...(diff === undefined ? {} : { diff }),
    ...(ids === undefined ? {} : { ids }),
  };
}

function decodeAssertion(row: Cursor): Assertion | undefined {
  row.unknownFields([
    ...NOTES,
    "from",
    "to",
    "protocol",
    "port",
    "family",
    "icmp",
    "http",
    "tls",
    "verdict",
    "decidedBy",
    ...AWS_FIELDS,
  ]);
  const from = row.required("from").string();
  const to = row.required("to").string();
  const protocolName = row.field("protocol").string() ?? (row.has("icmp") ? "ICMP" : "TCP");
  const written = row.required("verdict").enumeration([...VERDICTS, "partial", "unknown"]);
  // The semantics documents say partial for mixed and unknown for unsure.
  const verdict = written === "partial" ? "mixed" : written === "unknown" ? "unsure" : written;
  const familyName = row.field("family").enumeration(["IPv4", "IPv6"]);
  const decidedBy = decodeNames(row.field("decidedBy"));
  const aws = decodeAws(row);
  const icmp = row.field("icmp");
  icmp.unknownFields(["family", "type"]);
  const icmpFamily = icmp.field("family").enumeration(["IPv4", "IPv6"]);
  const icmpType = icmp.field("type").integer({ min: 0, max: 255 });
  const application = decodeApplication(row);
  let protocol = protocolOf(protocolName);
  if (protocol === "ICMP" && icmpFamily === "IPv6") protocol = "ICMPv6";
  let port = row.field("port").integer({ min: 0, max: 65535 });
  if (protocol === "ICMP") port = icmpType ?? port ?? 8;
  else if (protocol === "ICMPv6") port = icmpType ?? port ?? 128;
  else if (hasPorts(protocol) && port === undefined && aws?.reply !== true && row.findings.errors === 0) {
    row.error("BH202", `${row.describe()} needs a port`);
  }
  if (from === undefined || to === undefined || verdict === undefined) return undefined;
  return {
    from,
    to,
    protocol,
    port,
    ...(familyName === undefined ? {} : { family: familyName }),
    ...(application === undefined ? {} : { application }),
    verdict,
    decidedBy: decidedBy ?? [],
    ...(aws === undefined ? {} : { aws }),
    text: `${assertionText(from, to, protocol === "OTHER" ? protocolName : protocol, port, application)}${awsText(aws)}`,
  };
}

const AWS_FIELDS = ["via", "flow", "sourcePort", "portRange", "alsoDeniedBy", "decidedByDescribe"] as const;

/** A name, or a list of names. */
function decodeNames(cursor: Cursor): readonly string[] | undefined {
  if (cursor.shape === "list") return cursor.strings();
  const name = cursor.string();
  return name === undefined ? undefined : [name];
}

function decodeAws(row: Cursor): AwsAssertion | undefined {
  if (!AWS_FIELDS.some((key) => row.has(key))) return undefined;
  const via = row.field("via").string();
  const reply = row.field("flow").enumeration(["request", "reply"]) === "reply";
  row.field("sourcePort").integer({ min: 1, max: 65535 });
  const range = row.field("portRange");
  const text = typeof range.value === "number" ? String(range.value) : range.string();
  const match = text === undefined ? null : /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(text);
  if (text !== undefined && match === null)
    range.error("BH205", `${range.describe()} must be a range of ports such as 1024-65535`);
  const first = Number(match?.[1]);
  const alsoDeniedBy = decodeNames(row.field("alsoDeniedBy"));
  const decidedByDescribe = decodeNames(row.field("decidedByDescribe"));
  return {
    reply,
    ...(via === undefined ? {} : { via }),
    ...(match === null ? {} : { clientPorts: { first, last: Number(match[2] ?? first) } }),
    ...(alsoDeniedBy === undefined ? {} : { alsoDeniedBy }),
    ...(decidedByDescribe === undefined ? {} : { decidedByDescribe }),
  };
}

function awsText(aws: AwsAssertion | undefined): string {
  if (aws === undefined) return "";
  const ports = aws.clientPorts === undefined ? "" : ` to ports ${aws.clientPorts.first}-${aws.clientPorts.last}`;
  return `${aws.via === undefined ? "" : ` via ${aws.via}`}${aws.reply ? ` reply${ports}` : ""}`;
}

function decodeApplication(row: Cursor): ApplicationQuestion | undefined {
  const http = row.field("http");
  const tls = row.field("tls");
  if (http.isAbsent && tls.isAbsent) return undefined;
  http.unknownFields(["method", "path", "host", "headers"]);
  tls.unknownFields(["serverName"]);
  const headers = new Map<string, string>();
  for (const [name, value] of http.field("headers").stringMap() ?? []) {
    const key = name.toLowerCase();
    const known = headers.get(key);
    headers.set(key, known === undefined ? value : `${known},${value}`);
  }
  const host = http.field("host").string();
  const serverName = tls.field("serverName").string();
  return {
    ...(http.isAbsent
      ? {}
      : {
          http: {
            method: http.field("method").string() ?? "GET",
            path: http.field("path").string() ?? "/",
            ...(host === undefined ? {} : { host }),
            headers,
          },
        }),
    ...(tls.isAbsent ? {} : { tls: serverName === undefined ? {} : { serverName } }),
  };
}

function assertionText(
  from: string,
  to: string,
  protocol: string,
  port: number | undefined,
  application: ApplicationQuestion | undefined,
): string {
  const http = application?.http === undefined ? "" : ` ${application.http.method} ${application.http.path}`;
  const tls = application?.tls === undefined ? "" : ` tls ${application.tls.serverName ?? "without server name"}`;
  return `${from} → ${to} ${port === undefined ? protocol : `${port}/${protocol}`}${http}${tls}`;
}

function decodeConnectivity(row: Cursor): ConnectivityRow | undefined {
  row.unknownFields([...NOTES, "from", "to", "connections"]);
  const from = row.required("from").string();
  const to = row.required("to").string();
  const connections = decodeConnections(row.required("connections"));
  if (from === undefined || to === undefined || connections === undefined) return undefined;
  return { from, to, connections: connections.flows, text: `${from} → ${to} ${connections.text}` };
}

function decodeConnections(cursor: Cursor): { readonly flows: FlowSet; readonly text: string } | undefined {
  const text = cursor.string();
  if (text === undefined) return undefined;
  const flows = parseConnections(text);
  if ("problem" in flows) {
    cursor.error("BH205", `${cursor.describe()}: ${flows.problem}`);
    return undefined;
  }
  return { flows, text };
}

function decodeRelation(cursor: Cursor): Relation | undefined {
  if (cursor.isAbsent) return undefined;
  cursor.unknownFields([...NOTES, "kind", "holds", "a", "b"]);
  const kind = cursor.required("kind").enumeration(RELATIONS);
  const holds = cursor.field("holds").boolean() ?? true;
  const file = (side: Cursor): string | undefined => {
    side.unknownFields([...NOTES, "file", "set"]);
    return side.required("file").string();
  };
  const a = file(cursor.required("a"));
  const b = cursor.has("b") ? file(cursor.field("b")) : undefined;
  if (kind === undefined || a === undefined) return undefined;
  if (b === undefined && kind !== "vacuity") {
    cursor.error("BH202", `${cursor.describe()} needs the field b`);
    return undefined;
  }
  return { kind, holds, a, ...(b === undefined ? {} : { b }) };
}

function decodeDiff(row: Cursor): DiffRow | undefined {
  row.unknownFields([...NOTES, "type", "from", "to", "before", "after"]);
  const type = row.required("type").enumeration(["added", "removed", "changed"]);
  const from = row.required("from").string();
  const to = row.required("to").string();
  const none = parseConnections("No Connections");
  const before = row.has("before") ? decodeConnections(row.field("before"))?.flows : none;
  const after = row.has("after") ? decodeConnections(row.field("after"))?.flows : none;
  if (type === undefined || from === undefined || to === undefined) return undefined;
  if (before === undefined || after === undefined || "problem" in before || "problem" in after) return undefined;
  return { type, from, to, before, after, text: `${type} ${from} → ${to}` };
}
