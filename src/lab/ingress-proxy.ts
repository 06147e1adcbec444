/**
 * The proxy behind the load balancer: chooses a Service by host and path as an Ingress says (Kubernetes
 * networking/v1 `pathType`), and connects to one of its backends from the proxy's own address, so that the backend's
 * policy sees the proxy's identity. An upstream that cannot be reached is told with the kernel's reason.
 */

import { type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import { Socket } from "node:net";
import { attemptTcp, type Origin } from "./attempts.ts";
import type { DropLog } from "./drop-log.ts";
import { canonical, familyOf } from "./kernel/address.ts";
import type { Plan, PlannedBackend, PlannedIngressPath } from "./plan.ts";
import type { Served } from "./servers.ts";

/** Response header that refers to the kernel's drop of the proxy's own connection (`DropLog.recall`). */
export const DROP_HEADER = "x-bulkhead-drop";

export class IngressProxy {
  private readonly plan: Plan;
  private readonly drops: DropLog;
  private readonly origin: (family: 4 | 6) => Origin | null;
  private turn = 0;

  constructor(plan: Plan, drops: DropLog, origin: (family: 4 | 6) => Origin | null) {
    this.plan = plan;
    this.drops = drops;
    this.origin = origin;
  }

  async handle(request: IncomingMessage, response: ServerResponse, served: Served): Promise<void> {
    const host = (request.headers.host ?? "").replace(/:\d+$/, "").toLowerCase();
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    const route = this.route(host, path);
    if (route === null) {
      refuse(response, 404, `no Ingress rule for host ${host === "" ? "(none)" : host} and path ${path}`);
      return;
    }
    const backend = this.backend(route);
    const origin = backend === null ? null : this.origin(familyOf(backend.address));
    if (backend === null || origin === null) {
      refuse(response, 503, `Service ${route.service} has no backend for port ${route.port}`);
      return;
    }
    const attempt = await attemptTcp(this.drops, origin, { address: backend.address, port: backend.port });
    if (attempt.outcome !== "open") {
      const drop = attempt.outcome === "dropped" ? attempt.drop : null;
      const why = drop === null ? attempt.outcome : `dropped by the kernel: ${drop.prefix}`;
      refuse(
        response,
        503,
        `${backend.pod ?? backend.address}:${backend.port} cannot be reached from the ingress: ${why}`,
        drop === null ? null : this.drops.remember(drop),
      );
      return;
    }
    forward(request, response, served, new Socket({ fd: attempt.fd }));
  }

  /** The longest matching path of the most specific matching host; exact paths before prefixes of equal length. */
  private route(host: string, path: string): PlannedIngressPath | null {
    const candidates: { readonly rank: readonly [number, number, number]; readonly path: PlannedIngressPath }[] = [];
    for (const rule of this.plan.ingress?.rules ?? []) {
      const hostRank = matchHost(rule.host, host);
      if (hostRank === null) continue;
      for (const candidate of rule.paths) {
        if (!matchPath(candidate, path)) continue;
        candidates.push({
          rank: [hostRank, candidate.path.length, candidate.pathType === "Exact" ? 1 : 0],
          path: candidate,
        });
      }
    }
    const best = candidates.toSorted(
      (a, b) => b.rank[0] - a.rank[0] || b.rank[1] - a.rank[1] || b.rank[2] - a.rank[2],
    )[0];
    return best?.path ?? null;
  }

  private backend({ service, port }: PlannedIngressPath): PlannedBackend | null {
    const found = this.plan.services.find(({ namespace, name }) => `${namespace}/${name}` === service);
    const backends =
      found?.ports.find((candidate) => candidate.port === port && candidate.protocol === "TCP")?.backends ?? [];
    const usable = backends.filter((backend) => this.origin(familyOf(canonical(backend.address))) !== null);
    return usable[this.turn++ % Math.max(1, usable.length)] ?? null;
  }
}

/** 2 exact, 1 wildcard, 0 every host; null: no match. A wildcard covers exactly one label. */
function matchHost(rule: string | null, host: string): number | null {
  if (rule === null) return 0;
  if (!rule.startsWith("*.")) return rule.toLowerCase() === host ? 2 : null;
  return host.includes(".") && host.slice(host.indexOf(".") + 1) === rule.slice(2).toLowerCase() ? 1 : null;
}

/** Prefix matches by whole path elements. */
function matchPath({ path, pathType }: PlannedIngressPath, asked: string): boolean {
  if (pathType === "Exact") return asked === path;
  const prefix = path.replace(/\/+$/, "");
  return asked === prefix || asked.startsWith(`${prefix}/`);
}

function refuse(response: ServerResponse, status: number, message: string, dropReference: string | null = null): void {
  if (dropReference !== null) response.setHeader(DROP_HEADER, dropReference);
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" });
  response.end(`ingress: ${message}\n`);
}

function forward(request: IncomingMessage, response: ServerResponse, served: Served, upstream: Socket): void {
  const forwarded = request.headers["x-forwarded-for"];
  const headers = {
    ...request.headers,
    connection: "close",
    "x-forwarded-for": forwarded === undefined ? served.clientAddress : `${String(forwarded)}, ${served.clientAddress}`,
    "x-forwarded-proto": "http",
  };
  const outgoing = httpRequest(
    { createConnection: () => upstream, method: request.method, path: request.url, headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  outgoing.on("error", () => {
    if (response.headersSent) response.destroy();
    else refuse(response, 502, "the backend closed the connection");
  });
  response.on("close", () => upstream.destroy());
  request.pipe(outgoing);
}
