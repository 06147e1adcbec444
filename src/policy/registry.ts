/** Which dialects there are, and which of them an input asks for. */
import { type Diagnostic, diagnostic } from "../base/diagnostic.ts";
import type { Document } from "../documents/document.ts";
import { nearest } from "../documents/nearest.ts";
import { isCiliumConfig } from "../model/cilium-config.ts";
import { groupOf } from "../model/metadata.ts";
import { openCilium } from "./cilium/dialect.ts";
import { NEWEST_RELEASE, RELEASES } from "./cilium/settings.ts";
import type { Dialect } from "./dialect.ts";
import { openKubernetes } from "./kubernetes/dialect.ts";

/** Every dialect by the names under which it can be asked for; a name without release means the newest one. */
const DIALECTS: ReadonlyMap<string, () => Dialect> = new Map([
  ["kubernetes", openKubernetes],
  ["cilium", () => openCilium(NEWEST_RELEASE)],
  ...RELEASES.map((release) => [`cilium@${release}`, () => openCilium(release)] as const),
]);

/** The names that `openDialect` and `--dialect` take. */
export const DIALECT_NAMES: readonly string[] = [...DIALECTS.keys()];

/** The name under which a VPC is asked; it has no policies of a cluster to compile. */
export const AWS = "aws";

/** The dialect of that name; `undefined` where there is none. */
export function openDialect(name: string): Dialect | undefined {
  return DIALECTS.get(name)?.();
}

/** Either the dialect that reads the input, or why none does; these are errors of the input or of the flag. */
export type DialectChoice =
  | { readonly dialect: Dialect; readonly diagnostics?: undefined }
  | { readonly dialect?: undefined; readonly diagnostics: readonly Diagnostic[] };

/**
 * Chooses the dialect.
 *
 * Takes the objects of the input, what `--dialect` says, where it is given, and the namespace of objects that name none.
 * Without it the input tells: objects of
 * Cilium mean Cilium, of Calico Calico, none of both the specification; of both is an error, for then only the user
 * knows. Returns the dialect, or the errors.
 */
export function chooseDialect(
  documents: Iterable<Document>,
  flag?: string,
  defaultNamespace = "default",
): DialectChoice {
  if (flag !== undefined) {
    const dialect = openDialect(flag);
    if (flag === AWS)
      return { diagnostics: [diagnostic("BH040", "the input holds nothing of AWS", undefined, { help: AWS_HELP })] };
    return dialect === undefined ? { diagnostics: [unknownDialect(flag)] } : { dialect };
  }
  let cilium: Document | undefined;
  let calico: Document | undefined;
  for (const document of documents) {
    if (isCilium(document, defaultNamespace)) cilium ??= document;
    else if (isCalico(document)) calico ??= document;
    if (cilium !== undefined && calico !== undefined) break;
  }
  if (calico === undefined) return { dialect: cilium === undefined ? openKubernetes() : openCilium(NEWEST_RELEASE) };
  const place = calico.locate(["kind"]);
  if (cilium !== undefined) {
    const other = cilium.locate(["kind"]);
    const message =
      `the input holds ${titleOf(cilium)} of Cilium (${other.file}:${other.line}) and ${titleOf(calico)} of Calico; ` +
      "one cluster runs one of them";
    return { diagnostics: [diagnostic("BH041", message, place)] };
  }
  const message = `the input holds ${titleOf(calico)}, and policies of Calico are not decided yet`;
  return { diagnostics: [diagnostic("BH042", message, place)] };
}

const AWS_HELP =
  "Name a plan of `terraform show -json`, a CloudFormation template, or a folder of `aws … describe-*` answers.";

function unknownDialect(flag: string): Diagnostic {
  const meant = nearest(flag, DIALECT_NAMES);
  const help = meant === undefined ? `The dialects are ${DIALECT_NAMES.join(", ")}.` : `Did you mean ${meant}?`;
  return diagnostic("BH040", `there is no dialect ${JSON.stringify(flag)}`, undefined, { help });
}

const CILIUM_KINDS: readonly string[] = ["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"];

/** A policy of Cilium, or the agent's configuration. */
function isCilium({ apiVersion, kind, namespace, name }: Document, defaultNamespace: string): boolean {
  if (apiVersion === "v1" && kind === "ConfigMap") return isCiliumConfig(namespace ?? defaultNamespace, name);
  return groupOf(apiVersion) === "cilium.io" && CILIUM_KINDS.includes(kind);
}

/** Any object of Calico's API, in either of its groups. */
function isCalico({ apiVersion }: Document): boolean {
  const group = groupOf(apiVersion);
  return group === "projectcalico.org" || group === "crd.projectcalico.org";
}

function titleOf({ kind, namespace, name }: Document): string {
  return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}
