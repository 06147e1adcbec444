/**
 * Runs inside a pod and sends what it is told over a Unix socket: datagrams and connections, byte by byte. Plain
 * JavaScript, so that it starts fast.
 */
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { createInterface } from "node:readline";

const control = connect(process.argv[2]);
const tell = (message) => control.write(`${JSON.stringify(message)}\n`);

function datagram({ id, to, port, bytes, wait }) {
  const socket = createSocket(to.includes(":") ? "udp6" : "udp4");
  const answers = [];
  const end = (error) => {
    clearTimeout(timer);
    socket.close();
    tell({ id, answers, error });
  };
  const timer = setTimeout(() => end(null), wait);
  socket.on("message", (answer) => {
    answers.push(answer.toString("hex"));
    end(null);
  });
  socket.on("error", (error) => end(error.code));
  socket.send(Buffer.from(bytes, "hex"), port, to);
}

/** Many datagrams at once, from sockets of their own; tells how many were answered. */
function flood({ id, to, port, messages, wait }) {
  let answered = 0;
  const sockets = messages.map((bytes) => {
    const socket = createSocket("udp4");
    socket.on("message", () => answered++);
    socket.on("error", () => {});
    socket.send(Buffer.from(bytes, "hex"), port, to);
    return socket;
  });
  setTimeout(() => {
    for (const socket of sockets) socket.close();
    tell({ id, answered });
  }, wait);
}

/** Sends each chunk once the one before is out and the pause is over; ends when the other side does, when enough came, or after the time. */
function stream({ id, to, port, chunks, wait, enough, half, pause = 0 }) {
  const socket = connect({ host: to, port, noDelay: true, allowHalfOpen: true });
  let received = Buffer.alloc(0);
  let connected = false;
  const end = (how) => {
    clearTimeout(timer);
    socket.destroy();
    tell({ id, connected, received: received.toString("hex"), ended: how });
  };
  const timer = setTimeout(() => end("time"), wait);
  socket.on("connect", async () => {
    connected = true;
    for (const chunk of chunks) {
      socket.write(Buffer.from(chunk, "hex"));
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    if (half === true) socket.end();
  });
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    if (enough !== undefined && received.length >= enough) end("enough");
  });
  socket.on("end", () => end("end"));
  socket.on("error", (error) => end(error.code));
}

createInterface({ input: control }).on("line", (line) => {
  const order = JSON.parse(line);
  ({ datagram, flood, stream })[order.kind](order);
});
control.on("close", () => process.exit(0));
control.on("error", () => process.exit(0));
