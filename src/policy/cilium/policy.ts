/**
 * CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy: validated as the API server and the agent do, and compiled
 * (cilium.md 1.2 to 1.5, 4.3; `pkg/k8s/apis/cilium.io/v2/cnp_types.go`, `pkg/policy/api/rule.go`, `…/rule_validation.go`).
 */
import { Cursor, Findings } from "../../documents/cursor.ts";
import type { Document } from "../../documents/document.ts";
import { subdomainProblem } from "../../model/label-syntax.ts";
import type { World } from "../../model/world.ts";
import type { CompiledObject } from "../dialect.ts";
import type { Direction, Isolation, Policy, Rule, Section } from "../rule.ts";
import type { Selector } from "../selector.ts";
import { type Context, type EntryContext, refusals, type RuleContext } from "./context.ts";
import { decodeEntry } from "./entry.ts";
import { decodeSelector, isObject, scopeSubject, selectsInit } from "./selector.ts";
import { type Settings, since } from "./settings.ts";

export const CILIUM_API = "cilium.io/v2";
export const NAMESPACED = "CiliumNetworkPolicy";
export const CLUSTERWIDE = "CiliumClusterwideNetworkPolicy";

/** The tier of every policy: CNP, CCNP and NetworkPolicy form one set (10.2). */
export const TIER = "policy";

const SECTIONS: readonly { readonly section: Section; readonly direction: Direction; readonly deny: boolean }[] = [
  { section: "ingress", direction: "ingress", deny: false },
  { section: "ingressDeny", direction: "ingress", deny: true },
  { section: "egress", direction: "egress", deny: false },
  { section: "egressDeny", direction: "egress", deny: true },
];

const OLDER_FIELDS: readonly string[] = [
  "endpointSelector",
  "nodeSelector",
  ...SECTIONS.map(({ section }) => section),
  "enableDefaultDeny",
  "labels",
  "description",
];
const FIELDS: readonly string[] = [...OLDER_FIELDS, "log"];

/** How many entries of each section earlier rules of the object had; an index counts on through `specs`. */
type Counts = Record<Section, number>;

/**
 * Compiles one object. One invalid rule refuses all of it (R1.2.2); an unknown field is reported, and dropped as the API
 * server does.
 */
export function compilePolicy(document: Document, world: World, settings: Settings): CompiledObject {
  const findings = new Findings();
  const root = Cursor.of(document, findings);
  const clusterwide = document.kind === CLUSTERWIDE;
  const namespace = clusterwide ? undefined : (document.namespace ?? world.defaultNamespace);
  const context: Context = { settings, world, ...(namespace === undefined ? {} : { namespace }) };
  root.unknownFields(["apiVersion", "kind", "metadata", "spec", "specs", "status"]);
  const problem = subdomainProblem(document.name);
  if (problem !== undefined)
    root.field("metadata").field("name").error("BH206", `${root.describe()}: the name ${problem}`);

  const rules: Cursor[] = [];
  if (root.field("spec").object() !== undefined) rules.push(root.field("spec"));
  for (const item of root.field("specs").list() ?? []) if (isObject(item)) rules.push(item);
  if (rules.length === 0 && refusals(findings) === 0)
    root.error("BH215", `${root.describe()} has neither spec nor specs: it holds no rule`);

  const counts: Counts = { ingress: 0, egress: 0, ingressDeny: 0, egressDeny: 0 };
  const policies = rules.flatMap((rule) => decodeRule(rule, context, counts) ?? []);
  const refused = refusals(findings) > 0;
  return { policies: refused ? [] : policies, diagnostics: findings.all, refused };
}

/** One rule: `spec` or an item of `specs`. */
function decodeRule(rule: Cursor, context: Context, counts: Counts): Policy | undefined {
  const { settings, namespace } = context;
  const { document } = rule;
  rule.unknownFields(since(settings.release, "1.18") ? FIELDS : OLDER_FIELDS);
  checkNotes(rule);
  const subject = decodeSubject(rule, context);
  const ruleContext: RuleContext = {
    ...context,
    target: subject.target,
    selectsInit: selectsInit(subject.selector),
  };

  const rules: Rule[] = [];
  const requires: Partial<Record<Section, readonly Selector[]>> = {};
  const lengths: Record<Direction, number> = { ingress: 0, egress: 0 };
  for (const { section, direction, deny } of SECTIONS) {
    const entries = rule.field(section).list() ?? [];
    lengths[direction] += entries.length;
    const sectionContext: Omit<EntryContext, "ported"> = { ...ruleContext, section, direction, deny };
    const required: Selector[] = [];
    entries.forEach((entry, index) => {
      const decoded = decodeEntry(entry, sectionContext, {
        kind: document.kind,
        ...(namespace === undefined ? {} : { namespace }),
        name: document.name,
        section,
        index: counts[section] + index,
        document,
        path: entry.path,
      });
      if (decoded === undefined) return;
      rules.push(decoded.rule);
      required.push(...decoded.requires);
    });
    if (required.length > 0) requires[section] = required;
    counts[section] += entries.length;
  }
  if (lengths.ingress + lengths.egress === 0)
    rule.error(
      "BH211",
      `${rule.describe()} must have at least one entry in ingress, ingressDeny, egress or egressDeny`,
    );

  return {
    kind: document.kind,
    ...(namespace === undefined ? {} : { namespace }),
    name: document.name,
    document,
    path: rule.path,
    tier: TIER,
    order: 0,
    subject,
    isolation: decodeIsolation(rule.field("enableDefaultDeny"), lengths, settings),
    rules,
    ...(Object.keys(requires).length === 0 ? {} : { requires }),
  };
}

/** Exactly one of the two selectors (V1); nodes only for clusterwide policies (R1.2.3). */
function decodeSubject(rule: Cursor, context: Context): Policy["subject"] {
  const endpoints = rule.field("endpointSelector");
  const nodes = rule.field("nodeSelector");
  if (endpoints.isAbsent && nodes.isAbsent)
    rule.error("BH210", `${rule.describe()} must have one of endpointSelector and nodeSelector`);
  if (!endpoints.isAbsent && !nodes.isAbsent)
    nodes.error("BH210", `${rule.describe()} cannot have both endpointSelector and nodeSelector`, { atKey: true });
  if (!nodes.isAbsent && context.namespace !== undefined)
    nodes.error("BH216", `${rule.describe()}: the rule of a namespaced policy cannot have a nodeSelector`, {
      atKey: true,
    });
  const nodeTerms = decodeSelector(nodes)?.terms;
  const written = decodeSelector(endpoints);
  if (written !== undefined)
    return { target: "endpoint", selector: scopeSubject(endpoints, written, context.namespace) };
  return { target: nodeTerms === undefined ? "endpoint" : "node", selector: nodeTerms ?? [] };
}

/**
 * How the rule treats a direction (R4.3.3 to R4.3.6): a direction without entries is untouched whatever
 * `enableDefaultDeny` says; only `false` leaves one open.
 */
function decodeIsolation(
  at: Cursor,
  lengths: Readonly<Record<Direction, number>>,
  settings: Settings,
): Policy["isolation"] {
  if (at.object() !== undefined) at.unknownFields(["ingress", "egress"]);
  const isolation = (direction: Direction): Isolation => {
    const flag = at.field(direction).boolean() ?? true;
    if (lengths[direction] === 0) return "untouched";
    return flag || !settings.nonDefaultDeny ? "closed" : "open";
  };
  return { ingress: isolation("ingress"), egress: isolation("egress") };
}

/** Fields without effect on verdicts: only their types count. */
function checkNotes(rule: Cursor): void {
  rule.field("description").string();
  const log = rule.field("log");
  if (log.object() !== undefined) {
    log.unknownFields(["value"]);
    log.field("value").string();
  }
  for (const label of rule.field("labels").list() ?? []) {
    if (!isObject(label)) continue;
    label.unknownFields(["key", "value", "source"]);
    const key = label.required("key").string();
    if (key === "") label.field("key").error("BH240", `${label.describe()}: label key must not be empty`);
    label.field("value").string();
    label.field("source").string();
  }
}
