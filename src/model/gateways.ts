/** GatewayClass, Gateway and ReferenceGrant of the Gateway API (kubernetes.md GW-01, GW-02, GW-05). */
import type { Cursor } from "../documents/cursor.ts";
import { decodeAddress, distinctAddresses } from "./address-text.ts";
import { decodeLabelSelector } from "./label-selector.ts";
import { subdomainProblem } from "./label-syntax.ts";
import { decodeLabels } from "./metadata.ts";
import type { Gateway, GatewayClass, GatewayListener, ReferenceGrant } from "./world.ts";

export const GATEWAY_GROUP = "gateway.networking.k8s.io";

const FROM = ["Same", "All", "None", "Selector"] as const;
const TLS_MODES = ["Terminate", "Passthrough"] as const;
const PORT = { min: 1, max: 65535 } as const;

/** Decodes a GatewayClass. Takes the cursor on the object. Returns the class; reports a missing controller (BH202). */
export function decodeGatewayClass(object: Cursor): GatewayClass {
  return {
    name: object.document.name,
    controller: object.required("spec").required("controllerName").string() ?? "",
    document: object.document,
  };
}

/**
 * Decodes a Gateway.
 *
 * Takes the cursor on the object and its namespace. Returns the Gateway with the API server's defaults.
 * Reports what a cluster would refuse (BH202 to BH205, BH240, BH247, BH248).
 */
export function decodeGateway(object: Cursor, namespace: string): Gateway {
  const spec = object.required("spec");
  const list = spec.required("listeners").list();
  if (list?.length === 0)
    spec.field("listeners").error("BH247", `${spec.describe()}: a Gateway has at least one listener`);
  const listeners = (list ?? []).flatMap((item) => decodeListener(item) ?? []);
  const names = new Set<string>();
  for (const [index, { name }] of listeners.entries()) {
    const at = list?.[index];
    if (names.has(name))
      at?.field("name").error("BH247", `${at.describe()}: listener name ${JSON.stringify(name)} must be unique`);
    names.add(name);
  }
  const given = decodeAddresses(object.field("status").field("addresses"));
  return {
    namespace,
    name: object.document.name,
    className: spec.required("gatewayClassName").string() ?? "",
    labels: decodeLabels(object.field("metadata").field("labels")),
    addresses: given.length > 0 ? given : decodeAddresses(spec.field("addresses")),
    listeners,
    document: object.document,
  };
}

function decodeAddresses(list: Cursor): Gateway["addresses"] {
  return distinctAddresses(
    (list.list() ?? []).flatMap((item) =>
      (item.field("type").string() ?? "IPAddress") === "IPAddress" ? (decodeAddress(item.field("value")) ?? []) : [],
    ),
  );
}

function decodeListener(item: Cursor): GatewayListener | undefined {
  const name = item.required("name").string();
  const port = item.required("port").integer(PORT);
  const protocol = item.required("protocol").string();
  const hostname = decodeHostname(item.field("hostname"));
  const tlsMode = item.field("tls").field("mode").enumeration(TLS_MODES);
  const allowed = item.field("allowedRoutes");
  const from = allowed.field("namespaces").field("from").enumeration(FROM) ?? "Same";
  const selectorCursor = allowed.field("namespaces").field("selector");
  const selector = decodeLabelSelector(selectorCursor);
  if (from === "Selector" && selector === undefined && selectorCursor.isAbsent)
    allowed.field("namespaces").error("BH247", `${item.describe()}: from Selector needs a selector`);
  const kinds = allowed
    .field("kinds")
    .list()
    ?.flatMap((kind) => {
      const text = kind.required("kind").string();
      return text === undefined ? [] : { group: kind.field("group").string() ?? GATEWAY_GROUP, kind: text };
    });
  if (name === undefined || port === undefined || protocol === undefined) return undefined;
  return {
    name,
    port,
    protocol,
    ...(hostname === undefined ? {} : { hostname }),
    ...(protocol === "HTTPS" || protocol === "TLS" ? { tlsMode: tlsMode ?? "Terminate" } : {}),
    from,
    ...(from === "Selector" ? { selector: selector ?? [] } : {}),
    ...(kinds === undefined || kinds.length === 0 ? {} : { kinds }),
  };
}

/** A DNS name, the first label of which may be `*`; `undefined` when absent or empty. Reports others (BH247). */
export function decodeHostname(cursor: Cursor): string | undefined {
  const text = cursor.string() || undefined;
  if (text === undefined) return undefined;
  const problem = /^[0-9.]+$/.test(text)
    ? "must be a DNS name, not an IP address"
    : subdomainProblem(text.startsWith("*.") ? text.slice(2) : text);
  if (problem !== undefined) cursor.error("BH247", `${cursor.describe()}: ${JSON.stringify(text)} ${problem}`);
  return text;
}

/**
 * Decodes a ReferenceGrant.
 *
 * Takes the cursor on the object and its namespace. Returns the grant; reports missing fields (BH202).
 */
export function decodeReferenceGrant(object: Cursor, namespace: string): ReferenceGrant {
  const spec = object.required("spec");
  return {
    namespace,
    name: object.document.name,
    from: (spec.required("from").list() ?? []).flatMap((item) => {
      const group = item.required("group").string();
      const kind = item.required("kind").string();
      const source = item.required("namespace").string();
      return group === undefined || kind === undefined || source === undefined
        ? []
        : { group, kind, namespace: source };
    }),
    to: (spec.required("to").list() ?? []).flatMap((item) => {
      const group = item.required("group").string();
      const kind = item.required("kind").string();
      const name = item.field("name").string() || undefined;
      if (group === undefined || kind === undefined) return [];
      return { group, kind, ...(name === undefined ? {} : { name }) };
    }),
    document: object.document,
  };
}
