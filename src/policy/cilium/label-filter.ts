/** Which labels become part of an identity (cilium.md 3.1; `pkg/labelsfilter/filter.go`). */
import { RE2JS } from "re2js";

/** Keeps or drops a label by source and key. */
export interface LabelFilter {
  keeps(source: string, key: string): boolean;
  /** The patterns that Go's regexp refuses; the agent does not start with one. */
  readonly broken: readonly string[];
}

interface Prefix {
  readonly ignore: boolean;
  /** Absent: every source. */
  readonly source?: string;
  readonly expression: RE2JS;
}

/** The default list; `!` ignores. */
const DEFAULTS = [
  "reserved:.*",
  "io\\.kubernetes\\.pod\\.namespace",
  "io\\.cilium\\.k8s\\.namespace\\.labels",
  "app\\.kubernetes\\.io",
  "io\\.cilium\\.k8s\\.policy\\.cluster",
  "!io\\.kubernetes",
  "!kubernetes\\.io",
  "!statefulset\\.kubernetes\\.io/pod-name",
  "!apps\\.kubernetes\\.io/pod-index",
  "!batch\\.kubernetes\\.io/job-completion-index",
  "!batch\\.kubernetes\\.io/controller-uid",
  "!.*beta\\.kubernetes\\.io",
  "!k8s\\.io",
  "!pod-template-generation",
  "!pod-template-hash",
  "!controller-revision-hash",
  "!controller-uid",
  "!annotation.*",
  "!etcd_node",
];

/** `[SOURCE:][!]PATTERN`; undefined where the pattern is none (`parseLabelPrefix`). */
function parsePrefix(text: string): Prefix | undefined {
  const colon = text.indexOf(":");
  const source = colon > 0 ? text.slice(0, colon) : undefined;
  const rest = text.slice(colon + 1);
  const ignore = rest.startsWith("!");
  const pattern = ignore ? rest.slice(1) : rest;
  try {
    return { ignore, ...(source === undefined ? {} : { source }), expression: RE2JS.compile(pattern) };
  } catch {
    return undefined;
  }
}

/** How long the match at the start of the key is; 0 where there is none (R3.1.1). */
function matchLength({ source, expression }: Prefix, labelSource: string, key: string): number {
  if (source !== undefined && source !== labelSource) return 0;
  const matcher = expression.matcher(key);
  return matcher.find() && matcher.start() === 0 ? matcher.end() : 0;
}

/**
 * Builds the filter of pod labels, or of node labels.
 *
 * Takes the user's patterns (the settings `labels` and `node-labels`) and whether the default list comes first: it does
 * for pods, and node labels have none. With a user's include pattern only included labels remain (R3.1.4).
 */
export function labelFilter(user: readonly string[], withDefaults: boolean): LabelFilter {
  const prefixes: Prefix[] = [];
  const broken: string[] = [];
  let whitelist = false;
  const add = (text: string, own: boolean): void => {
    const prefix = parsePrefix(text);
    if (prefix === undefined) broken.push(text);
    else {
      prefixes.push(prefix);
      if (own && !prefix.ignore) whitelist = true;
    }
  };
  if (withDefaults) for (const text of DEFAULTS) add(text, false);
  for (const text of user) add(text, true);
  const decide = (source: string, key: string): boolean => {
    let included = 0;
    let ignored = 0;
    for (const prefix of prefixes) {
      const length = matchLength(prefix, source, key);
      if (length === 0) continue;
      if (!prefix.ignore) included = Math.max(included, length);
      else if (ignored === 0 || length < ignored) ignored = length;
    }
    return (!whitelist && ignored === 0) || included > ignored;
  };
  const known = new Map<string, boolean>();
  return {
    broken,
    keeps(source: string, key: string): boolean {
      const id = `${source}:${key}`;
      let keep = known.get(id);
      if (keep === undefined) {
        keep = decide(source, key);
        known.set(id, keep);
      }
      return keep;
    },
  };
}
