/** A process of its own that uses the lab, for tests that kill it. */

import { setInterval } from "node:timers";
import type { Probe } from "../../src/lab/answers.ts";
import { labExec, labProbe, labUp } from "../../src/lab/client.ts";
import { NO_RULES } from "../../src/lab/ruleset.ts";
import { twoApplications } from "./clusters.ts";

const [mode, name = "", duration = "1"] = process.argv.slice(2);

async function main(): Promise<void> {
  if (mode === "exec") {
    await labExec("default/client-a", ["sleep", duration], { name });
    return;
  }
  if (mode === "traffic") {
    const probe: Probe = { from: "default/client-a", to: "default/service-a", protocol: "TCP", port: 80, http: {} };
    for (;;) await labProbe([probe, probe, probe], { name });
  }
  await labUp(twoApplications(), NO_RULES, { name, attached: mode === "attached" });
  process.stdout.write("up\n");
  setInterval(() => {}, 1000);
}

main().catch(() => {
  process.exitCode = 1;
});
