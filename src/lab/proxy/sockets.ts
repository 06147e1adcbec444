/** The proxy's sockets: they take what was meant for others, and speak in a client's name. */

import { type OnReadOpts, Socket } from "node:net";
import { type Family, familyOf, socketAddress } from "../kernel/address.ts";
import {
  AF_INET,
  AF_INET6,
  bind,
  close,
  IP_BIND_ADDRESS_NO_PORT,
  IP_TRANSPARENT,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_TRANSPARENT,
  IPV6_V6ONLY,
  listen,
  SO_MARK,
  SO_REUSEADDR,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  setOption,
  socket,
} from "../kernel/libc.ts";
import { FROM_PROXY_BIT, PROXY_LISTEN, PROXY_PORT } from "../redirection.ts";
import type { Connection } from "./seam.ts";

const BACKLOG = 4096;

function transparent(family: Family, type: number): number {
  const fd = socket(family === 4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK, 0);
  if (family === 6) setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (family === 4) setOption(fd, IPPROTO_IP, IP_TRANSPARENT, 1);
  else setOption(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, 1);
  return fd;
}

/** Runs what completes a socket; none stays open when it fails. */
function completed(fd: number, complete: () => void): number {
  try {
    complete();
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** The listening socket to which the kernel hands redirected connections. */
export function proxyListener(family: Family): number {
  const fd = transparent(family, SOCK_STREAM);
  return completed(fd, () => {
    setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    bind(fd, socketAddress(PROXY_LISTEN[family], PROXY_PORT));
    listen(fd, BACKLOG);
  });
}

/** A TCP connection to the target, under way from the client's address and any port. `onread`: how it is read, else as a stream. */
export function onwardStream({ client, server }: Connection, onread?: OnReadOpts): Socket {
  const family = familyOf(server.address);
  const fd = transparent(family, SOCK_STREAM);
  completed(fd, () => {
    setOption(fd, SOL_SOCKET, SO_MARK, FROM_PROXY_BIT);
    setOption(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    bind(fd, socketAddress(client.address, 0));
  });
  const stream = new Socket({ fd, ...(onread === undefined ? {} : { onread }) });
  stream.setNoDelay(true);
  return stream.connect(server.port, server.address);
}
