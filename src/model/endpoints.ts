/** Endpoints of Services as EndpointSlice and Endpoints objects state them (kubernetes.md SVC-07, SVC-09). */
import type { Cursor } from "../documents/cursor.ts";
import type { Address } from "../net/address.ts";
import { decodeAddress } from "./address-text.ts";
import { decodeProtocol } from "./pod-template.ts";
import type { EndpointPort, Service, ServiceEndpoints } from "./world.ts";

/** A statement of endpoints, with what tells whether somebody wrote it by hand. */
export interface EndpointsTelling {
  readonly endpoints: readonly ServiceEndpoints[];
  /** Who keeps the object, as far as it says. */
  readonly keeper: "service-controller" | "mirror" | "unknown" | "hand";
}

const SERVICE_NAME = "kubernetes.io/service-name";
const MANAGED_BY = "endpointslice.kubernetes.io/managed-by";

/**
 * Decodes an EndpointSlice.
 *
 * Takes the cursor on the object and its namespace. Returns what it states; no endpoints for a slice without the label
 * that names its Service, or one of DNS names. An endpoint serves unless its condition `ready` is false.
 * Reports addresses that are none (BH246) and wrong ports (BH204, BH205).
 */
export function decodeEndpointSlice(object: Cursor, namespace: string): EndpointsTelling {
  const labels = object.field("metadata").field("labels");
  const manager = labels.field(MANAGED_BY).string();
  const keeper =
    manager === "endpointslice-controller.k8s.io"
      ? "service-controller"
      : manager === "endpointslicemirroring-controller.k8s.io"
        ? "mirror"
        : "hand";
  const service = labels.field(SERVICE_NAME).string();
  if (service === undefined || object.field("addressType").string() === "FQDN") return { endpoints: [], keeper };
  const ready: Address[] = [];
  const notReady: Address[] = [];
  for (const endpoint of object.field("endpoints").list() ?? []) {
    const serves = endpoint.field("conditions").field("ready").boolean() !== false;
    for (const item of endpoint.field("addresses").list() ?? []) {
      const address = decodeAddress(item);
      if (address !== undefined) (serves ? ready : notReady).push(address);
    }
  }
  const ports = decodePorts(object.field("ports"));
  return { endpoints: [statement(object, namespace, service, ready, notReady, ports)], keeper };
}

/** Decodes an Endpoints object, one statement a subset. Takes, returns and reports as `decodeEndpointSlice`. */
export function decodeEndpoints(object: Cursor, namespace: string): EndpointsTelling {
  const addresses = (list: Cursor): readonly Address[] =>
    (list.list() ?? []).flatMap((item) => decodeAddress(item.field("ip")) ?? []);
  const endpoints = (object.field("subsets").list() ?? []).map((subset) =>
    statement(
      object,
      namespace,
      object.document.name,
      addresses(subset.field("addresses")),
      addresses(subset.field("notReadyAddresses")),
      decodePorts(subset.field("ports")),
    ),
  );
  return { endpoints, keeper: "unknown" };
}

function statement(
  object: Cursor,
  namespace: string,
  service: string,
  addresses: readonly Address[],
  notReady: readonly Address[],
  ports: readonly EndpointPort[],
): ServiceEndpoints {
  return {
    namespace,
    service,
    addresses,
    ...(notReady.length === 0 ? {} : { notReady }),
    ports,
    document: object.document,
  };
}

function decodePorts(list: Cursor): readonly EndpointPort[] {
  return (list.list() ?? []).flatMap((item) => {
    const name = item.field("name").string() || undefined;
    const protocol = decodeProtocol(item.field("protocol"));
    const port = item.field("port").integer({ min: 1, max: 65535 });
    if (protocol === undefined || port === undefined) return [];
    return { ...(name === undefined ? {} : { name }), protocol, port };
  });
}

/**
 * Keeps the endpoints that count beside the pods.
 *
 * Takes what the input states and the Services. Returns, for a Service without a selector, every statement; for one with
 * a selector only slices that no controller keeps, since an Endpoints object of it is the controller's (SVC-07).
 */
export function handWritten(
  tellings: readonly EndpointsTelling[],
  services: readonly Service[],
): readonly ServiceEndpoints[] {
  const selecting = new Set(
    services
      .filter((service) => service.selector !== undefined && service.type !== "ExternalName")
      .map((service) => `${service.namespace}/${service.name}`),
  );
  return tellings.flatMap(({ endpoints, keeper }) =>
    endpoints.filter(({ namespace, service }) => keeper === "hand" || !selecting.has(`${namespace}/${service}`)),
  );
}
