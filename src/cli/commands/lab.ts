/** `bulkhead lab`: a cluster of real network namespaces that enforces the policies with packets. */
import type { Command } from "commander";
import { addApply } from "./lab/apply.ts";
import { addCapabilities } from "./lab/capabilities.ts";
import { addDown } from "./lab/down.ts";
import { addExec } from "./lab/exec.ts";
import { addFlows } from "./lab/flows.ts";
import { addMove } from "./lab/move.ts";
import { addProbe } from "./lab/probe.ts";
import { addStatus } from "./lab/status.ts";
import { addUp } from "./lab/up.ts";

export function addLab(program: Command): void {
  const lab = program
    .command("lab")
    .description("a small cluster on this machine, with real packets")
    .addHelpText(
      "after",
      `
Examples:
  bulkhead lab up -f examples/two-applications
  bulkhead lab exec default/client-a -- curl -s http://service-a/
  bulkhead lab down`,
    );
  addUp(lab);
  addStatus(lab);
  addApply(lab);
  addExec(lab);
  addMove(lab);
  addProbe(lab);
  addFlows(lab);
  addCapabilities(lab);
  addDown(lab);
}
