// `npm run demo`: everything from a fresh clone to the end of the story.
import { spawnSync } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { ensureBuilt, ensurePackages, ensureTools, root } from "./setup.mjs";

const missing = ensureTools();
if (missing !== undefined) {
  console.error(`The demo needs tools that are not installed. Run this, then start again:\n\n  ${missing}\n`);
  process.exit(3);
}
ensurePackages();
ensureBuilt();
const demo = spawnSync(process.execPath, [join(root, "dist/cli/main.js"), "demo", ...process.argv.slice(2)], {
  stdio: "inherit",
});
process.exit(demo.status ?? 128 + (demo.signal === null ? 0 : constants.signals[demo.signal]));
