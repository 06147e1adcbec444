/** Opens an SCTP association as a program in a pod would, over a raw socket: INIT, INIT ACK, COOKIE ECHO, COOKIE ACK. */
import { setTimeout as sleep } from "node:timers/promises";
import { craftSctp, SCTP_COOKIE_ECHO, sctpChunk } from "../../src/lab/crafted.ts";
import { familyOf, socketAddress } from "../../src/lab/kernel/address.ts";
import { connect, MSG_DONTWAIT, receive, send } from "../../src/lab/kernel/libc.ts";
import { NetworkNamespace } from "../../src/lab/kernel/namespace.ts";
import { rawSocket, withoutHeader } from "../../src/lab/kernel/sockets.ts";

const [source = "", target = "", port = "0"] = process.argv.slice(2);
const SOURCE_PORT = 12_345;
const SCTP = 132;
const room = Buffer.alloc(2048);
const fd = rawSocket(NetworkNamespace.home(), source, SCTP);
connect(fd, socketAddress(target, 0));

/** The kind of chunk that answers, with the packet; null after two seconds. */
async function ask(bytes: Buffer): Promise<Buffer | null> {
  send(fd, bytes);
  for (let i = 0; i < 200; i++) {
    const heard = receive(fd, room, MSG_DONTWAIT);
    if (heard !== null) return Buffer.from(withoutHeader(familyOf(target), heard));
    await sleep(10);
  }
  return null;
}

async function main(): Promise<void> {
  const first = await ask(craftSctp(SOURCE_PORT, Number(port), 7).bytes);
  if (first === null) {
    process.stdout.write("nobody\n");
    return;
  }
  const second = await ask(sctpChunk(SOURCE_PORT, Number(port), first.readUInt32BE(16), SCTP_COOKIE_ECHO));
  process.stdout.write(`${first[12]} ${second?.[12]}\n`);
}

void main();
