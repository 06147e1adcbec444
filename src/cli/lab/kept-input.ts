/**
 * What a running lab was made from. It lies in the lab's own file system, so it ends with the lab, and only the lab's
 * user can read it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import type { Document, Source } from "../../documents/document.ts";
import { readDocuments } from "../../documents/reader.ts";
import { LAB_FOLDER, parseLine } from "../../lab/control.ts";
import type { LabPlan, Predecessor } from "../../lab/compile/plan-of.ts";
import { LabError } from "../../lab/failure.ts";
import { type AddressRange, formatRange } from "../../net/address.ts";
import { parseRange } from "../../reach/inventory.ts";
import type { InputFlags } from "../options.ts";

/** The input of a lab, with how it is read. */
export interface LabOrigin {
  readonly documents: readonly Document[];
  readonly flags: ReadingFlags;
}

/** The flags that say how manifests are read, as far as a lab has use for them. */
export type ReadingFlags = Pick<
  InputFlags,
  "namespace" | "dialect" | "asCluster" | "podCidr" | "nodeCidr" | "serviceCidr"
> & { readonly allowUnenforced?: true };

/** As it is written. */
interface Kept extends Predecessor {
  readonly sources: readonly KeptSource[];
  readonly namespace?: string;
  readonly dialect?: string;
  readonly asCluster?: true;
  readonly allowUnenforced?: true;
  readonly podCidr?: readonly string[];
  readonly nodeCidr?: readonly string[];
  readonly serviceCidr?: readonly string[];
}

/** A source with the objects of it that still stand; others have been replaced or deleted since. */
interface KeptSource {
  readonly source: Source;
  readonly standing: readonly number[];
}

/** The text of each document's source, which a document does not carry. */
export type Texts = ReadonlyMap<Document, Source>;

/** Reads sources and remembers which document came from which. */
export function readWithTexts(sources: readonly Source[]): {
  readonly documents: readonly Document[];
  readonly texts: Texts;
  readonly diagnostics: ReturnType<typeof readDocuments>["diagnostics"];
} {
  const texts = new Map<Document, Source>();
  const read = sources.map((source) => {
    const result = readDocuments([source]);
    for (const document of result.documents) texts.set(document, source);
    return result;
  });
  return {
    documents: read.flatMap((result) => result.documents),
    texts,
    diagnostics: read.flatMap((result) => result.diagnostics),
  };
}

const pathOf = (pid: number): string => `/proc/${pid}/root${LAB_FOLDER}/input.json`;

/** Keeps the input with a lab. Takes the process of its daemon, the objects, where each was read, the flags and the plan. */
export function keepInput(
  pid: number,
  documents: readonly Document[],
  texts: Texts,
  flags: ReadingFlags,
  lab: LabPlan,
): void {
  const bySource = new Map<Source, Document[]>();
  for (const document of documents) {
    const source = texts.get(document);
    if (source === undefined)
      throw new LabError("internal", `the source of ${document.kind} ${document.name} is not known`);
    const list = bySource.get(source);
    if (list === undefined) bySource.set(source, [document]);
    else list.push(document);
  }
  const sources = [...bySource].map(([source, own]): KeptSource => {
    const all = [...texts].filter(([, from]) => from === source).map(([document]) => document);
    return { source, standing: own.map((document) => all.indexOf(document)) };
  });
  const ranges = (list: readonly AddressRange[] | undefined): readonly string[] | undefined => list?.map(formatRange);
  const kept = {
    plan: lab.plan,
    numbers: lab.population.numbers,
    placement: lab.placement,
    sources,
    namespace: flags.namespace,
    dialect: flags.dialect,
    asCluster: flags.asCluster,
    allowUnenforced: flags.allowUnenforced,
    podCidr: ranges(flags.podCidr),
    nodeCidr: ranges(flags.nodeCidr),
    serviceCidr: ranges(flags.serviceCidr),
  };
  writeFileSync(pathOf(pid), JSON.stringify(kept), { mode: 0o600 });
}

/** Reads what a lab was made from. */
export function keptInput(pid: number): LabOrigin & { readonly texts: Texts; readonly before: Predecessor } {
  let text: string;
  try {
    text = readFileSync(pathOf(pid), "utf8");
  } catch {
    throw new LabError("lab-died", "the lab has no record of its input: it ended, or was not started by this command");
  }
  const kept = parseLine<Kept>(text);
  const texts = new Map<Document, Source>();
  const documents: Document[] = [];
  for (const { source, standing } of kept.sources) {
    const read = readDocuments([source]).documents;
    for (const document of read) texts.set(document, source);
    for (const index of standing) {
      const document = read[index];
      if (document !== undefined) documents.push(document);
    }
  }
  const ranges = (list: readonly string[]): AddressRange[] => list.flatMap((one) => parseRange(one) ?? []);
  return {
    documents,
    texts,
    before: { plan: kept.plan, numbers: kept.numbers, placement: kept.placement },
    flags: {
      ...(kept.namespace === undefined ? {} : { namespace: kept.namespace }),
      ...(kept.dialect === undefined ? {} : { dialect: kept.dialect }),
      ...(kept.asCluster === undefined ? {} : { asCluster: true }),
      ...(kept.allowUnenforced === undefined ? {} : { allowUnenforced: true }),
      ...(kept.podCidr === undefined ? {} : { podCidr: ranges(kept.podCidr) }),
      ...(kept.nodeCidr === undefined ? {} : { nodeCidr: ranges(kept.nodeCidr) }),
      ...(kept.serviceCidr === undefined ? {} : { serviceCidr: ranges(kept.serviceCidr) }),
    },
  };
}

/** The key under which an object replaces another. */
export function objectKey(document: Document, defaultNamespace = "default"): string {
  return `${document.kind}/${document.namespace ?? defaultNamespace}/${document.name}`;
}
