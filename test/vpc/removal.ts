/** The same network without the rule that an answer names, or with one where an answer names none. */
import { protocolNumber, trafficOf, trafficText } from "../../src/vpc/read/values.ts";

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}

/** Changes the members of one list of the answers. */
function within(input: Fields, call: string, key: string, change: (one: Fields) => Fields): Fields {
  const answer = input[call];
  if (!isFields(answer)) return input;
  return { ...input, [call]: { ...answer, [key]: listOf(answer[key]).map(change) } };
}

const PEERS = [
  ["IpRanges", "CidrIp"],
  ["Ipv6Ranges", "CidrIpv6"],
  ["PrefixListIds", "PrefixListId"],
  ["UserIdGroupPairs", "GroupId"],
] as const;

/** A permission without one of its peers. */
function withoutPeer(permission: Fields, traffic: string, peer: string): Fields {
  const number = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
  const protocol = protocolNumber(String(permission["IpProtocol"])) ?? -1;
  const own = trafficText(trafficOf(protocol, number(permission["FromPort"]), number(permission["ToPort"])));
  if (own !== traffic) return permission;
  const out: Record<string, unknown> = { ...permission };
  for (const [list, key] of PEERS)
    if (permission[list] !== undefined) out[list] = listOf(permission[list]).filter((one) => one[key] !== peer);
  return out;
}

const OPEN = { IpProtocol: "-1", IpRanges: [{ CidrIp: "0.0.0.0/0" }], Ipv6Ranges: [{ CidrIpv6: "::/0" }] };

/** Undefined where the decider is no rule that can be taken away or added. */
export function withoutDecider(input: Fields, decider: string): Fields | undefined {
  const group = /^(sg-\w+)#(ingress|egress):(.*)$/.exec(decider);
  if (group !== null) {
    const [, id = "", direction, rest = ""] = group;
    const key = direction === "ingress" ? "IpPermissions" : "IpPermissionsEgress";
    // `tcp/443/0.0.0.0/0`: the traffic has one slash or none, the peer one or none.
    const [, traffic = "", peer = ""] = /^((?:tcp|udp|icmp|icmpv6)\/[\d-]+|[a-z]+|\d+)\/(.*)$/.exec(rest) ?? [];
    return within(input, "describe-security-groups", "SecurityGroups", (one) => {
      if (one["GroupId"] !== id) return one;
      const own = listOf(one[key]);
      return { ...one, [key]: rest === "none" ? [...own, OPEN] : own.map((p) => withoutPeer(p, traffic, peer)) };
    });
  }
  const entry = /^(acl-[\w-]+)#(ingress|egress):(\d+|\*)$/.exec(decider);
  if (entry === null) return undefined;
  const [, id, direction, number] = entry;
  const egress = direction === "egress";
  return within(input, "describe-network-acls", "NetworkAcls", (one) => {
    if (one["NetworkAclId"] !== id) return one;
    const own = listOf(one["Entries"]);
    const open = (RuleNumber: number, cidr: Fields): Fields => ({
      RuleNumber,
      Egress: egress,
      Protocol: "-1",
      RuleAction: "allow",
      ...cidr,
    });
    return {
      ...one,
      Entries:
        number === "*"
          ? [...own, open(32000, { CidrBlock: "0.0.0.0/0" }), open(32001, { Ipv6CidrBlock: "::/0" })]
          : own.filter((e) => e["RuleNumber"] !== Number(number) || e["Egress"] !== egress),
    };
  });
}
