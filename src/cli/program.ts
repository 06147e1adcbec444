/** Every command, as one program. */
import { Command } from "commander";
import { addCompletion } from "./commands/completion.ts";
import { addDemo } from "./commands/demo.ts";
import { addDiff } from "./commands/diff.ts";
import { addExposure } from "./commands/exposure.ts";
import { addExplain } from "./commands/explain.ts";
import { addImpact } from "./commands/impact.ts";
import { addLab } from "./commands/lab.ts";
import { addLint } from "./commands/lint.ts";
import { addReach } from "./commands/reach.ts";
import { addReport } from "./commands/report.ts";
import { addVerify } from "./commands/verify.ts";
import { addWhy } from "./commands/why.ts";
import { applyDefaults } from "./configuration.ts";
import { version } from "./version.ts";

/** Returns the program; it throws where it would end the process. */
export function program(): Command {
  // Subcommands copy these settings when they are created, so they come first.
  const root = new Command("bulkhead")
    .exitOverride()
    .enablePositionalOptions()
    .showHelpAfterError("(add --help for what there is)")
    .helpCommand(true)
    .description("Proves, shows and enforces which application may talk to which.")
    .version(version())
    .addHelpText(
      "after",
      `
Examples:
  bulkhead demo
  bulkhead reach examples/two-applications --matrix
  bulkhead why default/client-b default/service-a --port 80/TCP -f examples/two-applications
  bulkhead impact --all -f examples/two-applications`,
    );
  root.hook("preAction", (_root, command) => applyDefaults(command));
  addDemo(root);
  addReach(root);
  addWhy(root);
  addExposure(root);
  addImpact(root);
  addDiff(root);
  addLint(root);
  addExplain(root);
  addVerify(root);
  addReport(root);
  addLab(root);
  addCompletion(root);
  return root;
}
