/** Sockets made inside a pod's namespace and handed to Node as file descriptors. */

import { type Endpoint, type Family, familyOf, readSocketAddress, socketAddress } from "./address.ts";
import {
  AF_INET,
  AF_INET6,
  bind,
  close,
  connect,
  getOption,
  getsockname,
  IP_FREEBIND,
  IP_TRANSPARENT,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_FREEBIND,
  IPV6_TRANSPARENT,
  IPV6_V6ONLY,
  listen,
  SO_ERROR,
  SO_LINGER,
  SO_REUSEADDR,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOCK_STREAM,
  SOL_SOCKET,
  setOption,
  socket,
} from "./libc.ts";
import type { NetworkNamespace } from "./namespace.ts";

export interface BindOptions {
  /** Take packets for addresses that are not the namespace's own, and speak from them. */
  readonly foreign?: boolean;
}

function inside(
  namespace: NetworkNamespace,
  address: string,
  port: number,
  type: number,
  options: BindOptions,
  then: (fd: number) => void,
): number {
  return namespace.run(() => {
    const family = familyOf(address);
    const fd = socket(family === 4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK, 0);
    try {
      if (family === 6) setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
      if (port !== 0 && type === SOCK_STREAM) setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
      if (options.foreign === true) allowForeign(fd, family);
      bind(fd, socketAddress(address, port));
      then(fd);
      return fd;
    } catch (error) {
      close(fd);
      throw error;
    }
  });
}

function allowForeign(fd: number, family: Family): void {
  if (family === 4) {
    setOption(fd, IPPROTO_IP, IP_FREEBIND, 1);
    setOption(fd, IPPROTO_IP, IP_TRANSPARENT, 1);
  } else {
    setOption(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
    setOption(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, 1);
  }
}

/** A listening TCP socket. */
export function tcpListener(
  namespace: NetworkNamespace,
  address: string,
  port: number,
  options: BindOptions = {},
): number {
  return inside(namespace, address, port, SOCK_STREAM, options, (fd) => listen(fd, 511));
}

/** A bound UDP socket. */
export function udpSocket(
  namespace: NetworkNamespace,
  address: string,
  port: number,
  options: BindOptions = {},
): number {
  return inside(namespace, address, port, SOCK_DGRAM, options, () => {});
}

/** A TCP connection under way from `source` (any port) to the target, and the port it starts from. */
export function tcpConnection(
  namespace: NetworkNamespace,
  source: string,
  target: Endpoint,
  options: BindOptions = {},
): { readonly fd: number; readonly port: number } {
  const fd = inside(namespace, source, 0, SOCK_STREAM, options, (created) => {
    connect(created, socketAddress(target.address, target.port));
  });
  return { fd, port: ownEndpoint(fd).port };
}

/** A UDP socket from `source` (any port) that speaks with the target only, so that it hears of refusals. */
export function udpConnection(
  namespace: NetworkNamespace,
  source: string,
  target: Endpoint,
  options: BindOptions = {},
): { readonly fd: number; readonly port: number } {
  const fd = inside(namespace, source, 0, SOCK_DGRAM, options, (created) => {
    connect(created, socketAddress(target.address, target.port));
  });
  return { fd, port: ownEndpoint(fd).port };
}

/** A raw socket of an IP protocol at an address; what it receives is a copy, the kernel handles the packet all the same. */
export function rawSocket(
  namespace: NetworkNamespace,
  address: string,
  protocol: number,
  options: BindOptions = {},
): number {
  return namespace.run(() => {
    const family = familyOf(address);
    const fd = socket(family === 4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_NONBLOCK, protocol);
    try {
      if (options.foreign === true) allowForeign(fd, family);
      bind(fd, socketAddress(address, 0));
      return fd;
    } catch (error) {
      close(fd);
      throw error;
    }
  });
}

/** The payload of a packet that a raw socket received: of IPv4 it comes with its header. */
export function withoutHeader(family: Family, bytes: Buffer): Buffer {
  return family === 4 ? bytes.subarray(((bytes[0] ?? 0) & 15) * 4) : bytes;
}

export function ownEndpoint(fd: number): Endpoint {
  return readSocketAddress(getsockname(fd));
}

/** The error of a connection that was under way: 0 when it stands. */
export function connectionError(fd: number): number {
  return getOption(fd, SOL_SOCKET, SO_ERROR);
}

/** Closing then resets the connection, and nothing of it lingers in the kernel. */
export function resetOnClose(fd: number): void {
  const linger = Buffer.alloc(8);
  linger.writeInt32LE(1, 0);
  setOption(fd, SOL_SOCKET, SO_LINGER, linger);
}
