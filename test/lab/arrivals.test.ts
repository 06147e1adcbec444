import { once } from "node:events";
import { connect, createServer } from "node:net";
import { expect, test } from "vitest";
import { Arrivals } from "../../src/lab/attempts.ts";

const SOON_MS = 5;
/** A listener gives one of them a turn. */
const QUEUED = 20;

// `lab probe` on a busy machine said of connections that had come in that nobody took them.
test("what has come in while this process was busy counts, though the time is over", async () => {
  const arrivals = new Arrivals();
  let left = QUEUED;
  const server = createServer((socket) => {
    if (--left === 0) arrivals.arrived("a", "default/web");
    else arrivals.arrived(`${left}`, "default/web");
    socket.destroy();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  const clients = Array.from({ length: QUEUED }, () => connect(port, "127.0.0.1").on("error", () => {}));
  // The system call to connect is made at the next tick; nothing is accepted before.
  await new Promise<void>((resolve) => process.nextTick(resolve));
  const taker = arrivals.taker(["a"], SOON_MS);
  const end = performance.now() + 10 * SOON_MS;
  while (performance.now() < end);
  expect(await taker).toBe("default/web");
  for (const client of clients) client.destroy();
  server.close();
});

test("nobody takes what does not come", async () => {
  expect(await new Arrivals().taker(["a"], SOON_MS)).toBeNull();
});
