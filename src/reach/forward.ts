/** What a controller does with a request: whom it forwards which requests to, as exact languages of hosts and paths. */
import type { Because } from "../base/because.ts";
import type { Document, Path } from "../documents/document.ts";
import { findService } from "../model/world-index.ts";
import type { RouteFilter, Service, ServicePort, World } from "../model/world.ts";
import { type Application, applicationOf } from "../net/application.ts";
import { wordsPattern } from "../net/path-language.ts";
import type { Requests } from "./requests.ts";

/** Where something stands in the input. */
export interface WrittenAt {
  readonly document: Document;
  readonly path: Path;
}

/** One rule of an Ingress or route with those requests that no other rule takes from it. */
export interface Forward {
  /** `Ingress/ns/name`, `HTTPRoute/ns/name`. */
  readonly object: string;
  readonly place?: WrittenAt;
  /** As written; `*` where every host is meant. */
  readonly host: string;
  /** What is asked of the request beside the host, for reading: `path /x (Prefix)`. */
  readonly match: string;
  readonly requests: Requests;
  /** `http`: plain; `https`: over TLS that the controller ends; `tls`: passed through by server name; `stream`: as it comes. */
  readonly over: "http" | "https" | "tls" | "stream";
  readonly target: ForwardTarget;
  /** What the request becomes before it goes on; absent: it goes as it came. */
  readonly rewrite?: RouteFilter;
  /** The prefix that matched, which a rewrite may replace. */
  readonly prefix?: string;
  /** Its part of the requests where several backends share them, such as `1 of 3`. */
  readonly share?: string;
  /** The backend gets a copy, and its answer is thrown away. */
  readonly copy?: true;
}

export type ForwardTarget =
  | { readonly kind: "service"; readonly service: Service; readonly port: ServicePort }
  /** An alias: the controller resolves the name (SVC-05). */
  | { readonly kind: "name"; readonly service: Service; readonly port: number }
  /** The request ends at the controller. `service`: whom it would have gone to, `ns/name`. */
  | { readonly kind: "nobody"; readonly reason: string; readonly service?: string }
  /** Whom it goes to cannot be told. */
  | { readonly kind: "unknown"; readonly because: Because; readonly service?: string };

/** The Service that a target names, `ns/name`, whether or not it is there. */
export function serviceOf(target: ForwardTarget): string | undefined {
  if (target.kind === "service" || target.kind === "name") return `${target.service.namespace}/${target.service.name}`;
  return target.service;
}

/** The Service and port that a backend names (ING-02, GW-08): the port is the Service's, by number or name. */
export function targetOf(world: World, namespace: string, name: string, port: number | string): ForwardTarget {
  const service = findService(world, namespace, name);
  const text = `${namespace}/${name}`;
  if (service === undefined) return { kind: "nobody", reason: `Service ${text} is not in the input`, service: text };
  if (service.type === "ExternalName") {
    const listed = service.ports.find((own) => own.name === port || own.port === port)?.port;
    const number = typeof port === "number" ? port : listed;
    if (number !== undefined) return { kind: "name", service, port: number };
  }
  const found = service.ports.find((own) => (typeof port === "number" ? own.port === port : own.name === port));
  if (found === undefined) return { kind: "nobody", reason: `Service ${text} has no port ${port}`, service: text };
  return { kind: "service", service, port: found };
}

// ── languages ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** A query may follow any path: the path of a request holds it (design: Verdicts). */
const QUERY = "(?:\\?.*)?";

/** Exactly this path. */
export function exactPath(path: string): string {
  return `${wordsPattern([path])}${QUERY}`;
}

/** The path and everything below it, element by element (ING-04): `/foo`, `/foo/`, `/foo/x`, and not `/foobar`. */
export function prefixPath(path: string): string | undefined {
  const base = path.replace(/\/+$/, "");
  return base === "" ? undefined : `${wordsPattern([base])}(?:/[^?]*)?${QUERY}`;
}

/** What a regular expression takes as a whole, or, with `part`, somewhere in the path. */
export function regexPath(expression: string, part: boolean): string {
  const inner = part ? `.*(?:${expression}).*` : `(?:${expression})`;
  return `${inner}${QUERY}`;
}

/** A request whose query has the parameter. */
export function queryHas(name: string, value: string): string {
  return `[^?]*\\?(?:.*&)?${wordsPattern([`${name}=${value}`])}(?:&.*)?`;
}

/**
 * A host as a language of names in lower case, without port.
 *
 * Takes the host as written and how many labels its `*` stands for: one for Ingress (ING-04), one or more for Gateways
 * (GW-06). Returns undefined for every host.
 */
export function hostPattern(host: string, labels: "one" | "several"): string | undefined {
  if (host === "*" || host === "") return undefined;
  const name = host.toLowerCase();
  if (!name.startsWith("*.")) return wordsPattern([name]);
  return `${labels === "one" ? "[^.]+" : ".+"}${wordsPattern([name.slice(1)])}`;
}

export interface RequestPattern {
  readonly host?: string | undefined;
  readonly path?: string | undefined;
  readonly method?: string | undefined;
  readonly headers?: readonly { readonly name: string; readonly value: string }[];
}

/** The requests that one of the patterns takes. */
export function anyOf(patterns: readonly RequestPattern[]): Application {
  return applicationOf([
    {
      kind: "http",
      rules: patterns.map(({ host, path, method, headers }) => ({
        ...(host === undefined ? {} : { host }),
        ...(path === undefined ? {} : { path }),
        ...(method === undefined ? {} : { method: wordsPattern([method]) }),
        headers: headers ?? [],
      })),
    },
  ]);
}

/** The sessions that name one of the servers; a host as for `hostPattern`. */
export function serverNamed(hosts: readonly string[]): Application {
  return applicationOf([
    {
      kind: "tls",
      serverNames: hosts.map((host) => ({ text: host, expression: `${hostPattern(host, "several") ?? ".*"}[.]` })),
    },
  ]);
}
