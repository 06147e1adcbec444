/** Protocol names as flows and policies write them; case does not matter in a flow. */

export const PORT_PROTOCOLS = ["TCP", "UDP", "SCTP"] as const;

export function hasPorts(protocol: string): boolean {
  return protocol === "TCP" || protocol === "UDP" || protocol === "SCTP";
}

export function isIcmp(protocol: string): boolean {
  return protocol === "ICMP" || protocol === "ICMPv6";
}

const SPELLING = new Map(
  ["TCP", "UDP", "SCTP", "ICMP", "ICMPv6", "VRRP", "IGMP"].map((name) => [name.toLowerCase(), name]),
);

export function protocolOf(text: string): string {
  const lower = text.toLowerCase();
  return SPELLING.get(lower) ?? (lower === "icmpv4" ? "ICMP" : text.toUpperCase());
}

/** ICMP type names by family (R5.5). */
const ICMP_TYPES: Readonly<Record<"IPv4" | "IPv6", Readonly<Record<string, number>>>> = {
  IPv4: {
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
  },
  IPv6: {
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
  },
};

/**
 * The number of an ICMP type given as number, digits or name; undefined when it is none of that family (V6). The schema
 * bounds digits alone: a number above 255 is accepted, and no packet has that type.
 */
export function icmpTypeOf(value: unknown, family: "IPv4" | "IPv6"): number | undefined {
  const table = ICMP_TYPES[family];
  if (typeof value === "string" && Object.hasOwn(table, value)) return table[value];
  if (typeof value === "string") return /^[0-9]{1,3}$/.test(value) && Number(value) <= 255 ? Number(value) : undefined;
  return typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : undefined;
}
