/** ICMP types by name and number (cilium.md R5.5; `pkg/policy/api/icmp.go`). */
import type { Cursor } from "../../documents/cursor.ts";
import type { Traffic } from "../rule.ts";
import { isObject } from "./selector.ts";

const IPV4: Readonly<Record<string, number>> = {
  EchoReply: 0,
  DestinationUnreachable: 3,
  Redirect: 5,
  Echo: 8,
  EchoRequest: 8,
  RouterAdvertisement: 9,
  RouterSelection: 10,
  TimeExceeded: 11,
  ParameterProblem: 12,
  Timestamp: 13,
  TimestampReply: 14,
  Photuris: 40,
  ExtendedEchoRequest: 42,
  ExtendedEchoReply: 43,
};

const IPV6: Readonly<Record<string, number>> = {
  DestinationUnreachable: 1,
  PacketTooBig: 2,
  TimeExceeded: 3,
  ParameterProblem: 4,
  EchoRequest: 128,
  EchoReply: 129,
  MulticastListenerQuery: 130,
  MulticastListenerReport: 131,
  MulticastListenerDone: 132,
  RouterSolicitation: 133,
  RouterAdvertisement: 134,
  NeighborSolicitation: 135,
  NeighborAdvertisement: 136,
  RedirectMessage: 137,
  RouterRenumbering: 138,
  ICMPNodeInformationQuery: 139,
  ICMPNodeInformationResponse: 140,
  InverseNeighborDiscoverySolicitation: 141,
  InverseNeighborDiscoveryAdvertisement: 142,
  HomeAgentAddressDiscoveryRequest: 144,
  HomeAgentAddressDiscoveryReply: 145,
  MobilePrefixSolicitation: 146,
  MobilePrefixAdvertisement: 147,
  DuplicateAddressRequestCodeSuffix: 157,
  DuplicateAddressConfirmationCodeSuffix: 158,
  ExtendedEchoRequest: 160,
  ExtendedEchoReply: 161,
};

const MAX_FIELDS = 40;

/** An item of `icmps`; without fields it matches nothing (2.4). */
export function decodeIcmpRule(item: Cursor): readonly Traffic[] {
  if (!isObject(item)) return [];
  item.unknownFields(["fields"]);
  const fields = item.field("fields").list() ?? [];
  if (fields.length > MAX_FIELDS)
    item.field("fields").error("BH208", `${item.describe()}: too many types, the max is ${MAX_FIELDS}`);
  return fields.flatMap((field) => decodeField(field));
}

function decodeField(field: Cursor): readonly Traffic[] {
  if (!isObject(field)) return [];
  field.unknownFields(["family", "type"]);
  const family =
    field.field("family").value === "" ? "IPv4" : (field.field("family").enumeration(["IPv4", "IPv6"]) ?? "IPv4");
  const at = field.required("type");
  const written = at.integerOrString();
  if (written === undefined) return [];
  const type = typeof written === "number" || /^[0-9]+$/.test(written) ? Number(written) : undefined;
  const code = type ?? (family === "IPv4" ? IPV4 : IPV6)[String(written)];
  if (code === undefined || code < 0 || (typeof written === "string" && code > 255)) {
    at.error("BH228", `${at.describe()}: ICMP type ${written} not found in ${family}`);
    return [];
  }
  if (code > 255) {
    at.warning("BH127", `${at.describe()} is ${code}, but ICMP types end at 255: it matches nothing`);
    return [];
  }
  // Type 0 is stored as port 0, which the policy map reads as any port: every type of the family (R5.5).
  return [{ match: { kind: "icmp", family, first: code, last: code === 0 ? 255 : code } }];
}
