import { stranger } from "./stranger.ts";
import { describeWithPackets, uniqueName } from "./unprivileged.ts";
import { createConnection } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { labDown, labStatus, labUp } from "../../src/lab/client.ts";
import { CONTROL_SOCKET } from "../../src/lab/control.ts";
import { NO_RULES } from "../../src/lab/ruleset.ts";
import { EMPTY } from "./clusters.ts";

const name = uniqueName();

describeWithPackets("the control socket", () => {
  let path = "";
  beforeAll(async () => {
    const { pid } = await labUp(EMPTY, NO_RULES, { name, attached: true });
    path = `/proc/${pid}/root${CONTROL_SOCKET}`;
  });
  afterAll(async () => {
    stranger?.end();
    await labDown({ name });
  });

  test("opens for its user", async () => {
    const opened = await new Promise((resolve) => {
      const socket = createConnection({ path });
      socket.on("connect", () => {
        socket.destroy();
        resolve("connected");
      });
      socket.on("error", (error) => resolve(error.message));
    });
    expect(opened).toBe("connected");
  });

  test.skipIf(stranger === null)("stays shut to everybody else", async () => {
    expect(await stranger?.connect(path)).toBe("EACCES");
  });

  test("bytes that are no request end the talk, not the lab", async () => {
    const socket = createConnection({ path });
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.on("error", () => {});
    socket.write("no JSON\n");
    await closed;
    expect((await labStatus({ name })).pid).toBeGreaterThan(0);
  });
});
