import { type Address, parseAddress, parsePrefix, type Prefix } from "./addresses.ts";
import type { KubeObject } from "./objects.ts";
import { fieldsOf, isFields, itemsOf, labelsOf, textOf, textsOf, wholeOf } from "./values.ts";
import type { Pod } from "./workloads.ts";

export interface ServicePort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
  /** A number, or the name of a container port (SVC-08). */
  readonly targetPort: number | string;
  /** 0 when there is none, or when the input does not tell. */
  readonly nodePort: number;
}

/** An address that somebody wrote into an EndpointSlice or Endpoints object, with its ports. */
export interface WrittenEndpoint {
  readonly address: Address;
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[];
}

export interface Service {
  readonly namespace: string;
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly type: string;
  readonly headless: boolean;
  /** Empty: no endpoints are managed (SVC-07). */
  readonly selector: ReadonlyMap<string, string>;
  readonly ports: readonly ServicePort[];
  readonly clusterIPs: readonly Address[];
  /** Load balancer and external addresses. */
  readonly outerIPs: readonly Address[];
  readonly externalName: string;
  readonly externalTrafficPolicy: string;
  readonly internalTrafficPolicy: string;
  /** Client ranges that the balancer lets in, where something implements it (SVC-15). Empty: all. */
  readonly sourceRanges: readonly Prefix[];
  readonly written: readonly WrittenEndpoint[];
}

export function serviceOf(object: KubeObject, objects: readonly KubeObject[]): Service {
  const spec = fieldsOf(object.fields["spec"]);
  const ingress = itemsOf(fieldsOf(fieldsOf(object.fields["status"])["loadBalancer"])["ingress"]);
  const addresses = (texts: readonly unknown[]) =>
    texts.map((item) => parseAddress(textOf(item) ?? "")).filter((address) => address !== undefined);
  const clusterIPs = addresses([...new Set([spec["clusterIP"], ...itemsOf(spec["clusterIPs"])])]);
  const type = textOf(spec["type"]) || "ClusterIP";
  return {
    namespace: object.namespace,
    name: object.name,
    labels: object.labels,
    type,
    headless: spec["clusterIP"] === "None",
    // SVC-05: the selector of an ExternalName Service creates no endpoints.
    selector: type === "ExternalName" ? new Map() : labelsOf(spec["selector"]),
    ports: itemsOf(spec["ports"]).filter(isFields).map(servicePortOf),
    clusterIPs,
    outerIPs: addresses([
      ...itemsOf(spec["externalIPs"]),
      spec["loadBalancerIP"],
      ...ingress.map((item) => fieldsOf(item)["ip"]),
    ]),
    externalName: textOf(spec["externalName"]) ?? "",
    externalTrafficPolicy: textOf(spec["externalTrafficPolicy"]) || "Cluster",
    internalTrafficPolicy: textOf(spec["internalTrafficPolicy"]) || "Cluster",
    sourceRanges: textsOf(spec["loadBalancerSourceRanges"])
      .map((text) => parsePrefix(text.trim()))
      .filter((prefix) => prefix !== undefined),
    written: writtenEndpoints(object, objects),
  };
}

/** targetPort defaults to port, protocol to TCP (SVC-08). */
function servicePortOf(port: Readonly<Record<string, unknown>>): ServicePort {
  const number = wholeOf(port["port"]) ?? 0;
  const target = wholeOf(port["targetPort"]) ?? textOf(port["targetPort"]);
  return {
    name: textOf(port["name"]) ?? "",
    protocol: textOf(port["protocol"]) || "TCP",
    port: number,
    targetPort: target === undefined || target === 0 || target === "" ? number : target,
    nodePort: wholeOf(port["nodePort"]) ?? 0,
  };
}

function writtenEndpoints(service: KubeObject, objects: readonly KubeObject[]): readonly WrittenEndpoint[] {
  const near = objects.filter((object) => object.namespace === service.namespace);
  const slices = near.filter(
    (object) => object.kind === "EndpointSlice" && object.labels.get("kubernetes.io/service-name") === service.name,
  );
  const old = near.filter((object) => object.kind === "Endpoints" && object.name === service.name);
  const make = (texts: readonly unknown[], ports: unknown): WrittenEndpoint[] =>
    texts.flatMap((text) => {
      const address = parseAddress(textOf(text) ?? "");
      return address === undefined ? [] : [{ address, ports: writtenPorts(ports) }];
    });
  const found = [
    ...slices.flatMap((slice) =>
      itemsOf(slice.fields["endpoints"])
        .filter(isFields)
        .filter((endpoint) => fieldsOf(endpoint["conditions"])["ready"] !== false)
        .flatMap((endpoint) => make(textsOf(endpoint["addresses"]), slice.fields["ports"])),
    ),
    ...old.flatMap((object) =>
      itemsOf(object.fields["subsets"])
        .filter(isFields)
        .flatMap((subset) =>
          make(
            itemsOf(subset["addresses"]).map((item) => fieldsOf(item)["ip"]),
            subset["ports"],
          ),
        ),
    ),
  ];
  return found.filter(
    (endpoint, index) =>
      found.findIndex(
        (other) => other.address.family === endpoint.address.family && other.address.value === endpoint.address.value,
      ) === index,
  );
}

function writtenPorts(ports: unknown): WrittenEndpoint["ports"] {
  return itemsOf(ports)
    .filter(isFields)
    .map((port) => ({
      name: textOf(port["name"]) ?? "",
      protocol: textOf(port["protocol"]) || "TCP",
      port: wholeOf(port["port"]) ?? 0,
    }));
}

/** An equality map in the Service's own namespace; a label nobody told may be equal (SVC-07). */
export function selectedBy(service: Service, pods: readonly Pod[]): readonly Pod[] {
  if (service.selector.size === 0) return [];
  return pods.filter(
    (pod) =>
      pod.namespace === service.namespace &&
      [...service.selector].every(([key, value]) => {
        const own = pod.labels.get(key);
        return typeof own === "object" ? own.could(value) : own === value;
      }),
  );
}

/** The port of a pod that a Service port leads to; none when the pod lacks the name (SVC-08, WL-14). */
export function targetPortOf(port: ServicePort, pod: Pod): number | undefined {
  if (typeof port.targetPort === "number") return port.targetPort;
  return pod.ports.find((item) => !item.init && item.name === port.targetPort && item.protocol === port.protocol)?.port;
}
