import { parseAddress } from "./addresses.ts";
import type { KubeObject } from "./objects.ts";
import { refuse } from "./validation.ts";
import { fieldsOf, isGiven, itemsOf, textOf } from "./values.ts";

/** What the API rejects in an Ingress (ING-06, ING-01). */
export function checkIngress(object: KubeObject): void {
  const spec = fieldsOf(object.fields["spec"]);
  const rules = itemsOf(spec["rules"]).map(fieldsOf);
  if (rules.length === 0 && !isGiven(spec["defaultBackend"]))
    refuse("spec", "either `defaultBackend` or `rules` must be specified");
  if (isGiven(spec["defaultBackend"])) checkBackend("spec.defaultBackend", spec["defaultBackend"]);
  for (const rule of rules) {
    if (parseAddress(textOf(rule["host"]) ?? "") !== undefined) refuse("spec.rules.host", "must be a DNS name");
    if (!isGiven(rule["http"])) continue;
    const paths = itemsOf(fieldsOf(rule["http"])["paths"]).map(fieldsOf);
    if (paths.length === 0) refuse("spec.rules.http.paths", "required");
    for (const path of paths) {
      checkPath(textOf(path["path"]) ?? "", textOf(path["pathType"]));
      checkBackend("spec.rules.http.paths.backend", path["backend"]);
    }
  }
}

function checkPath(path: string, type: string | undefined): void {
  const place = "spec.rules.http.paths";
  if (type === undefined) return refuse(`${place}.pathType`, "pathType must be specified");
  if (type === "ImplementationSpecific") {
    if (path !== "" && !path.startsWith("/")) refuse(`${place}.path`, "must be an absolute path");
    return;
  }
  if (type !== "Exact" && type !== "Prefix") refuse(`${place}.pathType`, "unsupported value");
  if (!path.startsWith("/")) refuse(`${place}.path`, "must be an absolute path");
  for (const part of ["//", "/./", "/../", "%2f", "%2F"])
    if (path.includes(part)) refuse(`${place}.path`, `must not contain ${part}`);
  for (const part of ["/..", "/."]) if (path.endsWith(part)) refuse(`${place}.path`, `cannot end with ${part}`);
}

function checkBackend(path: string, value: unknown): void {
  const backend = fieldsOf(value);
  const hasService = isGiven(backend["service"]);
  if (hasService && isGiven(backend["resource"])) refuse(path, "cannot set both resource and service backends");
  if (!hasService && !isGiven(backend["resource"])) refuse(path, "resource or service backend is required");
  if (!hasService) return;
  const service = fieldsOf(backend["service"]);
  const port = fieldsOf(service["port"]);
  const byName = (textOf(port["name"]) ?? "") !== "";
  const byNumber = isGiven(port["number"]) && port["number"] !== 0;
  if (byName && byNumber) refuse(path, "cannot set both port name & port number");
  if (!byName && !byNumber) refuse(path, "port name or number is required");
  if (!textOf(service["name"])) refuse(path, "service name is required");
}
