/** What the lab uses of dns-packet 5.6, which ships no types. */
declare module "dns-packet" {
  export interface Question {
    readonly type: string;
    readonly name: string;
    readonly class?: string;
  }
  export type Answer =
    | {
        readonly type: "A" | "AAAA" | "CNAME" | "PTR";
        readonly name: string;
        readonly ttl?: number;
        readonly data: string;
      }
    | {
        readonly type: "SRV";
        readonly name: string;
        readonly ttl?: number;
        readonly data: {
          readonly priority: number;
          readonly weight: number;
          readonly port: number;
          readonly target: string;
        };
      };
  /** As far as its size is concerned (RFC 6891). */
  export interface Additional {
    readonly type: string;
    readonly name: string;
    readonly udpPayloadSize?: number;
  }
  export interface Packet {
    readonly type?: "query" | "response";
    readonly id?: number;
    readonly flags?: number;
    readonly questions?: readonly Question[];
    readonly answers?: readonly Answer[];
    readonly additionals?: readonly Additional[];
  }
  export const RECURSION_DESIRED: number;
  export const RECURSION_AVAILABLE: number;
  export const AUTHORITATIVE_ANSWER: number;
  interface Codec {
    encode(packet: Packet): Buffer;
    decode(bytes: Buffer): Packet;
  }
  const codec: Codec & {
    readonly RECURSION_DESIRED: number;
    readonly RECURSION_AVAILABLE: number;
    readonly AUTHORITATIVE_ANSWER: number;
  };
  export default codec;
}
