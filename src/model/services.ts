/** Services: decoded, defaulted, and refused where the API server refuses them (kubernetes.md SVC-01 to SVC-16). */
import { diagnostic } from "../base/diagnostic.ts";
import type { Cursor, Findings } from "../documents/cursor.ts";
import { type Address, addressSetOf, formatAddress, type Prefix, parsePrefix } from "../net/address.ts";
import { decodeAddress, decodePrefix } from "./address-text.ts";
import { portNameProblem } from "./label-syntax.ts";
import { annotation, decodeLabels } from "./metadata.ts";
import { decodeProtocol } from "./pod-template.ts";
import type { Service, ServicePort } from "./world.ts";

const TYPES = ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] as const;
const POLICIES = ["Cluster", "Local"] as const;
const SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges";

/** The range from which a cluster takes node ports unless told otherwise (SVC-03). */
const NODE_PORTS = { first: 30000, last: 32767 } as const;

/**
 * Decodes a Service.
 *
 * Takes the cursor on the object and its namespace. Returns the Service with the API server's defaults.
 * Reports what the API server refuses (BH202 to BH205, BH240, BH241, BH244, BH246), and as a warning a node port
 * outside the default range (BH310).
 */
export function decodeService(object: Cursor, namespace: string): Service {
  const spec = object.required("spec");
  const type = spec.field("type").enumeration(TYPES) ?? "ClusterIP";
  const headless = spec.field("clusterIP").string() === "None" || clusterIPItems(spec)[0]?.string() === "None";
  const externalName = spec.field("externalName").string() || undefined;
  const externalIPs = addresses(spec.field("externalIPs").list() ?? []);
  const selector = decodeLabels(spec.field("selector"));
  const ports = decodePorts(spec, type, headless);
  const sourceRanges = decodeSourceRanges(object, type);
  const name = object.document.name;

  if (type === "ExternalName") {
    if (externalName === undefined)
      spec.error("BH244", `${spec.describe()}: externalName is required for type ExternalName`);
    if (spec.has("clusterIP") && spec.field("clusterIP").value !== "")
      spec.field("clusterIP").error("BH244", `${spec.describe()}: clusterIP may not be set for ExternalName services`);
  }
  if (headless && type !== "ClusterIP" && type !== "ExternalName")
    spec.field("clusterIP").error("BH244", `${spec.describe()}: clusterIP may not be set to None for ${type} services`);
  const externalPolicy = spec.field("externalTrafficPolicy");
  const external = externalPolicy.enumeration(POLICIES);
  if (external !== undefined && type !== "NodePort" && type !== "LoadBalancer") {
    if (type !== "ClusterIP" || externalIPs.length === 0)
      externalPolicy.error(
        "BH244",
        `${externalPolicy.describe()} may only be set for externally-accessible services: NodePort, LoadBalancer, or ClusterIP with externalIPs`,
      );
  }
  const withoutNodePorts = type === "LoadBalancer" && spec.field("allocateLoadBalancerNodePorts").boolean() === false;
  return {
    namespace,
    name,
    labels: decodeLabels(object.field("metadata").field("labels")),
    type,
    headless,
    clusterIPs: headless || type === "ExternalName" ? [] : clusterIPs(spec),
    // SVC-07: an empty selector selects nothing, as if there were none.
    ...(selector.size === 0 ? {} : { selector }),
    ports,
    ...(externalName === undefined ? {} : { externalName }),
    externalIPs,
    loadBalancerAddresses: type === "LoadBalancer" ? loadBalancerAddresses(object) : [],
    externalTrafficPolicy: external ?? "Cluster",
    internalTrafficPolicy: spec.field("internalTrafficPolicy").enumeration(POLICIES) ?? "Cluster",
    ...(sourceRanges === undefined ? {} : { sourceRanges: addressSetOf(sourceRanges) }),
    publishNotReadyAddresses: spec.field("publishNotReadyAddresses").boolean() ?? false,
    ...(withoutNodePorts ? { withoutNodePorts: true } : {}),
    document: object.document,
  };
}

// ── addresses ──────────────────────────────────────────────────────────────────────────────────────────────────────

function addresses(cursors: Iterable<Cursor>): readonly Address[] {
  return [...cursors].flatMap((cursor) => decodeAddress(cursor) ?? []);
}

function clusterIPItems(spec: Cursor): readonly Cursor[] {
  return spec.field("clusterIPs").list() ?? [];
}

function clusterIPs(spec: Cursor): readonly Address[] {
  const listed = clusterIPItems(spec);
  return addresses(listed.length > 0 ? listed : [spec.field("clusterIP")]);
}

/** What the provider has given, else what the Service asks for. */
function loadBalancerAddresses(object: Cursor): readonly Address[] {
  const given = object.field("status").field("loadBalancer").field("ingress").list() ?? [];
  const known = addresses(given.map((item) => item.field("ip")));
  return known.length > 0 ? known : addresses([object.field("spec").field("loadBalancerIP")]);
}

/** SVC-15: the field, else the old annotation; only a LoadBalancer may have them (SVC-16). */
function decodeSourceRanges(object: Cursor, type: Service["type"]): readonly Prefix[] | undefined {
  const field = object.field("spec").field("loadBalancerSourceRanges");
  const listed = field.list() ?? [];
  const text = annotation(object, SOURCE_RANGES)?.trim();
  const only = "may only be used when `type` is 'LoadBalancer'";
  if (listed.length > 0) {
    if (type !== "LoadBalancer") field.error("BH244", `${field.describe()} ${only}`);
    return listed.flatMap((item) => {
      const prefix = parsePrefix(item.string()?.trim() ?? "");
      if (prefix === undefined && item.shape === "string")
        item.error("BH246", `${item.describe()}: ${JSON.stringify(item.value)} is not a prefix such as 10.0.0.0/24`);
      return prefix ?? [];
    });
  }
  if (text === undefined) return undefined;
  const at = object.field("metadata").field("annotations").field(SOURCE_RANGES);
  if (type !== "LoadBalancer") at.error("BH244", `${at.describe()} ${only}`);
  if (text === "") return undefined;
  return text.split(",").flatMap((part) => {
    const prefix = parsePrefix(part.trim());
    if (prefix === undefined)
      at.error("BH246", `${at.describe()}: ${JSON.stringify(part.trim())} is not a prefix such as 10.0.0.0/24`);
    return prefix ?? [];
  });
}

// ── ports ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function decodePorts(spec: Cursor, type: Service["type"], headless: boolean): readonly ServicePort[] {
  const range = { min: 1, max: 65535 } as const;
  const list = spec.field("ports").list() ?? [];
  if (list.length === 0 && !headless && type !== "ExternalName" && spec.shape === "object")
    spec.error("BH244", `${spec.describe()}: ports are required unless the Service is headless`);
  const out: ServicePort[] = [];
  const names = new Set<string>();
  const numbers = new Set<string>();
  const nodePorts = new Set<string>();
  for (const item of list) {
    const name = item.field("name").string() || undefined;
    if (name === undefined && list.length > 1)
      item.error("BH244", `${item.describe()}: a name is required where a Service has several ports`);
    if (name !== undefined) {
      if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name))
        item.field("name").error("BH241", `${item.describe()}: ${JSON.stringify(name)} is not a DNS label`);
      else if (names.has(name))
        item.field("name").error("BH244", `${item.describe()}: duplicate port name ${JSON.stringify(name)}`);
      names.add(name);
    }
    const port = item.required("port").integer(range);
    const protocol = decodeProtocol(item.field("protocol"));
    const target = decodeTargetPort(item.field("targetPort"));
    const nodePort = item.field("nodePort").integer({ min: 0, max: 65535 }) || undefined;
    const appProtocol = item.field("appProtocol").string() || undefined;
    if (port === undefined || protocol === undefined) continue;
    if (numbers.has(`${port}/${protocol}`))
      item.error("BH244", `${item.describe()}: duplicate port ${port}/${protocol}`);
    numbers.add(`${port}/${protocol}`);
    if (nodePort !== undefined) {
      const at = item.field("nodePort");
      if (type !== "NodePort" && type !== "LoadBalancer")
        at.error("BH244", `${at.describe()} may not be used when \`type\` is '${type}'`);
      else if (nodePorts.has(`${nodePort}/${protocol}`))
        at.error("BH244", `${at.describe()}: duplicate node port ${nodePort}/${protocol}`);
      else if (nodePort < NODE_PORTS.first || nodePort > NODE_PORTS.last)
        at.report("BH310", `${at.describe()}: ${nodePort} lies outside ${NODE_PORTS.first}-${NODE_PORTS.last}`);
      nodePorts.add(`${nodePort}/${protocol}`);
    }
    out.push({
      ...(name === undefined ? {} : { name }),
      protocol,
      port,
      targetPort: target ?? port,
      ...(nodePort === undefined ? {} : { nodePort }),
      ...(appProtocol === undefined ? {} : { appProtocol }),
    });
  }
  return out;
}

/** A number, or a container port's name; absent, empty and 0 mean the Service's own port (SVC-08). */
function decodeTargetPort(cursor: Cursor): number | string | undefined {
  const target = cursor.integerOrString({ min: 0, max: 65535 });
  if (target === undefined || target === 0 || target === "") return undefined;
  if (typeof target === "string") {
    const problem = portNameProblem(target);
    if (problem !== undefined)
      cursor.error("BH241", `${cursor.describe()}: port name ${JSON.stringify(target)} ${problem}`);
  }
  return target;
}

// ── among each other ───────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Finds node ports and cluster addresses that two Services want (SVC-16).
 *
 * Takes the Services in the order of the input. Returns those that come second and would be refused.
 * Reports each at its place (BH244).
 */
export function findTaken(services: readonly Service[], findings: Findings): ReadonlySet<Service> {
  const refused = new Set<Service>();
  const owners = new Map<string, Service>();
  const claim = (service: Service, key: string, what: string, path: readonly (string | number)[]): void => {
    const owner = owners.get(key);
    if (owner === undefined) owners.set(key, service);
    else if (owner !== service) {
      refused.add(service);
      const text = `Service ${service.namespace}/${service.name}: ${what} is taken by Service ${owner.namespace}/${owner.name}`;
      findings.report(diagnostic("BH244", text, service.document?.locate(path)));
    }
  };
  for (const service of services) {
    for (const [index, port] of service.ports.entries())
      if (port.nodePort !== undefined)
        claim(service, `port ${port.nodePort}`, `node port ${port.nodePort}`, ["spec", "ports", index, "nodePort"]);
    for (const address of service.clusterIPs) {
      const text = formatAddress(address);
      claim(service, `address ${text}`, `cluster address ${text}`, ["spec", "clusterIP"]);
    }
  }
  return refused;
}

/** Decodes the ranges of a ServiceCIDR. */
export function decodeServiceCIDR(object: Cursor): readonly Prefix[] {
  return (object.field("spec").field("cidrs").list() ?? []).flatMap((item) => decodePrefix(item) ?? []);
}
