/** Rules of Ingress and routes with who serves them: where they are met from outside, and how they are told. */
import type { PortProtocol } from "../net/protocol.ts";
import type { Attachment } from "./attachment.ts";
import type { Controller } from "./controllers.ts";
import type { Entrance } from "./entrance.ts";
import type { Forward, WrittenAt } from "./forward.ts";
import { NO_REQUEST } from "./requests.ts";

/** A rule of an Ingress or route with who serves it and how it is reached. */
export interface Serving {
  readonly way: "ingress" | "gateway";
  readonly forward: Forward;
  readonly controller: Controller;
  /** The listener's port, for a Gateway. */
  readonly port?: number;
  readonly protocol: PortProtocol;
  /** Where nothing more is known than that the Service is named: the path ends at the object. */
  readonly refusal?: string;
}

export function defaultPort(forward: Forward): number {
  return forward.over === "http" ? 80 : 443;
}

export function dialledAt({ forward, port }: Serving): string {
  const host = forward.host === "*" ? "any host" : forward.host;
  return `${host}, port ${port ?? defaultPort(forward)}`;
}

const PLAIN_NAMES = /^(?:http|web|proxy|http2?-?80)$/i;
const SECURE_NAMES = /^(?:https|websecure|tls|proxy-(?:ssl|tls)|https-?443)$/i;

export function isNamedFor(name: string | undefined, forward: Forward): boolean {
  return name !== undefined && (forward.over === "http" ? PLAIN_NAMES : SECURE_NAMES).test(name);
}

/** Whether an entrance of the controller is the one for this rule: by the listener's port, or 80 and 443. */
export function serves(entrance: Entrance, serving: Serving): boolean {
  if (entrance.protocol !== serving.protocol) return false;
  const wanted = serving.port ?? defaultPort(serving.forward);
  const { servicePort } = entrance;
  if (servicePort === undefined) return entrance.dialledPort === wanted;
  if (servicePort.port === wanted || (serving.port !== undefined && entrance.port === wanted)) return true;
  return serving.port === undefined && isNamedFor(servicePort.name, serving.forward);
}

export function controllerName(controller: Controller): string {
  return controller.kind === "pods" || controller.kind === "own" || controller.kind === "elsewhere"
    ? controller.name
    : "the controller";
}

export function ruleText(forward: Forward): string {
  const host = forward.host === "*" ? "any host" : `host ${forward.host}`;
  const share = forward.share === undefined ? "" : `, ${forward.share} requests`;
  const copy = forward.copy === true ? ", a copy" : "";
  const secure = forward.over === "https" ? ", over TLS" : forward.over === "tls" ? ", TLS passed through" : "";
  return `${forward.object}, ${host}, ${forward.match}${secure}${share}${copy}`;
}

export function placeOf({ place }: Forward): { readonly place?: WrittenAt } {
  return place === undefined ? {} : { place };
}

/** Rules of a route that hangs nowhere: each backend gets nothing by it. */
export function refusedServing({ route, refusal }: Attachment): readonly Serving[] {
  const reason = `not attached: ${refusal ?? ""}`;
  return route.rules.flatMap((rule, i) =>
    rule.backends.map((backend): Serving => {
      const service = `${backend.namespace}/${backend.name}`;
      const forward: Forward = {
        object: `${route.kind}/${route.namespace}/${route.name}`,
        ...(route.document === undefined ? {} : { place: { document: route.document, path: ["spec", "rules", i] } }),
        host: route.hostnames[0] ?? "*",
        match: `rule ${i + 1}`,
        requests: NO_REQUEST,
        over:
          route.kind === "TCPRoute" || route.kind === "UDPRoute"
            ? "stream"
            : route.kind === "TLSRoute"
              ? "tls"
              : "http",
        target: { kind: "nobody", reason, service },
      };
      const controller: Controller = { kind: "nobody", reason };
      const protocol = route.kind === "UDPRoute" ? "UDP" : "TCP";
      return { way: "gateway", forward, controller, protocol, refusal: reason };
    }),
  );
}
