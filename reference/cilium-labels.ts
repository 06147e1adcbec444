import { RE2JS } from "re2js";

/** Which labels become part of an identity: prefix patterns over keys, longest include against shortest ignore (3.1). */

const DEFAULT_INCLUDE = [
  "io\\.kubernetes\\.pod\\.namespace",
  "io\\.cilium\\.k8s\\.namespace\\.labels",
  "app\\.kubernetes\\.io",
  "io\\.cilium\\.k8s\\.policy\\.cluster",
];

const DEFAULT_IGNORE = [
  "io\\.kubernetes",
  "kubernetes\\.io",
  ".*beta\\.kubernetes\\.io",
  "k8s\\.io",
  "pod-template-generation",
  "pod-template-hash",
  "controller-revision-hash",
  "annotation.*",
  "etcd_node",
  "statefulset\\.kubernetes\\.io/pod-name",
  "apps\\.kubernetes\\.io/pod-index",
  "batch\\.kubernetes\\.io/job-completion-index",
  "batch\\.kubernetes\\.io/controller-uid",
  "controller-uid",
];

interface UserPattern {
  readonly source: string;
  readonly pattern: string;
  readonly ignore: boolean;
}

/** `[source:][!]pattern`, as in the option `labels`. */
function userPatterns(texts: readonly string[]): readonly UserPattern[] {
  return texts.map((text) => {
    const colon = text.indexOf(":");
    const pattern = text.slice(colon + 1);
    return {
      source: colon < 0 ? "" : text.slice(0, colon),
      pattern: pattern.startsWith("!") ? pattern.slice(1) : pattern,
      ignore: pattern.startsWith("!"),
    };
  });
}

/** Whether a label of source `k8s` with this key is kept (R3.1.1 … R3.1.4). */
export function isIdentityLabel(key: string, labelPatterns: readonly string[]): boolean {
  const own = userPatterns(labelPatterns).filter((item) => ["", "any", "k8s"].includes(item.source));
  const userIncludes = own.filter((item) => !item.ignore).map((item) => item.pattern);
  const include = [...userIncludes, ...DEFAULT_INCLUDE];
  const ignore = [...own.filter((item) => item.ignore).map((item) => item.pattern), ...DEFAULT_IGNORE];
  const included = Math.max(0, ...include.map((pattern) => lengthAtStart(pattern, key)));
  const ignoring = ignore.map((pattern) => lengthAtStart(pattern, key)).filter((length) => length > 0);
  const ignored = ignoring.length === 0 ? 0 : Math.min(...ignoring);
  const hasUserInclude = userPatterns(labelPatterns).some((item) => !item.ignore);
  return hasUserInclude ? included > ignored : ignored === 0 || included > ignored;
}

/** How many characters a pattern matches from the start of the key; 0 when it does not, or is no expression. */
function lengthAtStart(pattern: string, key: string): number {
  const match = compiled(pattern)?.matcher(key);
  return match?.find() === true ? match.end() : 0;
}

const expressions = new Map<string, RE2JS | undefined>();

/** Compiling is the cost of a filter; the patterns are few. */
function compiled(pattern: string): RE2JS | undefined {
  if (!expressions.has(pattern)) expressions.set(pattern, expressionOf(pattern));
  return expressions.get(pattern);
}

function expressionOf(pattern: string): RE2JS | undefined {
  try {
    return RE2JS.compile(`^(?:${pattern})`);
  } catch {
    return undefined;
  }
}
