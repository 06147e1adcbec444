import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseAllDocuments, type Tags } from "yaml";
import type { Answer, Dialect, Flow, SideAnswer } from "../../reference/index.ts";
import { isIcmp, protocolOf } from "../../reference/protocols.ts";
import { fieldsOf, isFields, itemsOf, textOf, textsOf, wholeOf } from "../../reference/values.ts";

export const CONFORMANCE = new URL("../conformance/", import.meta.url).pathname;

export const SUITES = [
  "semantics",
  "k8s-e2e",
  "cyclonus",
  "network-config-analyzer",
  "network-policy-api",
  "cilium-documentation",
] as const;

/** YAML 1.1 scalars, as Kubernetes reads them: `yes` and `on` are flags, `y` and `1:30` and dates are text. */
export function readDocuments(path: string): unknown[] {
  const customTags = (tags: Tags): Tags =>
    tags.flatMap((tag): Tags => {
      if (typeof tag === "string") return tag === "timestamp" || tag === "intTime" || tag === "floatTime" ? [] : [tag];
      if (tag.tag === "tag:yaml.org,2002:timestamp" || ("format" in tag && tag.format === "TIME")) return [];
      if (tag.tag !== "tag:yaml.org,2002:bool" || !("test" in tag) || tag.test === undefined) return [tag];
      const { test } = tag;
      return [{ ...tag, test: new RegExp(`^(?!(?:y|Y|n|N)$)(?:${test.source})`) }];
    });
  const documents = parseAllDocuments(readFileSync(path, "utf8"), { version: "1.1", merge: true, customTags });
  return [...documents].map((document) => document.toJS()).filter((document) => document !== null);
}

export interface Assertion {
  readonly flow: Flow;
  readonly verdict: string;
  readonly decidedBy: readonly string[];
}

export interface Connectivity {
  readonly from: string;
  readonly to: string;
  readonly connections: string;
}

/** Two policy sets over the same endpoints; `b` is absent for vacuity: no policy at all. */
export interface Relation {
  readonly kind: string;
  readonly holds: boolean;
  readonly a: readonly unknown[];
  readonly b: readonly unknown[];
}

export interface Case {
  readonly name: string;
  readonly dialect: Dialect | undefined;
  readonly documents: readonly unknown[];
  readonly refused: readonly string[] | undefined;
  readonly assertions: readonly Assertion[];
  readonly connectivity: readonly Connectivity[] | undefined;
  readonly relation: Relation | undefined;
}

export function casesOf(suite: string): readonly Case[] {
  const root = join(CONFORMANCE, suite);
  return readdirSync(root)
    .filter((name) => existsSync(join(root, name, "expect.yaml")))
    .map((name) => caseOf(join(root, name, "expect.yaml"), name));
}

function caseOf(path: string, name: string): Case {
  const folder = dirname(path);
  const expect = fieldsOf(readDocuments(path)[0]);
  const written = textsOf(expect["manifests"]);
  const files =
    written.length > 0
      ? written
      : ["manifests.yaml", "policies.yaml", "workloads.yaml"].filter((file) => existsSync(join(folder, file)));
  const refusedFile = join(folder, "refused.yaml");
  return {
    name,
    dialect: dialectOf(textOf(expect["dialect"])),
    documents: files.flatMap((file) => readDocuments(join(folder, file))),
    refused: existsSync(refusedFile) ? textsOf(fieldsOf(readDocuments(refusedFile)[0])["refused"]) : undefined,
    assertions: itemsOf(expect["assertions"]).filter(isFields).map(assertionOf),
    connectivity: Array.isArray(expect["connectivity"])
      ? expect["connectivity"].filter(isFields).map((row) => ({
          from: textOf(row["from"]) ?? "",
          to: textOf(row["to"]) ?? "",
          connections: textOf(row["connections"]) ?? "",
        }))
      : undefined,
    relation: isFields(expect["relation"]) ? relationOf(expect["relation"], folder) : undefined,
  };
}

function relationOf(relation: Readonly<Record<string, unknown>>, folder: string): Relation {
  const common = readDocuments(join(folder, "manifests.yaml"));
  const withFile = (side: unknown) => {
    const file = textOf(fieldsOf(side)["file"]);
    return file === undefined ? common : [...common, ...readDocuments(join(folder, file))];
  };
  return {
    kind: textOf(relation["kind"]) ?? "",
    holds: relation["holds"] === true,
    a: withFile(relation["a"]),
    b: withFile(relation["b"]),
  };
}

/** `cilium` means the newest release; a dialect that the reference does not speak is undefined. */
function dialectOf(text: string | undefined): Dialect | undefined {
  switch (text) {
    case "cilium":
    case "cilium@1.19":
      return "cilium@1.19";
    case "kubernetes":
    case "cilium@1.17":
    case "cilium@1.18":
      return text;
    default:
      return undefined;
  }
}

function assertionOf(row: Readonly<Record<string, unknown>>): Assertion {
  const icmp = fieldsOf(row["icmp"]);
  const http = fieldsOf(row["http"]);
  const family = (value: unknown) => (value === "IPv4" || value === "IPv6" ? value : undefined);
  const protocol = protocolOf(textOf(row["protocol"]) ?? "TCP");
  const port = wholeOf(row["port"]);
  const type = wholeOf(icmp["type"]);
  const icmpFamily = family(icmp["family"]);
  const ipFamily = family(row["family"]);
  const host = textOf(http["host"]);
  const headers = Object.entries(fieldsOf(http["headers"])).map(([key, value]) => [key, String(value)]);
  const serverName = textOf(fieldsOf(row["tls"])["serverName"]);
  return {
    flow: {
      from: textOf(row["from"]) ?? "",
      to: textOf(row["to"]) ?? "",
      protocol,
      ...(port === undefined ? {} : { port }),
      ...(ipFamily === undefined ? {} : { family: ipFamily }),
      ...(isIcmp(protocol)
        ? {
            icmp: {
              ...(type === undefined ? {} : { type }),
              ...(icmpFamily === undefined ? {} : { family: icmpFamily }),
            },
          }
        : {}),
      ...(isFields(row["http"])
        ? {
            http: {
              method: textOf(http["method"]) ?? "GET",
              path: textOf(http["path"]) ?? "/",
              ...(host === undefined ? {} : { host }),
              headers: Object.fromEntries(headers),
            },
          }
        : {}),
      ...(serverName === undefined ? {} : { tls: { serverName } }),
    },
    verdict: textOf(row["verdict"]) ?? "",
    decidedBy: typeof row["decidedBy"] === "string" ? [row["decidedBy"]] : textsOf(row["decidedBy"]),
  };
}

/** Whether `[Kind/][ns/]name[#section[index]]`, or a reason, is among what decided the answer. */
export function isDecidedBy(answer: Answer, wanted: string): boolean {
  const sides: readonly SideAnswer[] = [answer.egress, answer.ingress].filter(
    (side) => answer.verdict !== "deny" || side.verdict === "deny",
  );
  if (["no-policy", "default-deny", "always-allowed"].includes(wanted))
    return sides.some((side) => side.reason === wanted);
  const [path, place] = wanted.split("#");
  return sides
    .flatMap((side) => side.deciders)
    .some((decider) => {
      const full = [decider.kind, decider.namespace, decider.name].filter((part) => part !== "").join("/");
      const names = [decider.name, `${decider.namespace}/${decider.name}`, full, `${decider.kind}/${decider.name}`];
      const places = [undefined, decider.section, `${decider.section}[${decider.index}]`];
      return names.includes(path ?? "") && places.includes(place);
    });
}
