/**
 * The kernel's log of dropped packets and new connections, told to whoever waits for one. A probe hears of its own
 * drop within a millisecond and never has to wait for a time-out to know.
 */

import type { Drop } from "./answers.ts";
import { DROP_GROUP, FLOW_GROUP, OTHER_DROPS } from "./enforcement.ts";
import { type LoggedPacket, PacketLog } from "./kernel/packet-log.ts";
import type { Judgement } from "./verdicts.ts";

const REMEMBERED = 1000;

export type DropHeard = (drop: Drop) => void;

/** What identifies an attempt at its source: service translation changes only the destination. */
export function attemptKey(protocol: number, source: string, sourcePort: number): string {
  return `${protocol} ${source} ${sourcePort}`;
}

export class DropLog {
  private readonly log: PacketLog;
  private readonly kept = new Map<string, Drop>();
  private remembered = 0;
  private readonly waiting = new Map<string, DropHeard>();

  constructor(
    judgementNumbered: (id: number) => Judgement | undefined,
    record: (packet: LoggedPacket, drop: Drop | null) => void,
  ) {
    this.log = new PacketLog([DROP_GROUP, FLOW_GROUP], (packet) => {
      if (packet.group === FLOW_GROUP) {
        record(packet, null);
        return;
      }
      const drop = dropOf(packet, judgementNumbered);
      record(packet, drop);
      this.waiting.get(attemptKey(packet.protocol, packet.source, packet.sourcePort))?.(drop);
    });
  }

  /** Calls `heard` for each logged drop of the attempt until `forget`. */
  await(key: string, heard: DropHeard): void {
    this.waiting.set(key, heard);
  }

  forget(key: string): void {
    this.waiting.delete(key);
  }

  /** A reference by which `recall` finds the drop again, once. */
  remember(drop: Drop): string {
    const reference = String(++this.remembered);
    this.kept.set(reference, drop);
    if (this.kept.size > REMEMBERED) this.kept.delete(String(this.remembered - REMEMBERED));
    return reference;
  }

  recall(reference: string): Drop | null {
    const drop = this.kept.get(reference) ?? null;
    this.kept.delete(reference);
    return drop;
  }

  close(): void {
    this.log.close();
  }
}

function dropOf(packet: LoggedPacket, judgementNumbered: (id: number) => Judgement | undefined): Drop {
  const place = {
    prefix: packet.prefix,
    source: packet.source,
    destination: packet.destination,
    protocol: packet.protocol,
    sourcePort: packet.sourcePort,
    destinationPort: packet.destinationPort,
  };
  const number = /^#(\d+) /.exec(packet.prefix);
  const judgement = number === null ? undefined : judgementNumbered(Number(number[1]));
  if (judgement !== undefined) {
    const reason = judgement.reason === "default-deny" ? "default-deny" : "deny";
    return { ...place, direction: judgement.direction, reason, policies: judgement.policies };
  }
  const known = (["not-routed", "no-backend", "no-proxy", "fault"] as const).find(
    (reason) => packet.prefix === OTHER_DROPS[reason],
  );
  return { ...place, direction: null, reason: known ?? "other", policies: [] };
}
