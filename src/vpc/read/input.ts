/** Tells which files speak of AWS, and reads them into one network. */

import { type Diagnostic, diagnostic } from "../../base/diagnostic.ts";
import { placedDocument, readConfiguration } from "../../documents/configuration.ts";
import type { Document, Source } from "../../documents/document.ts";
import type { Network } from "../model.ts";
import { readCloudFormation } from "./cloudformation.ts";
import { readDescribe } from "./describe.ts";
import { DESCRIBE_KEYS } from "./describe/answers.ts";
import { isObject, list } from "./json.ts";
import { Positions } from "./positions.ts";
import { parseTemplateYaml } from "./template-values.ts";
import { readTerraform } from "./terraform.ts";

export type AwsForm = "plan" | "template" | "describe";

export interface AwsSource {
  readonly form: AwsForm;
  readonly name: string;
  readonly value: unknown;
  /** The text that it was read from, to tell where things stand. */
  readonly document: Document;
}

/** What a source is, without reading it whole; undefined where it does not speak of AWS. */
export function awsForm(source: Source): AwsForm | undefined {
  const { text: body } = source;
  if (/\bapiVersion\b/.test(body) && /^\s*(?:- )?kind:/m.test(body)) return undefined;
  if (/"(?:planned_values|resource_changes|terraform_version)"\s*:/.test(body)) return "plan";
  if (/AWSTemplateFormatVersion|["']?Type["']?\s*:\s*["']?AWS::[A-Za-z0-9]+::/.test(body)) return "template";
  if (/^\s*[[{]/.test(body) && DESCRIBE_PATTERN.test(body)) return "describe";
  return undefined;
}

const WRAPPED = [
  "TargetHealthDescriptions",
  "PrefixListId",
  "TransitGatewayRouteTableId",
  "TargetGroupArn",
  "cluster",
  "nodegroup",
];
const DESCRIBE_PATTERN = new RegExp(
  `"(?:(?:[a-z0-9]+ )?(?:describe|get|search)-[a-z-]+|${[...DESCRIBE_KEYS, ...WRAPPED].join("|")})"\\s*:`,
);

/** Reads a source; what is wrong with its text is a finding. */
export function readAwsSource(source: Source): AwsSource | { readonly problem: Diagnostic } | undefined {
  const form = awsForm(source);
  if (form === undefined) return undefined;
  if (form === "template" && !/^\s*\{/.test(source.text)) {
    try {
      const value = parseTemplateYaml(source.text);
      return { form, name: source.name, value, document: placedDocument(source, form, value) };
    } catch (error) {
      const message = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
      return { problem: diagnostic("BH001", message, { file: source.name }) };
    }
  }
  const { document, diagnostics } = readConfiguration(source, form);
  const [problem] = diagnostics;
  if (document === undefined)
    return { problem: problem ?? diagnostic("BH409", `${source.name} is empty`, { file: source.name }) };
  return { form, name: source.name, value: named(source.name, document.value), document };
}

/** A file whose name is the call (`describe-vpcs.json`, `get-managed-prefix-list-entries.pl-1.json`) says what its answer lacks. */
function named(name: string, value: unknown): unknown {
  const base =
    name
      .split("/")
      .at(-1)
      ?.replace(/\.json$/, "") ?? "";
  const of = (pattern: RegExp): string | undefined => pattern.exec(base)?.[1];
  const prefixList = of(/get-managed-prefix-list-entries[._-](pl-[0-9a-f]+)/);
  if (prefixList !== undefined && isObject(value)) return { PrefixListId: prefixList, ...value };
  const table = of(
    /(?:search-transit-gateway-routes|get-transit-gateway-route-table-associations)[._-](tgw-rtb-[0-9a-f]+)/,
  );
  if (table !== undefined && isObject(value)) return { TransitGatewayRouteTableId: table, ...value };
  return value;
}

export interface AwsReading {
  readonly network: Network | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads what speaks of AWS as one network; two forms are two tellings and are never merged. */
export function readNetwork(sources: readonly Source[], parameters?: ReadonlyMap<string, unknown>): AwsReading {
  const read: AwsSource[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const source of sources) {
    const one = readAwsSource(source);
    if (one === undefined) continue;
    if ("problem" in one) diagnostics.push(one.problem);
    else read.push(one);
  }
  const forms = new Set(read.map((r) => r.form));
  const [first] = read;
  if (first === undefined) return { network: undefined, diagnostics };
  const isSeveral = forms.size > 1 || (first.form !== "describe" && read.length > 1);
  if (isSeveral) {
    const names = read.map((r) => r.name).join(", ");
    const message = `${names} are several tellings of a network; name one of them`;
    return { network: undefined, diagnostics: [...diagnostics, diagnostic("BH409", message, { file: first.name })] };
  }
  const network = readOne(first.form, read, parameters);
  return { network, diagnostics: [...diagnostics, ...network.diagnostics] };
}

function readOne(form: AwsForm, read: readonly AwsSource[], parameters?: ReadonlyMap<string, unknown>): Network {
  const [first] = read;
  const name = first?.name ?? "";
  const positions = new Positions(read.map((one) => one.document));
  switch (form) {
    case "plan":
      return readTerraform(first?.value, name, positions);
    case "template":
      return readCloudFormation(first?.value, name, parameters, positions);
    case "describe":
      return readDescribe(healthOfGroups(read.map((r) => r.value)), name, positions);
  }
}

/** The answers of a folder, one call each: health of a target group is wrapped with its ARN. */
function healthOfGroups(values: readonly unknown[]): readonly unknown[] {
  return values.flatMap((value) => (Array.isArray(value) ? list(value) : [value]));
}
