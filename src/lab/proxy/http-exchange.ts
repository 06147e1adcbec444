/** One request on its way through the proxy: its headers as rules see and change them, what both sides say, the report. */

import { normalisePath } from "../../net/http-request.ts";
import type { Direction } from "../ruleset.ts";
import type { RawHeaders } from "./http-fields.ts";
import { HttpMatcher, type HttpQuestion, type HttpVerdict } from "./http-matcher.ts";
import type { Connection, HttpReport, Proxy, Resolution, Side } from "./seam.ts";

type RulesSide = Extract<Side, { kind: "rules" }>;

const matchers = new WeakMap<RulesSide, HttpMatcher>();

function matcherOf(side: RulesSide): HttpMatcher {
  const known = matchers.get(side);
  if (known !== undefined) return known;
  const created = new HttpMatcher(side.entries);
  matchers.set(side, created);
  return created;
}

export interface HttpHead {
  readonly method: string;
  /** As it was sent, without scheme and authority. */
  readonly path: string;
  readonly host: string;
  /** `HTTP/1.1`, `HTTP/2`. */
  readonly protocol: string;
  readonly headers: RawHeaders;
}

/** What becomes of a request. */
export type Outcome =
  /** It goes on with this path and these headers. */
  | { readonly kind: "pass"; readonly path: string; readonly headers: RawHeaders }
  /** The client is to ask again with this path (cilium.md R6.1.6). */
  | { readonly kind: "again"; readonly path: string }
  /** A side's rules match it not; or it is no proper request. */
  | { readonly kind: "refused"; readonly status: 403 | 400 }
  /** The target's side lets nothing of it through. */
  | { readonly kind: "unreachable" };

const ESCAPED_SLASH = /^[^?]*%(?:2[Ff]|5[Cc])/;
/** Reported of a request; the rest is left out. */
const REPORTED_HEADERS = 32;
const REPORTED_LENGTH = 256;

export class Exchange {
  readonly outcome: Outcome;
  private readonly proxy: Proxy;
  private readonly connection: Connection;
  private readonly head: HttpHead;
  private readonly begun = performance.now();
  /** Whose rules have judged, and what they said. */
  private readonly judged: Pick<HttpReport, "direction" | "verdict" | "policies">[] = [];
  private path: string;
  private headers: RawHeaders;

  constructor(proxy: Proxy, connection: Connection, head: HttpHead, resolution: Resolution) {
    this.proxy = proxy;
    this.connection = connection;
    this.head = head;
    this.path = head.path;
    this.headers = head.headers;
    this.outcome = this.judge(resolution);
    for (const judged of this.judged) this.report("REQUEST", judged);
  }

  /** Reports the answer. */
  answered(code: number): void {
    for (const judged of this.judged) this.report("RESPONSE", judged, code);
  }

  private judge(resolution: Resolution): Outcome {
    if (!resolution.pathsAsSent) {
      const normal = normalisePath(this.head.path);
      if (normal === undefined) return { kind: "refused", status: 400 };
      if (ESCAPED_SLASH.test(this.head.path)) return { kind: "again", path: normal };
      this.path = normal;
    }
    for (const direction of ["egress", "ingress"] as const) {
      const side = resolution[direction];
      if (side.kind === "denied") return { kind: "unreachable" };
      if (side.kind === "rules" && !this.passes(direction, side)) return { kind: "refused", status: 403 };
    }
    return { kind: "pass", path: this.path, headers: this.headers };
  }

  private passes(direction: Direction, side: RulesSide): boolean {
    const { allowed, origins, changes } = matcherOf(side).judge(this.question());
    this.judged.push({
      direction,
      verdict: allowed ? "FORWARDED" : "DROPPED",
      policies: allowed ? origins : side.policies,
    });
    if (changes.length > 0) this.change(changes);
    return allowed;
  }

  private question(): HttpQuestion {
    const { method, host } = this.head;
    const { path } = this;
    return { method, path, host, header: (name) => this.header(name) };
  }

  private header(name: string): string | undefined {
    switch (name) {
      case ":method":
        return this.head.method;
      case ":path":
        return this.path;
      case ":authority":
      case "host":
        return this.head.host;
    }
    let value: string | undefined;
    for (let at = 0; at < this.headers.length; at += 2) {
      if (this.headers[at]?.toLowerCase() !== name) continue;
      const one = this.headers[at + 1] ?? "";
      value = value === undefined ? one : `${value},${one}`;
    }
    return value;
  }

  private change(changes: HttpVerdict["changes"]): void {
    const headers = [...this.headers];
    for (const { action, name, value } of changes) {
      if (action !== "ADD") {
        for (let at = headers.length - 2; at >= 0; at -= 2) {
          if (headers[at]?.toLowerCase() === name) headers.splice(at, 2);
        }
      }
      if (action !== "DELETE") headers.push(name, value);
    }
    this.headers = headers;
  }

  private report(
    type: HttpReport["type"],
    judged: Pick<HttpReport, "direction" | "verdict" | "policies">,
    code?: number,
  ): void {
    const { method, host, path, protocol, headers } = this.head;
    const shown: [string, string][] = [];
    for (let at = 0; type === "REQUEST" && at < Math.min(headers.length, REPORTED_HEADERS * 2); at += 2) {
      const name = headers[at] ?? "";
      if (!name.startsWith(":")) shown.push([name, (headers[at + 1] ?? "").slice(0, REPORTED_LENGTH)]);
    }
    this.proxy.report({
      kind: "http",
      type,
      at: Date.now(),
      connection: this.connection,
      ...judged,
      // What is answered is never filtered; a refusal is the proxy's own answer (cilium.md R6.5.1).
      verdict: type === "RESPONSE" ? "FORWARDED" : judged.verdict,
      method,
      url: `http://${host}${path}`,
      protocol,
      headers: shown,
      ...(code === undefined ? {} : { code, latencyNs: Math.round((performance.now() - this.begun) * 1e6) }),
    });
  }
}
