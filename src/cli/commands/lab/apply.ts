/** `bulkhead lab apply`: change the objects of a running lab; its policies change in one transaction. */
import { type Command, Option } from "commander";
import { hasErrors } from "../../../base/diagnostic.ts";
import type { Document } from "../../../documents/document.ts";
import { loadInput } from "../../../files/input.ts";
import { labApply } from "../../../lab/client.ts";
import { objectName } from "../../../report/origin.ts";
import { EXIT, SilentFailure } from "../../exit.ts";
import { namesOf } from "../../lab/outside-names.ts";
import { compileLab } from "../../lab/compile.ts";
import { keepInput, objectKey, type ReadingFlags, readWithTexts, type Texts } from "../../lab/kept-input.ts";
import { type LabFlags, openRunning, type RunningSession, unenforcedOption, withLab } from "../../lab/lab-flags.ts";
import { changesOf } from "../../../files/changes.ts";
import { type InputFlags, type OutputFlags, withInput, withOutput } from "../../options.ts";
import { showProbe } from "./probe.ts";
import { openDocuments } from "../../session.ts";
import { printDiagnostics, progress, writeAnswer } from "../../terminal.ts";

interface ApplyFlags extends InputFlags, LabFlags, OutputFlags<"text" | "json"> {
  readonly prune?: true;
  readonly delete?: true;
  readonly watch?: true;
  readonly allowUnenforced?: true;
}

export function addApply(lab: Command): void {
  const command = lab
    .command("apply")
    .description("add or replace objects, policies in one transaction")
    .argument("[path...]", "manifests and policies");
  withLab(withOutput(withInput(command), ["text", "json"]))
    .option("--prune", "remove policies that the files do not hold")
    .addOption(new Option("--delete", "remove the objects of the files").conflicts("prune"))
    .addOption(
      new Option("--watch", "apply again whenever a file is saved, and show who reaches whom").conflicts("delete"),
    )
    .addOption(unenforcedOption())
    .addHelpText(
      "after",
      `
Examples:
  bulkhead lab apply -f examples/two-applications/policies/cilium
  bulkhead lab apply --prune -f policies
  bulkhead lab apply --delete -f policies/service-a.yaml
  bulkhead lab apply --watch -f policies`,
    )
    .action(async (paths: string[]) => {
      const flags = command.opts<ApplyFlags>();
      if (flags.watch === true) await watchAndApply([...paths, ...(flags.filename ?? [])], flags);
      else await run(paths, flags);
    });
}

/** Applies at once and after each save, and probes after each time; goes on until it is interrupted or the lab ends. */
async function watchAndApply(paths: readonly string[], flags: ApplyFlags): Promise<void> {
  let failure: SilentFailure | null = null;
  for await (const _ of changesOf(paths, flags.recursive ?? false)) {
    try {
      await run(paths, { ...flags, filename: [] });
      await showProbe(flags);
      failure = null;
    } catch (error) {
      // What is wrong with a file has been said; the next save may mend it.
      if (!(error instanceof SilentFailure)) throw error;
      failure = error;
    }
  }
  if (failure !== null) throw failure;
}

/** What becomes of the objects. */
interface Merge {
  readonly documents: readonly Document[];
  readonly added: readonly Document[];
  readonly changed: readonly Document[];
  readonly removed: readonly Document[];
}

async function run(paths: readonly string[], flags: ApplyFlags): Promise<void> {
  const running = await openRunning(flags.name);
  const input = loadInput([...paths, ...(flags.filename ?? [])], { recursive: flags.recursive ?? false });
  const read = readWithTexts(input.sources);
  const found = [...input.diagnostics, ...read.diagnostics];
  if (hasErrors(found)) {
    printDiagnostics(found, flags.quiet ?? false);
    throw new SilentFailure(EXIT.input);
  }
  const reading = { ...running.flags, ...readingOf(flags) };
  const merged = merge(running, read.documents, flags, reading.namespace);
  const session = openDocuments(
    merged.documents,
    {
      ...reading,
      placement: running.before.placement.moved,
      ...namesOf(running.before.plan),
      ...(flags.quiet === true ? { quiet: true } : {}),
    },
    found,
  );
  const { lab, ruleset } = compileLab(session, {
    before: running.before,
    ...(reading.allowUnenforced === true ? { allowUnenforced: true } : {}),
  });
  const same = JSON.stringify(running.before.plan) === JSON.stringify(lab.plan);
  const result = await labApply(same ? { ruleset } : { ruleset, plan: lab.plan }, { name: flags.name });
  const texts: Texts = new Map([...running.texts, ...read.texts]);
  keepInput(running.status.pid, merged.documents, texts, reading, lab);
  progress(`in force in ${result.milliseconds.toFixed(1)} ms`);
  await writeAnswer(flags.output === "json" ? json(merged, result) : text(merged));
}

/** Flags of this command that say how manifests are read replace those of `lab up`. */
function readingOf(flags: ApplyFlags): ReadingFlags {
  const { namespace, dialect, asCluster, allowUnenforced, podCidr, nodeCidr, serviceCidr } = flags;
  return {
    ...(namespace === undefined ? {} : { namespace }),
    ...(dialect === undefined ? {} : { dialect }),
    ...(asCluster === undefined ? {} : { asCluster }),
    ...(allowUnenforced === undefined ? {} : { allowUnenforced }),
    ...(podCidr === undefined ? {} : { podCidr }),
    ...(nodeCidr === undefined ? {} : { nodeCidr }),
    ...(serviceCidr === undefined ? {} : { serviceCidr }),
  };
}

function merge(
  { session }: RunningSession,
  given: readonly Document[],
  flags: ApplyFlags,
  namespace: string | undefined,
): Merge {
  const key = (document: Document): string => objectKey(document, namespace);
  const keys = new Set(given.map(key));
  const isPolicy = ({ apiVersion, kind }: Document): boolean => session.dialect.enforces(apiVersion, kind);
  if (flags.delete === true) {
    const removed = session.documents.filter((document) => keys.has(key(document)));
    return { documents: session.documents.filter((d) => !removed.includes(d)), added: [], changed: [], removed };
  }
  const known = new Set(session.documents.map(key));
  const removed = flags.prune === true ? session.documents.filter((d) => isPolicy(d) && !keys.has(key(d))) : [];
  const documents: Document[] = [];
  const placed = new Set<Document>();
  // What replaces an object stands in its place; what is new comes last.
  for (const document of session.documents) {
    if (removed.includes(document)) continue;
    if (!keys.has(key(document))) {
      documents.push(document);
      continue;
    }
    for (const one of given) {
      if (key(one) !== key(document) || placed.has(one)) continue;
      placed.add(one);
      documents.push(one);
    }
  }
  const added = given.filter((document) => !known.has(key(document)));
  return { documents: [...documents, ...added], added, changed: given.filter((d) => known.has(key(d))), removed };
}

function* text({ added, changed, removed }: Merge): Iterable<string> {
  for (const document of added) yield `${nameOf(document)} added\n`;
  for (const document of changed) yield `${nameOf(document)} replaced\n`;
  for (const document of removed) yield `${nameOf(document)} removed\n`;
  if (added.length + changed.length + removed.length === 0) yield "nothing to change\n";
}

function* json(
  { added, changed, removed }: Merge,
  { generation, milliseconds }: { readonly generation: number; readonly milliseconds: number },
): Iterable<string> {
  const value = {
    schemaVersion: 1,
    generation,
    milliseconds,
    added: added.map(nameOf),
    changed: changed.map(nameOf),
    removed: removed.map(nameOf),
  };
  yield `${JSON.stringify(value, null, 2)}\n`;
}

function nameOf({ kind, namespace, name }: Document): string {
  return objectName({ kind, name, ...(namespace === undefined ? {} : { namespace }) });
}
