/** What the Ingress objects of one controller forward: rules by host and path, the longest path first (kubernetes.md ING-03, ING-04). */
import type { Because } from "../base/because.ts";
import { Cursor, Findings } from "../documents/cursor.ts";
import type { Path } from "../documents/document.ts";
import { annotation } from "../model/metadata.ts";
import type { Ingress, IngressPath, ServiceBackend, World } from "../model/world.ts";
import { applicationSubtract, NOTHING } from "../net/application.ts";
import { wordsPattern } from "../net/path-language.ts";
import {
  anyOf,
  exactPath,
  type Forward,
  type ForwardTarget,
  hostPattern,
  prefixPath,
  regexPath,
  serviceOf,
  targetOf,
} from "./forward.ts";
import {
  EVERY_REQUEST,
  NO_REQUEST,
  onlyPossible,
  type Requests,
  requestsBetween,
  requestsIntersect,
  requestsOf,
  requestsSubtract,
  requestsUnion,
} from "./requests.ts";

/**
 * How a controller reads the path type `ImplementationSpecific`: as a prefix, as a regular expression over the whole path,
 * or in a way that is not known.
 */
export type SpecificPaths = "prefix" | "regex" | "unknown";

/** More hosts than this are not set against each other: what would be certain is then only possible. */
const MANY_HOSTS = 2000;
const MANY_RULES = 100;
/** Hosts of one pattern. */
const CHUNK = 150;

/**
 * The forwards of the Ingress objects that one controller serves.
 *
 * Takes the world, the objects and how the controller reads paths of its own type. Returns one forward for each path,
 * each host without paths, and each default backend, with exactly the requests that reach it. The most specific host
 * comes first, then the longest path, then `Exact` before `Prefix`. Whether a request for a host of its own that none of
 * its paths takes falls through to a wildcard, or to rules without host, is told nowhere: it is possible, not certain.
 */
export function ingressForwards(
  world: World,
  ingresses: readonly Ingress[],
  specific: SpecificPaths,
): readonly Forward[] {
  return new IngressTable(world, ingresses, specific).all();
}

/** The same, computed host by host as it is asked for. */
export class IngressTable {
  private readonly world: World;
  private readonly hosts: Hosts;
  private readonly having: readonly Ingress[];
  private readonly tls: TlsHosts;
  /** Hosts of which some rule names a Service, by `ns/name`. */
  private readonly hostsByService = new Map<string, Set<string>>();
  private readonly byHost = new Map<string, HostForwards>();
  private byDefault: readonly Forward[] | undefined;

  constructor(world: World, ingresses: readonly Ingress[], specific: SpecificPaths) {
    this.world = world;
    this.hosts = new Hosts(groupByHost(ingresses, specific));
    this.having = ingresses.filter((ingress) => ingress.defaultBackend !== undefined);
    this.tls = tlsHostsOf(ingresses);
    for (const [host, rules] of this.hosts.groups) {
      for (const { ingress, backend } of rules) {
        if (backend === undefined || backend === "none") continue;
        const name = `${ingress.namespace}/${backend.service}`;
        const known = this.hostsByService.get(name);
        if (known === undefined) this.hostsByService.set(name, new Set([host]));
        else known.add(host);
      }
    }
  }

  all(): readonly Forward[] {
    const hosts = [...this.hosts.groups.keys()];
    return [...hosts.flatMap((host) => this.ofHost(host).forwards), ...this.defaults()];
  }

  /** The forwards whose backend is a Service, `ns/name`. */
  naming(service: string): readonly Forward[] {
    const hosts = [...(this.hostsByService.get(service) ?? [])];
    const byDefault = this.having.some((i) => `${i.namespace}/${i.defaultBackend?.service}` === service);
    const found = [...hosts.flatMap((host) => this.ofHost(host).forwards), ...(byDefault ? this.defaults() : [])];
    return found.filter(({ target }) => serviceOf(target) === service);
  }

  private ofHost(host: string): HostForwards {
    let known = this.byHost.get(host);
    if (known === undefined) {
      const { drafts, left } = draftsOfHost(this.hosts, host, this.hosts.groups.get(host) ?? []);
      known = { forwards: drafts.flatMap((draft) => bySecurity(this.world, draft, this.tls)), left };
      this.byHost.set(host, known);
    }
    return known;
  }

  /** ING-03: what no rule takes. */
  private defaults(): readonly Forward[] {
    this.byDefault ??= this.findDefaults();
    return this.byDefault;
  }

  private findDefaults(): readonly Forward[] {
    if (this.having.length === 0) return [];
    let certain = NO_REQUEST;
    let possible = NO_REQUEST;
    for (const host of this.hosts.groups.keys()) {
      // What no path of the host takes is the default backend's, unless a less specific host has a rule for it.
      const { left } = this.ofHost(host);
      if (left.may === NOTHING) continue;
      const taken = this.hosts.taken(this.hosts.below(host));
      const own = without(left, this.hosts.above(host));
      certain = requestsUnion(certain, taken === undefined ? NO_REQUEST : requestsSubtract(own, taken));
      possible = requestsUnion(possible, left);
    }
    const elsewhere = this.hosts.groups.has("*") ? NO_REQUEST : without(EVERY_REQUEST, [...this.hosts.groups.keys()]);
    const unmatched = requestsBetween(requestsUnion(elsewhere, certain), requestsUnion(elsewhere, possible), [
      { code: "undefined-by-specification", detail: "which rules of a less specific host take the rest of a host" },
    ]);
    return defaults(this.having, unmatched).flatMap((draft) => bySecurity(this.world, draft, this.tls));
  }
}

interface HostForwards {
  readonly forwards: readonly Forward[];
  /** What of the host no path takes. */
  readonly left: Requests;
}

/** The rules of one host, and what of it they leave. */
function draftsOfHost(
  hosts: Hosts,
  host: string,
  rules: readonly Rule[],
): { readonly drafts: readonly Draft[]; readonly left: Requests } {
  const above = hosts.above(host);
  const higher = hosts.taken(above) ?? NO_REQUEST;
  const drafts: Draft[] = [];
  let left = requestsOf(anyOf([{ host: hostPattern(host, "one") }]));
  for (const group of byPrecedence(rules)) {
    let taken = NO_REQUEST;
    for (const { rule, among } of group) {
      const matched = requestsIntersect(left, rule.requests());
      const own = among ? onlyPossible(matched, [ambiguous(rule)]) : matched;
      const requests =
        above.length === 0
          ? own
          : requestsBetween(without(own, above), requestsSubtract(own, higher), [fallsThrough(host, above)]);
      drafts.push({ rule, requests });
      taken = requestsUnion(taken, rule.requests());
    }
    left = requestsSubtract(left, taken);
  }
  return { drafts, left };
}

// ── rules ──────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Rule {
  readonly ingress: Ingress;
  readonly at: Path;
  readonly host: string;
  readonly match: string;
  readonly length: number;
  readonly type: IngressPath["type"];
  /** The requests that its path takes, whatever other rules do. */
  readonly requests: () => Requests;
  /** `undefined`: a resource; `"none"`: the default backend of an Ingress that has none. */
  readonly backend: ServiceBackend | "none" | undefined;
}

interface Draft {
  readonly rule: Rule;
  readonly requests: Requests;
}

function groupByHost(ingresses: readonly Ingress[], specific: SpecificPaths): ReadonlyMap<string, readonly Rule[]> {
  const groups = new Map<string, Rule[]>();
  const add = (rule: Rule): void => {
    const list = groups.get(rule.host);
    if (list === undefined) groups.set(rule.host, [rule]);
    else list.push(rule);
  };
  for (const ingress of ingresses) {
    for (const [i, { host: written, paths }] of ingress.rules.entries()) {
      const host = written?.toLowerCase() ?? "*";
      if (paths.length === 0) {
        // ING-03: a host without paths sends everything to the default backend.
        add({
          ingress,
          at: ["spec", "rules", i],
          host,
          match: "every path",
          length: 0,
          type: "Prefix",
          requests: once(() => requestsOf(anyOf([{ host: hostPattern(host, "one") }]))),
          backend: ingress.defaultBackend ?? "none",
        });
      }
      for (const [j, path] of paths.entries()) {
        add({
          ingress,
          at: ["spec", "rules", i, "http", "paths", j],
          host,
          match: `path ${path.path === "" ? "/" : path.path} (${path.type})`,
          length: path.path.length,
          type: path.type,
          requests: once(() => pathRequests(hostPattern(host, "one"), path, specificOf(ingress, specific))),
          backend: path.backend,
        });
      }
    }
  }
  return groups;
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Annotations of ingress-nginx that turn its prefixes into expressions. */
const EXPRESSIONS = ["nginx.ingress.kubernetes.io/use-regex", "nginx.ingress.kubernetes.io/rewrite-target"] as const;

function specificOf(ingress: Ingress, specific: SpecificPaths): SpecificPaths {
  return specific === "prefix" && EXPRESSIONS.some((key) => hasAnnotation(ingress, key)) ? "unknown" : specific;
}

function hasAnnotation({ document }: Ingress, key: string): boolean {
  return document !== undefined && annotation(Cursor.of(document, new Findings()), key) !== undefined;
}

/** The requests that a path takes (ING-04). */
function pathRequests(host: string | undefined, { path, type }: IngressPath, specific: SpecificPaths): Requests {
  const of = (pattern: string | undefined): Requests => requestsOf(anyOf([{ host, path: pattern }]));
  if (type === "Exact") return of(exactPath(path));
  if (type === "Prefix" || path === "" || specific === "prefix") return of(prefixPath(path));
  if (specific === "regex") return of(regexPath(path, false));
  // However the controller reads it, the path itself is meant.
  const plain = /^[-\w/.~%]*$/.test(path);
  return requestsBetween(plain ? of(exactPath(path)) : NO_REQUEST, of(undefined), [
    { code: "undefined-by-specification", detail: `how the path ${path} of type ImplementationSpecific is read` },
  ]);
}

const TYPES: Readonly<Record<IngressPath["type"], number>> = { Exact: 0, Prefix: 1, ImplementationSpecific: 2 };

/** Rules of one host, those of equal rank together; `among`: others of the rank lead elsewhere. */
function byPrecedence(
  rules: readonly Rule[],
): readonly (readonly { readonly rule: Rule; readonly among: boolean }[])[] {
  const sorted = [...rules].sort((a, b) => b.length - a.length || TYPES[a.type] - TYPES[b.type]);
  const groups: Rule[][] = [];
  for (const rule of sorted) {
    const last = groups.at(-1);
    const [first] = last ?? [];
    if (last !== undefined && first?.length === rule.length && first.type === rule.type) last.push(rule);
    else groups.push([rule]);
  }
  return groups.map((group) =>
    group.map((rule) => ({
      rule,
      among: group.some((other) => other.match === rule.match && backendKey(other) !== backendKey(rule)),
    })),
  );
}

function backendKey({ ingress, backend }: Rule): string {
  if (backend === undefined || backend === "none") return `${ingress.namespace}/${ingress.name} ${String(backend)}`;
  return `${ingress.namespace}/${backend.service}:${backend.port}`;
}

function ambiguous(rule: Rule): Because {
  return {
    code: "undefined-by-specification",
    detail: `several rules for host ${rule.host}, ${rule.match}`,
  };
}

// ── hosts ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The hosts of a controller with their rules; `*` is every host, and `*.x` stands for one label before `x` (ING-04). */
class Hosts {
  readonly groups: ReadonlyMap<string, readonly Rule[]>;
  private readonly byParent = new Map<string, string[]>();

  constructor(groups: ReadonlyMap<string, readonly Rule[]>) {
    this.groups = groups;
    for (const host of groups.keys()) {
      const parent = parentOf(host);
      const siblings = this.byParent.get(parent);
      if (host.startsWith("*") || parent === "") continue;
      if (siblings === undefined) this.byParent.set(parent, [host]);
      else siblings.push(host);
    }
  }

  /** More specific hosts: every request for them is one for this host too. */
  above(host: string): readonly string[] {
    if (host === "*") return [...this.groups.keys()].filter((other) => other !== "*");
    return host.startsWith("*.") ? (this.byParent.get(parentOf(host)) ?? []) : [];
  }

  /** Less specific hosts: they take requests for this one too. */
  below(host: string): readonly string[] {
    if (host === "*") return [];
    const wild = `*.${parentOf(host)}`;
    return [...(host.startsWith("*") ? [] : [wild]), "*"].filter((other) => this.groups.has(other));
  }

  /** What the paths of some hosts take; undefined where they are too many to say. */
  taken(some: readonly string[]): Requests | undefined {
    const rules = some.flatMap((host) => this.groups.get(host) ?? []);
    if (rules.length > MANY_RULES) return undefined;
    return rules.reduce((all, rule) => requestsUnion(all, rule.requests()), NO_REQUEST);
  }
}

function parentOf(host: string): string {
  const dot = host.indexOf(".");
  return dot < 0 ? "" : host.slice(dot + 1);
}

/** Whether a host, or a wildcard for one label, is one of those that a wildcard stands for. */
function isUnder(host: string, wild: string): boolean {
  if (wild === "*") return true;
  return wild.startsWith("*.") && !host.startsWith("*") && parentOf(host) === wild.slice(2);
}

function without(requests: Requests, hosts: readonly string[]): Requests {
  if (hosts.length === 0) return requests;
  if (hosts.length > MANY_HOSTS) {
    return onlyPossible(requests, [{ code: "pattern-limit", detail: `${hosts.length} hosts stand before it` }]);
  }
  const exact = hosts.filter((host) => !host.startsWith("*"));
  const patterns = hosts.filter((host) => host.startsWith("*")).map((host) => hostPattern(host, "one"));
  for (let i = 0; i < exact.length; i += CHUNK) patterns.push(wordsPattern(exact.slice(i, i + CHUNK)));
  const taken = anyOf(patterns.map((host) => ({ host })));
  return {
    must: applicationSubtract(requests.must, taken),
    may: applicationSubtract(requests.may, taken),
    because: requests.because,
  };
}

function fallsThrough(host: string, above: readonly string[]): Because {
  const named = above.length > 3 ? `${above.slice(0, 3).join(", ")}, …` : above.join(", ");
  return {
    code: "undefined-by-specification",
    detail: `whether requests for ${named} that its own paths do not take fall through to host ${host}`,
  };
}

// ── defaults ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** ING-03: what no rule takes goes to the default backend; where several Ingress objects have one, to one of them. */
function defaults(having: readonly Ingress[], unmatched: Requests): readonly Draft[] {
  const keys = new Set(having.map((i) => `${i.namespace}/${i.defaultBackend?.service}:${i.defaultBackend?.port}`));
  const requests =
    keys.size > 1
      ? onlyPossible(unmatched, [
          { code: "undefined-by-specification", detail: "several Ingress objects have a default backend" },
        ])
      : unmatched;
  return having.map((ingress) => ({
    rule: {
      ingress,
      at: ["spec", "defaultBackend"],
      host: "*",
      match: "what no rule takes",
      length: 0,
      type: "Prefix",
      requests: () => requests,
      backend: ingress.defaultBackend,
    },
    requests,
  }));
}

// ── TLS ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Hosts with a TLS entry: exact ones, and wildcards for one label; `*` for every host. */
interface TlsHosts {
  readonly all: readonly string[];
  readonly set: ReadonlySet<string>;
}

function tlsHostsOf(ingresses: readonly Ingress[]): TlsHosts {
  const set = new Set(ingresses.flatMap((ingress) => ingress.tlsHosts.map((host) => host.toLowerCase())));
  return { all: [...set], set };
}

function isSecured(host: string, { set }: TlsHosts): boolean {
  return set.has("*") || set.has(host) || (!host.startsWith("*") && set.has(`*.${parentOf(host)}`));
}

/** ING-05: hosts with a TLS entry are served over TLS alone, all others plainly. */
function bySecurity(world: World, { rule, requests }: Draft, tls: TlsHosts): readonly Forward[] {
  const { ingress, at, host, match } = rule;
  const forward = (over: Forward["over"], part: Requests): Forward => ({
    object: `Ingress/${ingress.namespace}/${ingress.name}`,
    ...(ingress.document === undefined ? {} : { place: { document: ingress.document, path: at } }),
    host,
    match,
    requests: part,
    over,
    target: backendTarget(world, rule),
    // What the annotation makes of the path is the controller's own.
    ...(hasAnnotation(ingress, EXPRESSIONS[1]) ? { rewrite: { type: "URLRewrite" } } : {}),
  });
  if (isSecured(host, tls)) return [forward("https", requests)];
  const relevant = host.startsWith("*") ? tls.all.filter((t) => isUnder(t, host)) : [];
  if (relevant.length === 0) return [forward("http", requests)];
  const secured = requestsIntersect(
    requests,
    requestsOf(anyOf(relevant.map((t) => ({ host: hostPattern(t, "one") })))),
  );
  const rest = without(requests, relevant);
  return [
    ...(rest.may === NOTHING ? [] : [forward("http", rest)]),
    ...(secured.may === NOTHING ? [] : [forward("https", secured)]),
  ];
}

function backendTarget(world: World, { ingress, backend }: Rule): ForwardTarget {
  if (backend === "none") {
    return { kind: "nobody", reason: `Ingress ${ingress.namespace}/${ingress.name} has no default backend` };
  }
  if (backend === undefined) return { kind: "nobody", reason: "the backend is a resource, not a Service" };
  return targetOf(world, ingress.namespace, backend.service, backend.port);
}
