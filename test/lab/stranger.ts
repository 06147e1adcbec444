/**
 * Another user of the machine, made while this process may still become one. Import it before `unprivileged.ts`.
 * It tries to connect to each path that it is told, and says how that ended.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

const STRANGER = "65533";
const TRY = `
const { createConnection } = require("node:net");
require("node:readline").createInterface({ input: process.stdin }).on("line", (path) => {
  const socket = createConnection({ path });
  socket.on("connect", () => { console.log("connected"); socket.destroy(); });
  socket.on("error", (error) => console.log(error.code));
});
`;

const child: ChildProcess | null =
  process.getuid?.() === 0
    ? spawn("setpriv", ["--reuid", STRANGER, "--regid", STRANGER, "--clear-groups", process.execPath, "-e", TRY], {
        cwd: "/",
        stdio: ["pipe", "pipe", "inherit"],
      })
    : null;

/** Null: this machine gave the test no second user. */
export const stranger =
  child === null
    ? null
    : {
        connect(path: string): Promise<string> {
          return new Promise((resolve) => {
            if (child.stdout === null) return;
            const lines = createInterface({ input: child.stdout });
            lines.once("line", (line) => {
              lines.close();
              resolve(line);
            });
            child.stdin?.write(`${path}\n`);
          });
        },
        end(): void {
          child.stdin?.end();
        },
      };
