/** `bulkhead.yaml` in the working directory: defaults for flags that are not given, and findings that are set aside. */
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { type Diagnostic, hasErrors } from "../base/diagnostic.ts";
import { readConfiguration } from "../documents/configuration.ts";
import { Cursor, Findings } from "../documents/cursor.ts";
import { readSource } from "../files/source-file.ts";
import { isCode, type Suppression } from "../lint/suppression.ts";
import { parsePrefix, prefixRange } from "../net/address.ts";
import { EXIT, SilentFailure } from "./exit.ts";
import { printDiagnostics } from "./terminal.ts";

const FILE = "bulkhead.yaml";

export interface ProjectConfiguration {
  /** Values of flags by their name in the code, as the flag itself would give them. */
  readonly flags: ReadonlyMap<string, unknown>;
  readonly suppressions: readonly Suppression[];
}

const NONE: ProjectConfiguration = { flags: new Map(), suppressions: [] };

/** Ranges of the file, by the flag that they stand for. */
const RANGES = { podCIDRs: "podCidr", nodeCIDRs: "nodeCidr", serviceCIDRs: "serviceCidr" } as const;

/** Reads the file where there is one. Throws a failure with exit code 2, its findings printed, where it is wrong. */
export function readProjectConfiguration(): ProjectConfiguration {
  if (!existsSync(FILE)) return NONE;
  const read = readSource(FILE, FILE);
  if ("problem" in read) return fail([read.problem]);
  const { document, diagnostics } = readConfiguration(read.source, "configuration");
  if (document === undefined || hasErrors(diagnostics)) return fail(diagnostics);
  const findings = new Findings();
  const configuration = decode(Cursor.of(document, findings));
  if (findings.errors > 0) return fail(findings.all);
  return configuration;
}

function fail(diagnostics: readonly Diagnostic[]): never {
  printDiagnostics(diagnostics, false);
  throw new SilentFailure(EXIT.input);
}

function decode(root: Cursor): ProjectConfiguration {
  root.unknownFields(["dialect", "namespace", "filename", "recursive", "names", ...Object.keys(RANGES), "lint"]);
  const flags = new Map<string, unknown>();
  for (const key of ["dialect", "namespace", "names"]) {
    const text = root.field(key).string();
    if (text !== undefined) flags.set(key, text);
  }
  const filename = root.field("filename");
  const files = filename.shape === "string" ? [filename.string() ?? ""] : filename.strings();
  if (files !== undefined) flags.set("filename", files);
  if (root.field("recursive").boolean() === true) flags.set("recursive", true);
  for (const [key, flag] of Object.entries(RANGES)) {
    const list = root.field(key).list();
    if (list === undefined) continue;
    const ranges = list.flatMap((item) => {
      const prefix = parsePrefix(item.string() ?? "");
      if (prefix === undefined) item.error("BH246", `${item.describe()} is no prefix such as 10.0.0.0/8`);
      return prefix === undefined ? [] : [prefixRange(prefix)];
    });
    flags.set(flag, ranges);
  }
  const lint = root.field("lint");
  lint.unknownFields(["failOn", "ignore"]);
  const failOn = lint.field("failOn").enumeration(["error", "warning", "info"]);
  if (failOn !== undefined) flags.set("failOn", failOn);
  const suppressions = (lint.field("ignore").list() ?? []).flatMap((item) => decodeSuppression(item));
  return { flags, suppressions };
}

function decodeSuppression(item: Cursor): readonly Suppression[] {
  item.unknownFields(["code", "object", "file", "reason"]);
  const code = item.required("code").string();
  const reason = item.required("reason").string();
  const object = item.field("object").string();
  const file = item.field("file").string();
  if (code === undefined || reason === undefined) return [];
  if (!isCode(code)) {
    item.field("code").error("BH205", `${item.field("code").describe()}: there is no code ${code}`);
    return [];
  }
  return [
    {
      code,
      reason,
      ...(object === undefined ? {} : { object }),
      ...(file === undefined ? {} : { file }),
      place: item.document.locate(item.path),
    },
  ];
}

/** Gives a command the values of the file for flags that it has and the user has not given. */
export function applyDefaults(command: Command): void {
  const known = new Set(command.options.map((option) => option.attributeName()));
  if (known.size === 0) return;
  const { flags } = readProjectConfiguration();
  for (const [name, value] of flags) {
    if (!known.has(name)) continue;
    // Input that the user names is all the input.
    if (name === "filename" && command.args.length > 0 && !takesEndpoints(command)) continue;
    const source = command.getOptionValueSource(name);
    if (source === undefined || source === "default") command.setOptionValueWithSource(name, value, "config");
  }
}

/** Whether the arguments of a command are endpoints, so that its input comes by `--filename` alone. */
function takesEndpoints(command: Command): boolean {
  return command.registeredArguments.every((argument) => ["endpoint", "from", "to"].includes(argument.name()));
}
