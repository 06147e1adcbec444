import { once } from "node:events";
import { connect, createServer } from "node:net";
import { expect, test } from "vitest";
import { Arrivals } from "../../src/lab/attempts.ts";

const SOON_MS = 5;

// `lab probe` on a busy machine said of connections that had come in that nobody took them.
test("what has come in while this process was busy counts, though the time is over", async () => {
  const arrivals = new Arrivals();
  const server = createServer((socket) => {
    arrivals.arrived("a", "default/web");
    socket.destroy();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const client = connect(typeof address === "object" ? (address?.port ?? 0) : 0, "127.0.0.1");
  client.on("error", () => {});
  // The system call to connect is made at the next tick; nothing is accepted before.
  await new Promise<void>((resolve) => process.nextTick(resolve));
  const taker = arrivals.taker(["a"], SOON_MS);
  const end = performance.now() + 10 * SOON_MS;
  while (performance.now() < end);
  expect(await taker).toBe("default/web");
  client.destroy();
  server.close();
});

test("nobody takes what does not come", async () => {
  expect(await new Arrivals().taker(["a"], SOON_MS)).toBeNull();
});
