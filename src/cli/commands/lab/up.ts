/** `bulkhead lab up`. */
import { type Command, InvalidArgumentError } from "commander";
import { labUp } from "../../../lab/client.ts";
import { AS_TOLD } from "../../../lab/compile/plan-of.ts";
import { loadInput } from "../../../files/input.ts";
import { hasErrors } from "../../../base/diagnostic.ts";
import { statusJson, statusText } from "../../../report/lab-status.ts";
import { EXIT, inputFailure, SilentFailure } from "../../exit.ts";
import { compileLab, unenforcedOf } from "../../lab/compile.ts";
import { keepInput, readWithTexts } from "../../lab/kept-input.ts";
import { withNames } from "../../lab/outside-names.ts";
import { type LabFlags, unenforcedOption, withLab } from "../../lab/lab-flags.ts";
import { type InputFlags, type OutputFlags, withInput, withOutput } from "../../options.ts";
import { openDocuments } from "../../session.ts";
import { printDiagnostics, progress, styleFor, writeAnswer } from "../../terminal.ts";

interface UpFlags extends InputFlags, LabFlags, OutputFlags<"text" | "json"> {
  readonly nodes?: number;
  readonly allowUnenforced?: true;
}

export function addUp(lab: Command): void {
  const command = lab
    .command("up")
    .description("start a lab from manifests and policies")
    .argument("[path...]", "manifests and policies");
  withLab(withOutput(withInput(command), ["text", "json"]))
    .option("--nodes <number>", "how many nodes there are; pods that name none take turns on them", parseCount)
    .addOption(unenforcedOption())
    .addHelpText(
      "after",
      `
Examples:
  bulkhead lab up examples/two-applications
  bulkhead lab up examples/two-applications examples/two-applications/policies/cilium --nodes 3
  bulkhead lab up -f manifests.yaml --names names.yaml   # the outside answers for these names`,
    )
    .action(async (paths: string[]) => run(paths, command.opts<UpFlags>()));
}

const MAX_NODES = 250;

function parseCount(text: string): number {
  const number = Number(text);
  if (!/^[0-9]+$/.test(text) || number < 1 || number > MAX_NODES)
    throw new InvalidArgumentError(`Write a number from 1 to ${MAX_NODES}.`);
  return number;
}

async function run(paths: readonly string[], flags: UpFlags): Promise<void> {
  const input = loadInput([...paths, ...(flags.filename ?? [])], { recursive: flags.recursive ?? false });
  const read = readWithTexts(input.sources);
  if (hasErrors(input.diagnostics)) {
    printDiagnostics(input.diagnostics, flags.quiet ?? false);
    throw new SilentFailure(EXIT.input);
  }
  const session = openDocuments(read.documents, flags, [...input.diagnostics, ...read.diagnostics]);
  const own = session.engine.world.nodes.length;
  if (flags.nodes !== undefined && flags.nodes < own)
    throw inputFailure(`--nodes ${flags.nodes}: the input has ${own} nodes already`);
  const placement = { ...AS_TOLD, nodes: flags.nodes ?? 0 };
  const {
    lab: planned,
    ruleset,
    unenforced,
  } = compileLab(session, {
    placement,
    ...(flags.allowUnenforced === true ? { allowUnenforced: true } : {}),
  });
  const lab = withNames(planned, flags.names);
  const begun = performance.now();
  const status = await labUp(lab.plan, ruleset, { name: flags.name });
  keepInput(status.pid, session.documents, read.texts, flags, lab);
  progress(`up in ${Math.round(performance.now() - begun)} ms`);
  const style = styleFor(process.stdout, flags.color);
  const left = unenforced.map(unenforcedOf);
  await writeAnswer(flags.output === "json" ? statusJson(status, left) : statusText(status, left, style));
}
