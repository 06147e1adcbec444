/** `bulkhead lab probe`: every source asks every declared port, and the engine's word stands beside it. */
import type { Command } from "commander";
import { labProbe } from "../../../lab/client.ts";
import { planOf } from "../../../lab/compile/plan-of.ts";
import type { Style } from "../../../report/style.ts";
import { table } from "../../../report/table.ts";
import { EXIT } from "../../exit.ts";
import {
  agrees,
  type Observed,
  observedIn,
  type Pair,
  pairsOf,
  type Prediction,
  predict,
  probeOf,
  targetsOf,
} from "../../lab/comparison.ts";
import { type LabFlags, openRunning, type RunningSession, withLab } from "../../lab/lab-flags.ts";
import { type OutputFlags, withOutput } from "../../options.ts";
import { styleFor, writeAnswer } from "../../terminal.ts";

interface ProbeFlags extends LabFlags, OutputFlags<"text" | "json"> {}

interface Probed {
  readonly pair: Pair;
  readonly predicted: Prediction;
  readonly observed: Observed;
  readonly agrees: boolean;
}

export function addProbe(lab: Command): void {
  const command = lab
    .command("probe")
    .description("all pairs on declared ports, predicted and observed")
    .addHelpText(
      "after",
      `
Examples:
  bulkhead lab probe
  bulkhead lab probe -o json`,
    );
  withLab(withOutput(command, ["text", "json"])).action(async () => {
    const flags = command.opts<ProbeFlags>();
    const probed = await probe(await openRunning(flags.name));
    const style = styleFor(process.stdout, flags.color);
    await writeAnswer(flags.output === "json" ? json(probed) : text(probed, style));
    process.exitCode = probed.every((one) => one.agrees) ? EXIT.fine : EXIT.found;
  });
}

/** Probes once and writes the table; for `lab apply --watch`. */
export async function showProbe(flags: ProbeFlags): Promise<void> {
  const probed = await probe(await openRunning(flags.name));
  await writeAnswer(flags.output === "json" ? json(probed) : text(probed, styleFor(process.stdout, flags.color)));
}

async function probe({ session, status }: RunningSession): Promise<Probed[]> {
  const { engine, dialect } = session;
  const lab = planOf(engine.world, dialect);
  const asked = pairsOf(engine.world, targetsOf(engine.world)).flatMap((pair) => {
    const sent = probeOf(engine.world, lab, pair);
    return sent === undefined ? [] : { pair, sent };
  });
  const results = await labProbe(
    asked.map(({ sent }) => sent),
    { name: status.name },
  );
  return asked.map(({ pair }, i): Probed => {
    const result = results[i];
    const predicted = predict(engine, pair);
    const observed = result === undefined ? "lost" : observedIn(result);
    return { pair, predicted, observed, agrees: agrees(predicted.verdict, observed) };
  });
}

function* text(probed: readonly Probed[], style: Style): Iterable<string> {
  const rows = probed.map(({ pair: { asker, target }, predicted, observed, agrees: same }) => [
    asker.name,
    target.name,
    `${target.port}/${target.protocol}`,
    predicted.verdict,
    style(observed === "allow" ? "allow" : observed === "deny" ? "deny" : "unsure", observed),
    same ? predicted.why : `${style("changed", "DISAGREE")} ${predicted.why}`,
  ]);
  for (const line of table([["FROM", "TO", "PORT", "PREDICTED", "OBSERVED", "WHY"], ...rows])) yield `${line}\n`;
  const wrong = probed.filter((one) => !one.agrees).length;
  yield `\n${probed.length} asked, ${wrong === 0 ? "all as predicted" : `${wrong} not as predicted`}\n`;
}

function* json(probed: readonly Probed[]): Iterable<string> {
  const value = {
    schemaVersion: 1,
    pairs: probed.map(({ pair: { asker, target }, predicted, observed }) => ({
      from: asker.name,
      to: target.name,
      port: target.port,
      protocol: target.protocol,
      predicted: predicted.verdict,
      observed,
      why: predicted.why,
    })),
    agree: probed.every((one) => one.agrees),
  };
  yield `${JSON.stringify(value, null, 2)}\n`;
}
