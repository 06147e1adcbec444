/** References between the objects of the world that lead nowhere: a Service without pods, a backend without a Service. */
import { diagnostic } from "../base/diagnostic.ts";
import type { Findings } from "../documents/cursor.ts";
import type { Document, Path } from "../documents/document.ts";
import { selectedPods, targetPort } from "./backends.ts";
import { Tally } from "./tally.ts";
import { matchesEquality } from "./labels.ts";
import type { Ingress, Route, Service, ServiceBackend, Workload, World } from "./world.ts";
import { findService } from "./world-index.ts";

/**
 * Checks where references lead.
 *
 * Takes the world. Reports Services that select nothing (BH304), target ports that no selected pod declares (BH305),
 * backends that do not exist (BH306), and Services without selector and endpoints (BH313), each at its place.
 */
export function checkLinks(world: World, findings: Findings): void {
  const written = new Set(world.serviceEndpoints.map(({ namespace, service }) => `${namespace}/${service}`));
  const bare = new Tally();
  for (const service of world.services) {
    if (service.type === "ExternalName") continue;
    const name = `${service.namespace}/${service.name}`;
    if (written.has(name)) continue;
    if (service.selector !== undefined) checkSelection(world, service, service.selector, findings);
    else if (service.document !== undefined) bare.add(name, service.document, ["spec"]);
  }
  bare.report(findings, "BH313", (count, names) =>
    count === 1
      ? `Service ${names} has no selector, and the input has no endpoints of it`
      : `${count} Services have no selector, and the input has no endpoints of them: ${names}`,
  );
  for (const ingress of world.ingresses) checkIngress(world, ingress, findings);
  for (const route of world.routes) checkRoute(world, route, findings);
}

function isSelected(namespace: string, selector: ReadonlyMap<string, string>, workload: Workload): boolean {
  return (
    namespace === workload.namespace && workload.pods.some((pod) => matchesEquality(selector, pod.labels) !== "no")
  );
}

function checkSelection(
  world: World,
  service: Service,
  selector: ReadonlyMap<string, string>,
  findings: Findings,
): void {
  const name = `Service ${service.namespace}/${service.name}`;
  const pods = selectedPods(world, service);
  if (pods.length === 0) {
    // What its operator makes is told of the custom object.
    if (world.podMakers.some((maker) => isSelected(service.namespace, selector, maker.workload))) return;
    const text = [...selector].map(([key, value]) => `${key}=${value}`).join(",");
    const message = `${name} selects no pod: none of namespace ${service.namespace} has ${text}`;
    findings.report(diagnostic("BH304", message, service.document?.locate(["spec", "selector"])));
    return;
  }
  for (const [index, port] of service.ports.entries()) {
    if (pods.some(({ workload, pod }) => targetPort(workload, pod, port) !== undefined)) continue;
    const message = `${name}: no pod that it selects declares the port ${port.targetPort} for ${port.protocol}`;
    const place = service.document?.locate(["spec", "ports", index, "targetPort"]);
    findings.report(diagnostic("BH305", message, place));
  }
}

function checkIngress(world: World, ingress: Ingress, findings: Findings): void {
  const { namespace, document } = ingress;
  const check = (backend: ServiceBackend | undefined, path: Path): void => {
    if (backend === undefined) return;
    const missing = missingBackend(world, namespace, backend.service, backend.port);
    if (missing !== undefined) report(findings, `Ingress ${namespace}/${ingress.name}: ${missing}`, document, path);
  };
  check(ingress.defaultBackend, ["spec", "defaultBackend", "service"]);
  for (const [i, rule] of ingress.rules.entries())
    for (const [j, { backend }] of rule.paths.entries())
      check(backend, ["spec", "rules", i, "http", "paths", j, "backend", "service"]);
}

function checkRoute(world: World, route: Route, findings: Findings): void {
  for (const [i, rule] of route.rules.entries())
    for (const [j, backend] of rule.backends.entries()) {
      if (backend.group !== "" || backend.kind !== "Service" || backend.port === undefined) continue;
      const missing = missingBackend(world, backend.namespace, backend.name, backend.port);
      if (missing === undefined) continue;
      const message = `${route.kind} ${route.namespace}/${route.name}: ${missing}`;
      report(findings, message, route.document, ["spec", "rules", i, "backendRefs", j]);
    }
}

/** ING-02: the port of a backend is the Service's, by number or name. */
function missingBackend(world: World, namespace: string, name: string, port: number | string): string | undefined {
  const service = findService(world, namespace, name);
  if (service === undefined) return `Service ${namespace}/${name} is not in the input`;
  if (service.type === "ExternalName" && service.ports.length === 0) return undefined;
  const found = service.ports.some((own) => (typeof port === "number" ? own.port === port : own.name === port));
  return found ? undefined : `Service ${namespace}/${name} has no port ${port}`;
}

function report(findings: Findings, message: string, document: Document | undefined, path: Path): void {
  findings.report(diagnostic("BH306", message, document?.locate(path)));
}
