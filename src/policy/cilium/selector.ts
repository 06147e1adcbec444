/**
 * Label selectors of Cilium policies, and the terms that Cilium adds to them (cilium.md 2.1 to 2.3;
 * `pkg/policy/api/selector.go`, `pkg/k8s/apis/cilium.io/utils/utils.go`).
 */
import type { Cursor } from "../../documents/cursor.ts";
import { labelKeyProblem, labelValueProblem } from "../../model/label-syntax.ts";
import type { Requirement, Selector } from "../selector.ts";
import type { Context, RuleContext } from "./context.ts";
import { CLUSTER, equals, exists, NAMESPACE_LABELS, parseKey, POD_NAMESPACE, type SourcedKey } from "./keys.ts";
import { type Settings, since } from "./settings.ts";

const OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist"] as const;

/** A selector as written, with what scoping asks of it. */
export interface WrittenSelector {
  readonly terms: Selector;
  /** Terms that come from `matchLabels`; they precede the others in `terms`. */
  readonly fromLabels: number;
}

/** Keys with a source (a policy of Cilium) or plain ones (labels of Services and CIDR groups). */
type KeyReader = (text: string) => SourcedKey;

const plainKey: KeyReader = (text) => ({ source: "any", key: parseKey(text).key });

/**
 * Decodes `{matchLabels, matchExpressions}` (R2.1.2 to R2.1.4).
 *
 * Takes the cursor and how keys are read. Returns the selector; `undefined` when absent or no object. Reports what the
 * API server or the agent refuses (V5) as BH203, BH205, BH240 or BH248.
 */
export function decodeSelector(cursor: Cursor, readKey: KeyReader = parseKey): WrittenSelector | undefined {
  if (cursor.object() === undefined) return undefined;
  cursor.unknownFields(["matchLabels", "matchExpressions"]);
  const terms: Requirement[] = [];
  for (const [text, at] of cursor.field("matchLabels").entries() ?? []) {
    const value = at.string();
    if (value === undefined) continue;
    const key = checkedKey(at, text, readKey, true);
    checkValue(at, value);
    terms.push({ ...key, operator: "In", values: [value] });
  }
  const fromLabels = terms.length;
  for (const item of cursor.field("matchExpressions").list() ?? []) {
    if (!isObject(item)) continue;
    item.unknownFields(["key", "operator", "values"]);
    const keyAt = item.required("key");
    const text = keyAt.string();
    const operator = item.required("operator").enumeration(OPERATORS);
    const values = item.field("values").strings() ?? [];
    if (text === undefined || operator === undefined) continue;
    const key = checkedKey(keyAt, text, readKey, false);
    const takesValues = operator === "In" || operator === "NotIn";
    if (takesValues && values.length === 0)
      item.error("BH248", `${item.describe()}: values must be specified when the operator is In or NotIn`);
    if (!takesValues && values.length > 0)
      item
        .field("values")
        .error("BH248", `${item.describe()}: values may not be specified when the operator is ${operator}`);
    for (const at of item.field("values").list() ?? []) {
      const value = at.string();
      if (value !== undefined) checkValue(at, value);
    }
    terms.push({ ...key, operator, values: takesValues ? values : [] });
  }
  return { terms, fromLabels };
}

/** A selector over plain labels, where a source is ignored (Services R8.3, CIDR groups). */
export function decodePlainSelector(cursor: Cursor): Selector | undefined {
  return decodeSelector(cursor, plainKey)?.terms;
}

/** Whether an item of a list is an object; null there is refused, as every other value (the schema has no nullable items). */
export function isObject(item: Cursor): boolean {
  if (item.isAbsent) {
    item.error("BH203", `${item.describe()} must be an object, not null`, { help: null });
    return false;
  }
  return item.object() !== undefined;
}

function checkedKey(at: Cursor, text: string, readKey: KeyReader, atKey: boolean): SourcedKey {
  const key = readKey(text);
  const problem = labelKeyProblem(key.key);
  if (problem !== undefined) at.error("BH240", `label key ${JSON.stringify(text)} ${problem}`, { atKey });
  return key;
}

function checkValue(at: Cursor, value: string): void {
  const problem = labelValueProblem(value);
  if (problem !== undefined) at.error("BH240", `label value ${JSON.stringify(value)} ${problem}`);
}

/** Whether a term names the key under one of the sources, whatever its operator (`HasKey`). */
function hasKey(selector: Selector, sources: readonly string[], key: string): boolean {
  return selector.some((term) => sources.includes(term.source) && term.key === key);
}

function hasKeyPrefix(selector: Selector, sources: readonly string[], prefix: string): boolean {
  return selector.some((term) => sources.includes(term.source) && term.key.startsWith(prefix));
}

/** Sources under which Kubernetes labels may be named. */
const POD_SOURCES = ["k8s", "any"];

/** Whether the subject selects `reserved:init` (`matchesPodInit`). */
export function selectsInit(selector: Selector): boolean {
  return hasKey(selector, ["reserved"], "init");
}

/**
 * The subject of a rule: the namespace of the policy is added, and overwrites a value that `matchLabels` gives under
 * exactly `k8s:io.kubernetes.pod.namespace` (R2.3.1, R2.3.4; EX-61). A clusterwide policy gets nothing added (R2.3.5).
 */
export function scopeSubject(cursor: Cursor, { terms, fromLabels }: WrittenSelector, namespace?: string): Selector {
  if (namespace === undefined) return terms;
  const isNamespace = (term: Requirement, index: number): boolean =>
    index < fromLabels && term.source === "k8s" && term.key === POD_NAMESPACE;
  const foreign = terms.find((term, index) => isNamespace(term, index) && term.values[0] !== namespace);
  if (foreign !== undefined)
    cursor.warning(
      "BH120",
      `${cursor.describe()} names namespace ${foreign.values[0] ?? ""}; the policy applies in its own namespace, ${namespace}`,
    );
  return [...terms.filter((term, index) => !isNamespace(term, index)), equals("k8s", POD_NAMESPACE, namespace)];
}

/** Adds the local cluster unless the selector names one (R2.3.2e; `addClusterFilterByDefault`). */
function scopeCluster(selector: Selector, settings: Settings): Selector {
  if (!settings.localClusterOnly || hasKey(selector, POD_SOURCES, CLUSTER)) return selector;
  return [...selector, equals("k8s", CLUSTER, settings.clusterName)];
}

/** Steps b to e of R2.3.2, which requirements (R4.7.1) get too. */
function scopeToNamespace(selector: Selector, context: RuleContext): Selector {
  let scoped = selector;
  if (!hasKey(selector, POD_SOURCES, POD_NAMESPACE)) {
    if (context.namespace === undefined) {
      if (!context.selectsInit) scoped = [...selector, exists("k8s", POD_NAMESPACE)];
    } else if (!since(context.settings.release, "1.18") || !hasKeyPrefix(selector, POD_SOURCES, NAMESPACE_LABELS)) {
      scoped = [...selector, equals("k8s", POD_NAMESPACE, context.namespace)];
    }
  }
  return scopeCluster(scoped, context.settings);
}

/** A peer of `fromEndpoints` or `toEndpoints` (R2.3.2, `getEndpointSelector`). */
export function scopePeer(selector: Selector, context: RuleContext): Selector {
  if (selector.some((term) => term.source === "reserved")) return selector;
  return scopeToNamespace(selector, context);
}

/** A requirement of `fromRequires` or `toRequires`: as a peer, but a reserved key does not free it. */
export function scopeRequirement(selector: Selector, context: RuleContext): Selector {
  return scopeToNamespace(selector, context);
}

/** A peer of `fromNodes` or `toNodes`: never the local node (R2.3.3). */
export function scopeNode(selector: Selector, context: Context): Selector {
  return scopeCluster([...selector, exists("reserved", "remote-node")], context.settings);
}

/** The pods behind a Service with a selector, as `toServices` names them (R8.3, `pkg/policy/k8s/service.go`). */
export function servicePeer(namespace: string, labels: ReadonlyMap<string, string>, settings: Settings): Selector {
  const terms = [...labels].map(([key, value]) => equals("k8s", key, value));
  return scopeCluster([...terms, equals("k8s", POD_NAMESPACE, namespace)], settings);
}

/** Adds the local cluster to a peer of a NetworkPolicy (K3 with R2.3.2e). */
export function scopeKubernetesPeer(selector: Selector, settings: Settings): Selector {
  return scopeCluster(selector, settings);
}
