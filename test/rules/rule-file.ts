/**
 * Files of rule cases: tables of sentences about small worlds, which engine and reference must both confirm.
 *
 * A file holds `under` (the dialects of its cases), `world` (a file of manifests in `worlds/`) and `cases`. A case bears the numbers of its
 * rules in brackets at the start of its title, and holds
 *
 * - `policies`: objects by `kind ns/name`, each with its spec; `np`, `cnp` and `ccnp` are short for the three usual kinds;
 * - `objects`: whole manifests; `without`: pods and other objects of the world to leave out, as `ns/name`;
 * - `config`: data of `kube-system/cilium-config`; `ranges` and `names`: what a user declares of addresses;
 * - `rows`: questions with their verdicts, as in `a/x > a/p 80: deny by a/rule` (see row.ts);
 * - `accepts` and `refuses`: specs by kind, each of which is an object of its own;
 * - `refused`: which of `policies` and `objects` are refused, exactly;
 * - `says`: codes of the engine's diagnostics; `silent`: codes that must not be there;
 * - `waits`: why the engine cannot answer yet; the case then speaks of the reference alone.
 */
import { readdirSync, readFileSync } from "node:fs";
import { parse, parseAllDocuments } from "yaml";
import { type Dialect } from "../../reference/index.ts";
import { type Fields, fieldsOf, isFields, itemsOf, labelsOf, textOf, textsOf } from "../../reference/values.ts";

export interface RuleCase {
  readonly title: string;
  readonly dialects: readonly Dialect[];
  readonly documents: readonly Fields[];
  readonly ranges: {
    readonly pods: readonly string[];
    readonly nodes: readonly string[];
    readonly services: readonly string[];
  };
  readonly names: Readonly<Record<string, readonly string[]>> | undefined;
  /** Sentence → what is to be. */
  readonly rows: readonly (readonly [sentence: string, outcome: string])[];
  /** `Kind/ns/name`, sorted. */
  readonly refused: readonly string[];
  readonly says: readonly string[];
  readonly silent: readonly string[];
  readonly waits: string | undefined;
}

const HERE = new URL("./", import.meta.url).pathname;

const CASE_KEYS = [
  "title",
  "under",
  "policies",
  "objects",
  "without",
  "config",
  "ranges",
  "names",
  "rows",
  "accepts",
  "refuses",
  "refused",
  "says",
  "silent",
  "waits",
];

/** Every file of cases with its cases. */
export function ruleFiles(): readonly (readonly [name: string, cases: readonly RuleCase[]])[] {
  return readdirSync(HERE)
    .filter((name) => name.endsWith(".yaml"))
    .sort()
    .map((name) => [name.replace(/\.yaml$/, ""), casesOf(name)]);
}

function casesOf(name: string): readonly RuleCase[] {
  const file = fieldsOf(parse(readFileSync(`${HERE}${name}`, "utf8"), { merge: true, maxAliasCount: -1 }));
  const world = documentsOf(readFileSync(`${HERE}worlds/${textOf(file["world"])}.yaml`, "utf8"));
  return itemsOf(file["cases"]).map((item) => caseOf(fieldsOf(item), file, world, name));
}

function documentsOf(text: string): readonly Fields[] {
  return [...parseAllDocuments(text)].map((document) => fieldsOf(document.toJS()));
}

function caseOf(item: Fields, file: Fields, world: readonly Fields[], name: string): RuleCase {
  const title = textOf(item["title"]) ?? "";
  const unknown = Object.keys(item).filter((key) => !CASE_KEYS.includes(key));
  if (unknown.length > 0) throw new Error(`${name}: ${title} has ${unknown.join(", ")}`);
  if (!/^\[[A-Z]/.test(title)) throw new Error(`${name}: ${title || "a case"} bears no rule`);
  const left = textsOf(item["without"]);
  const written = [...policyDocuments(item["policies"]), ...itemsOf(item["objects"]).map(fieldsOf)];
  const accepted = specDocuments(item["accepts"], "good");
  const refused = specDocuments(item["refuses"], "bad");
  const config = labelsOf(item["config"]);
  const ranges = fieldsOf(item["ranges"]);
  return {
    title,
    dialects: dialectsOf(textOf(item["under"]) ?? textOf(file["under"]) ?? ""),
    documents: [
      ...world.filter((document) => !left.includes(shortName(document))),
      ...(config.size > 0 ? [configMap(Object.fromEntries(config))] : []),
      ...written,
      ...accepted,
      ...refused,
    ],
    ranges: { pods: textsOf(ranges["pods"]), nodes: textsOf(ranges["nodes"]), services: textsOf(ranges["services"]) },
    names: isFields(item["names"])
      ? Object.fromEntries(Object.entries(item["names"]).map(([key, addresses]) => [key, textsOf(addresses)]))
      : undefined,
    rows: Object.entries(fieldsOf(item["rows"])).map(([sentence, outcome]) => [sentence, String(outcome)]),
    refused: [...textsOf(item["refused"]), ...refused.map(fullName)].sort(),
    says: textsOf(item["says"]),
    silent: textsOf(item["silent"]),
    waits: textOf(item["waits"]),
  };
}

const RELEASES = ["1.17", "1.18", "1.19"] as const;

/** `kubernetes`, `cilium` (each release), `cilium@1.18+`, `cilium@1.17-1.18`, or several of these with a comma between. */
function dialectsOf(text: string): readonly Dialect[] {
  return text.split(/,\s*/).flatMap((word): readonly Dialect[] => {
    if (word === "kubernetes") return [word];
    const [, first = "1.17", more, last] = /^cilium(?:@(\d\.\d+)(\+)?(?:-(\d\.\d+))?)?$/.exec(word) ?? [word, "none"];
    const end = word === "cilium" || more !== undefined ? "1.19" : (last ?? first);
    const releases = RELEASES.filter((release) => release >= first && release <= end);
    if (releases.length === 0) throw new Error(`no dialect ${word}`);
    return releases.map((release): Dialect => `cilium@${release}`);
  });
}

const KINDS: ReadonlyMap<string, readonly [apiVersion: string, kind: string, namespace: string]> = new Map([
  ["np", ["networking.k8s.io/v1", "NetworkPolicy", "shop"]],
  ["cnp", ["cilium.io/v2", "CiliumNetworkPolicy", "a"]],
  ["ccnp", ["cilium.io/v2", "CiliumClusterwideNetworkPolicy", ""]],
  ["group", ["cilium.io/v2", "CiliumCIDRGroup", ""]],
  ["service", ["v1", "Service", "a"]],
  ["ingress", ["networking.k8s.io/v1", "Ingress", "shop"]],
  ["admin", ["policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", ""]],
  ["anp", ["policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", ""]],
  ["banp", ["policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy", ""]],
]);

function policyDocuments(value: unknown): readonly Fields[] {
  return Object.entries(fieldsOf(value)).map(([key, spec]) => {
    const [kind = "", path = ""] = key.split(" ");
    const at = path.indexOf("/");
    return document(kind, at < 0 ? "" : path.slice(0, at), path.slice(at + 1), spec);
  });
}

/** Specs by kind: objects called `good-1`, `bad-1` and so on. */
function specDocuments(value: unknown, name: string): readonly Fields[] {
  return Object.entries(fieldsOf(value)).flatMap(([kind, specs]) =>
    itemsOf(specs).map((spec, index) => document(kind, KINDS.get(kind)?.[2] ?? "", `${name}-${index + 1}`, spec)),
  );
}

function document(short: string, namespace: string, name: string, spec: unknown): Fields {
  const known = KINDS.get(short);
  if (known === undefined) throw new Error(`no kind is called ${short}`);
  const [apiVersion, kind] = known;
  return { apiVersion, kind, metadata: { name, ...(namespace === "" ? {} : { namespace }) }, spec };
}

function configMap(data: Readonly<Record<string, string>>): Fields {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "cilium-config", namespace: "kube-system" }, data };
}

function shortName(document: Fields): string {
  const metadata = fieldsOf(document["metadata"]);
  return [textOf(metadata["namespace"]), textOf(metadata["name"])].filter((part) => part !== undefined).join("/");
}

function fullName(document: Fields): string {
  return `${String(document["kind"])}/${shortName(document)}`;
}
