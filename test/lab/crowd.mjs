/**
 * Clients as nobody should be, of each kind as many as told, until the time is over: connections that say nothing, heads
 * that do not end, small ones and floods, bodies faster than anybody reads them, answers that are not read, HTTP/2 that
 * asks nothing. Prints how many connections there were. Plain JavaScript, so that it starts fast.
 */
import { connect } from "node:net";

const [host, port, each, time] = process.argv.slice(2);
const HEAD = "HTTP/1.1\r\nHost: a\r\n";
const KINDS = [
  "",
  `GET /public ${HEAD}X-Slow: `,
  `GET /public ${HEAD}${Array.from({ length: 90 }, (_, at) => `X-${at}: ${"y".repeat(600)}\r\n`).join("")}`,
  `POST /public ${HEAD}Content-Length: 1000000000\r\n\r\n${"z".repeat(4 * 1024 * 1024)}`,
  `POST /public ${HEAD}Transfer-Encoding: chunked\r\n\r\n${`8000\r\n${"z".repeat(32_768)}\r\n`.repeat(128)}`,
  `GET /public/endless ${HEAD}\r\n`,
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
];
let connected = 0;
for (const text of KINDS) {
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; at < Number(each); at++) {
    const socket = connect({ host, port: Number(port), allowHalfOpen: true });
    socket.on("error", () => {});
    socket.on("connect", () => connected++);
    if (bytes.length > 0) socket.write(bytes);
  }
}
setTimeout(() => {
  process.stdout.write(`${connected}\n`);
  process.exit();
}, Number(time));
