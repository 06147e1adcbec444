/** The lab's recent connections, drops and requests, in the shape of Hubble's flows (cilium `api/v1/flow/flow.proto`). */

import { randomUUID } from "node:crypto";
import type { Drop, Flow, FlowEndpoint, FlowFilter, FlowPolicy, FlowRecord } from "./answers.ts";
import { familyOf } from "./kernel/address.ts";
import type { LoggedPacket } from "./kernel/packet-log.ts";
import { layer7, requestSummary } from "./layer7.ts";
import type { Report } from "./proxy/seam.ts";
import { type Judgement, PROTOCOL_NUMBER } from "./verdicts.ts";

/** Flows kept; the oldest go first. */
const HISTORY = 20_000;
const POLICY_DENIED = 133;
const POLICY_DENY = 181;

/** What a flow needs to know of an address. */
export interface FlowParty {
  /** Pod name or place. */
  readonly place: string | null;
  readonly namespace: string | null;
  readonly identity: number;
  readonly labels: readonly string[];
  readonly node: string | null;
}

/** What happened, as it was seen; a record is written when somebody asks. */
type Kept = {
  readonly at: number;
  readonly number: number;
  readonly source: FlowParty;
  readonly destination: FlowParty;
} & Seen;

/** A packet that the kernel told of, or what the proxy reported. */
type Seen =
  | {
      readonly packet: LoggedPacket;
      readonly drop: Drop | null;
      /** The judgements of a forwarded connection, egress first; null where nothing judged. */
      readonly judged: readonly (Judgement | null)[];
    }
  | { readonly report: Report };

type Parties = Pick<Kept, "source" | "destination">;

export class FlowLog {
  private kept: Kept[] = [];
  private count = 0;
  private readonly run = randomUUID();
  private readonly followers = new Set<(kept: Kept) => void>();

  record(seen: Seen & Parties): void {
    const at = "report" in seen ? seen.report.at : Date.now();
    const kept = { ...seen, at, number: ++this.count };
    this.kept.push(kept);
    if (this.kept.length > HISTORY * 1.25) this.kept = this.kept.slice(-HISTORY);
    for (const follower of this.followers) follower(kept);
  }

  history(filter: FlowFilter): readonly FlowRecord[] {
    const since = filter.sinceMs === undefined ? 0 : Date.now() - filter.sinceMs;
    return this.kept.filter((kept) => kept.at >= since && matches(kept, filter)).map((kept) => this.write(kept));
  }

  /** Calls `heard` for each flow to come; the result ends it. */
  follow(filter: FlowFilter, heard: (record: FlowRecord) => void): () => void {
    const follower = (kept: Kept): void => {
      if (matches(kept, filter)) heard(this.write(kept));
    };
    this.followers.add(follower);
    return () => this.followers.delete(follower);
  }

  private write(kept: Kept): FlowRecord {
    const time = new Date(kept.at).toISOString();
    const node = kept.destination.node ?? kept.source.node ?? "";
    // One random part for the run, one that counts: as unique as a UUID, and cheap.
    const uuid = `${this.run.slice(0, 24)}${kept.number.toString(16).padStart(12, "0")}`;
    const flow =
      "report" in kept ? requestFlow(kept, kept.report, uuid, time, node) : packetFlow(kept, uuid, time, node);
    return { flow, node_name: node, time };
  }
}

function matches(kept: Kept, filter: FlowFilter): boolean {
  const verdict = "report" in kept ? kept.report.verdict : kept.drop === null ? "FORWARDED" : "DROPPED";
  if (filter.verdict !== undefined && verdict !== filter.verdict) return false;
  return isPlace(kept.source.place, filter.from) && isPlace(kept.destination.place, filter.to);
}

function isPlace(place: string | null, wanted: string | undefined): boolean {
  if (wanted === undefined) return true;
  return place !== null && (wanted.endsWith("/") ? place.startsWith(wanted) : place === wanted);
}

function packetFlow(
  { packet, drop, source, destination, judged }: Exclude<Kept, { report: Report }>,
  uuid: string,
  time: string,
  node: string,
): Flow {
  const base = {
    time,
    uuid,
    IP: { source: packet.source, destination: packet.destination, ipVersion: packet.family === 4 ? "IPv4" : "IPv6" },
    l4: layer4(packet),
    source: endpoint(source),
    destination: endpoint(destination),
    Type: "L3_L4",
    node_name: node,
    event_type: { type: 5 },
    Summary: summary(packet),
  } as const;
  if (drop === null) {
    const allowed = (direction: "egress" | "ingress"): readonly FlowPolicy[] =>
      judged.flatMap((judgement) => (judgement?.direction === direction ? judgement.policies.map(policyOf) : []));
    const egress = allowed("egress");
    const ingress = allowed("ingress");
    return {
      ...base,
      verdict: "FORWARDED",
      traffic_direction: "INGRESS",
      is_reply: false,
      ...(egress.length > 0 ? { egress_allowed_by: egress } : {}),
      ...(ingress.length > 0 ? { ingress_allowed_by: ingress } : {}),
    };
  }
  const direction = drop.direction ?? "ingress";
  // Hubble names rules that deny; here also the policies whose default denies, which `drop_reason` tells apart.
  const denying = drop.policies.map(policyOf);
  return {
    ...base,
    verdict: "DROPPED",
    traffic_direction: direction === "egress" ? "EGRESS" : "INGRESS",
    ...dropReason(drop),
    ...(denying.length === 0 ? {} : byPolicies(direction, "DROPPED", denying)),
  };
}

function byPolicies(
  direction: "egress" | "ingress",
  verdict: Flow["verdict"],
  by: readonly FlowPolicy[],
): Pick<Flow, "egress_allowed_by" | "ingress_allowed_by" | "egress_denied_by" | "ingress_denied_by"> {
  if (verdict === "DROPPED") return direction === "egress" ? { egress_denied_by: by } : { ingress_denied_by: by };
  return direction === "egress" ? { egress_allowed_by: by } : { ingress_allowed_by: by };
}

function dropReason(drop: Drop): Pick<Flow, "drop_reason" | "drop_reason_desc"> {
  switch (drop.reason) {
    case "default-deny":
      return { drop_reason: POLICY_DENIED, drop_reason_desc: "POLICY_DENIED" };
    case "deny":
      return { drop_reason: POLICY_DENY, drop_reason_desc: "POLICY_DENY" };
    case "no-backend":
      return { drop_reason: 158, drop_reason_desc: "SERVICE_BACKEND_NOT_FOUND" };
    case "not-routed":
      return { drop_reason: 151, drop_reason_desc: "STALE_OR_UNROUTABLE_IP" };
    default:
      return { drop_reason_desc: "DROP_REASON_UNKNOWN" };
  }
}

/** `event_type` of what a proxy reports (access log). */
const L7_EVENT = 129;

function requestFlow({ source, destination }: Parties, report: Report, uuid: string, time: string, node: string): Flow {
  const { connection, direction, verdict, type, policies } = report;
  const { client, server, protocol } = connection;
  const isReply = type === "RESPONSE";
  const [from, to] = isReply ? ([server, client] as const) : ([client, server] as const);
  const ports = { source_port: from.port, destination_port: to.port };
  const by = policies.map(policyOf);
  return {
    time,
    uuid,
    verdict,
    ...(verdict === "DROPPED" && !isReply
      ? { drop_reason: POLICY_DENIED, drop_reason_desc: "POLICY_DENIED" as const }
      : {}),
    IP: { source: from.address, destination: to.address, ipVersion: familyOf(from.address) === 4 ? "IPv4" : "IPv6" },
    l4: protocol === "TCP" ? { TCP: ports } : { UDP: ports },
    source: endpoint(isReply ? destination : source),
    destination: endpoint(isReply ? source : destination),
    ...(report.kind === "tls" && report.serverName !== null ? { destination_names: [report.serverName] } : {}),
    Type: "L7",
    node_name: node,
    l7: layer7(report),
    event_type: { type: L7_EVENT },
    traffic_direction: direction === "egress" ? "EGRESS" : "INGRESS",
    is_reply: isReply,
    Summary: requestSummary(report),
    ...(by.length === 0 ? {} : byPolicies(direction, verdict, by)),
  };
}

function endpoint(party: FlowParty): FlowEndpoint {
  const inCluster = party.namespace !== null;
  return {
    identity: party.identity,
    ...(inCluster ? { cluster_name: "default", namespace: party.namespace ?? "" } : {}),
    labels: party.labels,
    ...(inCluster && party.place !== null ? { pod_name: party.place.slice(party.place.indexOf("/") + 1) } : {}),
  };
}

function layer4(packet: LoggedPacket): Flow["l4"] {
  const ports = { source_port: packet.sourcePort, destination_port: packet.destinationPort };
  switch (packet.protocol) {
    case PROTOCOL_NUMBER.TCP: {
      const flags = tcpFlags(packet.flags);
      return {
        TCP: {
          ...ports,
          ...(flags.length > 0 ? { flags: Object.fromEntries(flags.map((flag) => [flag, true])) } : {}),
        },
      };
    }
    case PROTOCOL_NUMBER.UDP:
      return { UDP: ports };
    case PROTOCOL_NUMBER.SCTP:
      return { SCTP: ports };
    case PROTOCOL_NUMBER.ICMP:
      return { ICMPv4: { type: packet.destinationPort } };
    case PROTOCOL_NUMBER.ICMPv6:
      return { ICMPv6: { type: packet.destinationPort } };
    default:
      return {};
  }
}

function tcpFlags(bits: number): readonly string[] {
  return ["FIN", "SYN", "RST", "PSH", "ACK", "URG"].filter((_, index) => (bits & (1 << index)) !== 0);
}

function summary(packet: LoggedPacket): string {
  const name = Object.entries(PROTOCOL_NUMBER).find(([, number]) => number === packet.protocol)?.[0];
  if (name === "TCP") return `TCP Flags: ${tcpFlags(packet.flags).join(", ")}`;
  return name ?? `IP protocol ${packet.protocol}`;
}

/** `CiliumNetworkPolicy/default/service-a#ingress[0]`, or without namespace for a cluster-wide one. */
function policyOf(origin: string): FlowPolicy {
  const [object = origin] = origin.split("#");
  const parts = object.split("/");
  const kind = parts[0] ?? "";
  if (parts.length < 3) return { kind, name: parts[1] ?? kind };
  return { kind, namespace: parts[1] ?? "", name: parts.slice(2).join("/") };
}
