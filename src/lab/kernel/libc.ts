/**
 * System calls that Node does not offer, through koffi. Each throws `SystemError` instead of returning −1.
 * Constants: Linux UAPI headers, x86-64 and arm64 alike.
 */

import koffi from "koffi";

/** A system call that failed: `errno` is its number, `code` its name (`EPERM`). */
export class SystemError extends Error {
  override readonly name = "SystemError";
  readonly call: string;
  readonly errno: number;
  readonly code: string;

  constructor(call: string, errno: number) {
    const code = errnoName(errno);
    super(`${call}: ${code}`);
    this.call = call;
    this.errno = errno;
    this.code = code;
  }
}

export function errnoName(errno: number): string {
  for (const [name, value] of Object.entries(koffi.os.errno)) if (value === errno) return name;
  return `errno ${errno}`;
}

type Argument = number | bigint | string | Uint8Array | null;
/** Returns what the function returned, or the negated error number. */
type Call = (...values: readonly Argument[]) => number;

const libc = process.platform === "linux" ? koffi.load("libc.so.6") : null;

/** A libc function that returns an int or ssize_t and reports failure as −1 with errno. */
function define(name: string, parameters: readonly string[], result = "int"): Call {
  if (libc === null) return () => -(koffi.os.errno["ENOSYS"] ?? 38);
  const call = libc.func(name, result, [...parameters]);
  return (...values) => {
    const returned: unknown = call(...values);
    if (typeof returned !== "number") throw new TypeError(`${name} returned ${typeof returned}`);
    return returned === -1 ? -koffi.errno() : returned;
  };
}

function checked(name: string, returned: number): number {
  if (returned < 0) throw new SystemError(name, -returned);
  return returned;
}

const EAGAIN = koffi.os.errno["EAGAIN"] ?? 11;
const EINTR = koffi.os.errno["EINTR"] ?? 4;
const EINPROGRESS = koffi.os.errno["EINPROGRESS"] ?? 115;

const BYTES = "const uint8_t *";
const ROOM = "_Inout_ uint8_t *";
const libcSetns = define("setns", ["int", "int"]);
const libcUnshare = define("unshare", ["int"]);
const libcMount = define("mount", ["const char *", "const char *", "const char *", "unsigned long", "const char *"]);
const libcSocket = define("socket", ["int", "int", "int"]);
const libcBind = define("bind", ["int", BYTES, "uint32_t"]);
const libcConnect = define("connect", ["int", BYTES, "uint32_t"]);
const libcAccept = define("accept", ["int", ROOM, ROOM]);
const libcListen = define("listen", ["int", "int"]);
const libcSetsockopt = define("setsockopt", ["int", "int", "int", BYTES, "uint32_t"]);
const libcGetsockopt = define("getsockopt", ["int", "int", "int", ROOM, "_Inout_ uint32_t *"]);
const libcGetsockname = define("getsockname", ["int", ROOM, "_Inout_ uint32_t *"]);
const libcSend = define("send", ["int", BYTES, "size_t", "int"], "intptr_t");
const libcSendto = define("sendto", ["int", BYTES, "size_t", "int", BYTES, "uint32_t"], "intptr_t");
const libcRecv = define("recv", ["int", ROOM, "size_t", "int"], "intptr_t");
const libcRecvfrom = define("recvfrom", ["int", ROOM, "size_t", "int", ROOM, "_Inout_ uint32_t *"], "intptr_t");
const libcRecvmsg = define("recvmsg", ["int", "uintptr_t", "int"], "intptr_t");
const libcClose = define("close", ["int"]);
const libcWaitpid = define("waitpid", ["int", ROOM, "int"]);
const libcSethostname = define("sethostname", ["const char *", "size_t"]);

export const CLONE_NEWNET = 0x4000_0000;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_ERROR = 4;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_LINGER = 13;
export const SO_RCVBUFFORCE = 33;
export const SO_MARK = 36;
export const IPPROTO_IP = 0;
export const IPPROTO_IPV6 = 41;
export const IP_TRANSPARENT = 19;
export const IP_FREEBIND = 15;
export const IP_HDRINCL = 3;
export const IP_BIND_ADDRESS_NO_PORT = 24;
export const IPV6_V6ONLY = 26;
export const IPV6_TRANSPARENT = 75;
export const IPV6_FREEBIND = 78;
export const IPV6_HDRINCL = 36;
export const IPPROTO_RAW = 255;
export const MSG_DONTWAIT = 0x40;
export const MS_NOSUID = 2;
export const MS_NODEV = 4;
export const MS_NOEXEC = 8;

export function setns(fd: number, kind: number): void {
  checked("setns", libcSetns(fd, kind));
}

export function unshare(flags: number): void {
  checked("unshare", libcUnshare(flags));
}

export function mount(source: string, target: string, type: string, flags: number, data: string | null = null): void {
  checked("mount", libcMount(source, target, type, flags, data));
}

/** Every socket is close-on-exec. */
export function socket(domain: number, type: number, protocol: number): number {
  return checked("socket", libcSocket(domain, type | SOCK_CLOEXEC, protocol));
}

export function bind(fd: number, address: Uint8Array): void {
  checked("bind", libcBind(fd, address, address.length));
}

/** Returns true when the connection is under way (EINPROGRESS on a non-blocking socket). */
export function connect(fd: number, address: Uint8Array): boolean {
  const returned = libcConnect(fd, address, address.length);
  if (returned === -EINPROGRESS) return true;
  checked("connect", returned);
  return false;
}

export function listen(fd: number, backlog: number): void {
  checked("listen", libcListen(fd, backlog));
}

/** The next connection of a listening socket. */
export function accept(fd: number): number {
  return checked("accept", libcAccept(fd, null, null));
}

export function setOption(fd: number, level: number, option: number, value: number | Uint8Array): void {
  if (typeof value !== "number") {
    checked("setsockopt", libcSetsockopt(fd, level, option, value, value.length));
    return;
  }
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  checked("setsockopt", libcSetsockopt(fd, level, option, bytes, 4));
}

/** An integer socket option. */
export function getOption(fd: number, level: number, option: number): number {
  const bytes = Buffer.alloc(4);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(4);
  checked("getsockopt", libcGetsockopt(fd, level, option, bytes, length));
  return bytes.readInt32LE();
}

/** The socket's own address as a `sockaddr`. */
export function getsockname(fd: number): Buffer {
  const bytes = Buffer.alloc(128);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  checked("getsockname", libcGetsockname(fd, bytes, length));
  return bytes.subarray(0, length.readUInt32LE());
}

export function send(fd: number, bytes: Uint8Array): number {
  return checked("send", libcSend(fd, bytes, bytes.length, 0));
}

export function sendTo(fd: number, bytes: Uint8Array, address: Uint8Array): number {
  return checked("sendto", libcSendto(fd, bytes, bytes.length, 0, address, address.length));
}

/** Received bytes, or null when a non-blocking receive finds nothing. */
export function receive(fd: number, room: Buffer, flags: number): Buffer | null {
  const returned = libcRecv(fd, room, room.length, flags);
  if (returned === -EAGAIN || returned === -EINTR) return null;
  return room.subarray(0, checked("recv", returned));
}

/** Received bytes with the `sockaddr` of who sent them; null when a non-blocking receive finds nothing. */
export function receiveFrom(
  fd: number,
  room: Buffer,
  flags: number,
): { readonly bytes: Buffer; readonly from: Buffer } | null {
  const from = Buffer.alloc(28);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(from.length);
  const returned = libcRecvfrom(fd, room, room.length, flags, from, length);
  if (returned === -EAGAIN || returned === -EINTR) return null;
  const bytes = room.subarray(0, checked("recvfrom", returned));
  return { bytes, from: from.subarray(0, length.readUInt32LE()) };
}

/** Bytes received into the `struct msghdr` at an address; null when a non-blocking receive finds nothing. */
export function receiveMessage(fd: number, message: bigint, flags: number): number | null {
  const returned = libcRecvmsg(fd, message, flags);
  if (returned === -EAGAIN || returned === -EINTR) return null;
  return checked("recvmsg", returned);
}

export function close(fd: number): void {
  checked("close", libcClose(fd));
}

export function setHostName(name: string): void {
  checked("sethostname", libcSethostname(name, Buffer.byteLength(name)));
}

const WNOHANG = 1;

/** Collects every child that has ended: what process 1 of a process namespace owes to orphans. */
export function reapChildren(): void {
  const status = Buffer.alloc(4);
  while (libcWaitpid(-1, status, WNOHANG) > 0);
}
