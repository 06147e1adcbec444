/** Ingress and IngressClass: decoded, and refused where the API server refuses them (kubernetes.md ING-01 to ING-06). */
import type { Cursor } from "../documents/cursor.ts";
import { parseAddress } from "../net/address.ts";
import { portNameProblem, subdomainProblem } from "./label-syntax.ts";
import { annotation } from "./metadata.ts";
import type { Ingress, IngressClass, IngressPath, ServiceBackend, World } from "./world.ts";

const PATH_TYPES = ["Exact", "Prefix", "ImplementationSpecific"] as const;
const CLASS_ANNOTATION = "kubernetes.io/ingress.class";
const DEFAULT_ANNOTATION = "ingressclass.kubernetes.io/is-default-class";

/**
 * Decodes an Ingress.
 *
 * Takes the cursor on the object and its namespace. Returns the Ingress.
 * Reports what the API server refuses (ING-01, ING-06) as BH202 to BH205, BH241 or BH245.
 */
export function decodeIngress(object: Cursor, namespace: string): Ingress {
  const spec = object.field("spec");
  spec.object();
  const defaultBackend = spec.field("defaultBackend");
  const rules = spec.field("rules").list() ?? [];
  if (rules.length === 0 && defaultBackend.isAbsent)
    (spec.isAbsent ? object : spec).error(
      "BH245",
      `${object.describe()}: either \`defaultBackend\` or \`rules\` must be specified`,
    );
  const className = decodeClassName(object);
  const backend = defaultBackend.isAbsent ? undefined : decodeBackend(defaultBackend);
  return {
    namespace,
    name: object.document.name,
    ...(className === undefined ? {} : { className }),
    ...(backend === undefined ? {} : { defaultBackend: backend }),
    tlsHosts: (spec.field("tls").list() ?? []).flatMap((entry) => {
      const hosts = entry.field("hosts").strings() ?? [];
      return hosts.length === 0 ? ["*"] : hosts;
    }),
    rules: rules.map((rule) => {
      const host = decodeHost(rule.field("host"));
      return { ...(host === undefined ? {} : { host }), paths: decodePaths(rule.field("http")) };
    }),
    document: object.document,
  };
}

/** ING-01: the field, else the annotation; both only where they agree. */
function decodeClassName(object: Cursor): string | undefined {
  const field = object.field("spec").field("ingressClassName");
  const written = field.string();
  const legacy = annotation(object, CLASS_ANNOTATION);
  if (written !== undefined && legacy !== undefined && written !== legacy)
    object
      .field("metadata")
      .field("annotations")
      .field(CLASS_ANNOTATION)
      .error(
        "BH245",
        `${object.describe()}: the annotation ${CLASS_ANNOTATION} must match \`ingressClassName\` when both are specified`,
      );
  return written ?? legacy;
}

function decodeHost(cursor: Cursor): string | undefined {
  const host = cursor.string() || undefined;
  if (host === undefined) return undefined;
  if (parseAddress(host) !== undefined)
    cursor.error("BH245", `${cursor.describe()} must be a DNS name, not an IP address`);
  else {
    const problem = subdomainProblem(host.startsWith("*.") ? host.slice(2) : host);
    if (problem !== undefined) cursor.error("BH245", `${cursor.describe()}: ${JSON.stringify(host)} ${problem}`);
  }
  return host;
}

function decodePaths(http: Cursor): readonly IngressPath[] {
  if (http.object() === undefined) return [];
  const list = http.required("paths").list();
  if (list?.length === 0) http.field("paths").error("BH245", `${http.field("paths").describe()} must not be empty`);
  return (list ?? []).map((item) => {
    const pathCursor = item.field("path");
    const path = pathCursor.string() ?? "";
    const typeCursor = item.field("pathType");
    if (typeCursor.isAbsent) item.error("BH245", `${item.describe()}: pathType must be specified`);
    const type = typeCursor.enumeration(PATH_TYPES);
    if (type !== undefined) checkPath(pathCursor, path, type);
    const backendCursor = item.required("backend");
    const backend = backendCursor.isAbsent ? undefined : decodeBackend(backendCursor);
    return { path, type: type ?? "ImplementationSpecific", ...(backend === undefined ? {} : { backend }) };
  });
}

const FORBIDDEN = ["//", "/./", "/../", "%2f", "%2F"] as const;
const FORBIDDEN_ENDS = ["/..", "/."] as const;

function checkPath(at: Cursor, path: string, type: IngressPath["type"]): void {
  const place = JSON.stringify(path);
  if (type === "ImplementationSpecific") {
    if (path !== "" && !path.startsWith("/")) at.error("BH245", `${at.describe()}: ${place} must be an absolute path`);
    return;
  }
  if (!path.startsWith("/")) {
    at.error("BH245", `${at.describe()}: ${place} must be an absolute path`);
    return;
  }
  for (const part of FORBIDDEN)
    if (path.includes(part)) at.error("BH245", `${at.describe()}: ${place} must not contain '${part}'`);
  for (const end of FORBIDDEN_ENDS)
    if (path.endsWith(end)) at.error("BH245", `${at.describe()}: ${place} cannot end with '${end}'`);
}

/** A Service of the Ingress' own namespace (ING-02); `undefined` for a resource, or, reported, for neither. */
function decodeBackend(cursor: Cursor): ServiceBackend | undefined {
  if (cursor.object() === undefined) return undefined;
  const service = cursor.field("service");
  if (cursor.has("resource")) {
    if (!service.isAbsent) cursor.error("BH245", `${cursor.describe()}: cannot set both resource and service backends`);
    return undefined;
  }
  if (service.isAbsent) {
    cursor.error("BH245", `${cursor.describe()}: resource or service backend is required`);
    return undefined;
  }
  const name = service.required("name").string();
  const port = service.field("port");
  port.object();
  const portName = port.field("name").string() || undefined;
  const number = port.field("number").integer({ min: 0, max: 65535 }) || undefined;
  if (portName !== undefined && number !== undefined) {
    port.error("BH245", `${port.describe()}: cannot set both port name & port number`);
    return undefined;
  }
  if (portName === undefined && number === undefined) {
    (port.isAbsent ? service : port).error("BH245", `${service.describe()}: port name or number is required`);
    return undefined;
  }
  if (portName !== undefined) {
    const problem = portNameProblem(portName);
    if (problem !== undefined) port.field("name").error("BH241", `port name ${JSON.stringify(portName)} ${problem}`);
  }
  const target = portName ?? number;
  return name === undefined || target === undefined ? undefined : { service: name, port: target };
}

/**
 * Decodes an IngressClass.
 *
 * Takes the cursor on the object. Returns the class; the controller is empty where the object names none.
 */
export function decodeIngressClass(object: Cursor): IngressClass {
  return {
    name: object.document.name,
    controller: object.field("spec").field("controller").string() ?? "",
    isDefault: annotation(object, DEFAULT_ANNOTATION) === "true",
    document: object.document,
  };
}

/**
 * Finds the class of an Ingress (ING-01).
 *
 * Takes the world and the Ingress. Returns the class that it names, or the only default class where it names none;
 * `undefined` when the input has no such class.
 */
export function ingressClassOf(world: World, ingress: Ingress): IngressClass | undefined {
  if (ingress.className !== undefined)
    return world.ingressClasses.find((candidate) => candidate.name === ingress.className);
  const defaults = world.ingressClasses.filter((candidate) => candidate.isDefault);
  return defaults.length === 1 ? defaults[0] : undefined;
}
