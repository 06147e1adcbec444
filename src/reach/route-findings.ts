/** What keeps Ingress and Gateway objects from forwarding, said at its place (kubernetes.md ING-01, GW-01, GW-06, GW-08). */
import { type Code, type Diagnostic, diagnostic } from "../base/diagnostic.ts";
import { Findings } from "../documents/cursor.ts";
import type { Document, Path } from "../documents/document.ts";
import { Tally } from "../model/tally.ts";
import { attachmentsOf } from "./attachment.ts";
import type { Controller } from "./controllers.ts";
import type { Engine } from "./engine.ts";
import { isGranted } from "./gateway-forwards.ts";

/** Names routes that hang nowhere, backends that no grant lets them name, and objects that nobody, or nobody known, serves. */
export function routeFindings(engine: Engine): Diagnostic[] {
  const { world, inventory } = engine;
  const findings = new Findings();
  const unserved = new Map<string, { readonly code: Code; readonly tally: Tally }>();
  const serve = (name: string, document: Document | undefined, path: Path, controller: Controller): void => {
    if (document === undefined) return;
    const said =
      controller.kind === "nobody"
        ? { code: "BH322" as const, reason: controller.reason }
        : controller.kind === "unknown"
          ? { code: "BH323" as const, reason: controller.because.detail }
          : undefined;
    if (said === undefined) return;
    const known = unserved.get(said.reason) ?? { code: said.code, tally: new Tally() };
    known.tally.add(name, document, path);
    unserved.set(said.reason, known);
  };
  for (const ingress of world.ingresses) {
    const { controller } = inventory.controllers.ofIngress(ingress);
    serve(`Ingress ${ingress.namespace}/${ingress.name}`, ingress.document, ["spec"], controller);
  }
  for (const gateway of world.gateways) {
    const controller = inventory.controllers.ofGateway(gateway);
    serve(`Gateway ${gateway.namespace}/${gateway.name}`, gateway.document, ["spec"], controller);
  }
  for (const [reason, { code, tally }] of unserved) {
    tally.report(findings, code, (_, names) => `${names}: ${reason}`);
  }
  const out = [...findings.all];
  for (const { route, parent, index, refusal } of attachmentsOf(world)) {
    if (refusal === undefined) continue;
    const name = `${route.kind} ${route.namespace}/${route.name}`;
    const message = `${name} is not attached to ${parent.kind} ${parent.namespace}/${parent.name}: ${refusal}`;
    out.push(diagnostic("BH320", message, route.document?.locate(["spec", "parentRefs", index])));
  }
  for (const route of world.routes) {
    for (const [i, rule] of route.rules.entries()) {
      for (const [j, backend] of rule.backends.entries()) {
        if (backend.kind !== "Service" || backend.group !== "" || isGranted(world, route, backend)) continue;
        const message = `${route.kind} ${route.namespace}/${route.name}: no ReferenceGrant in ${backend.namespace} lets it name Service ${backend.name}`;
        out.push(diagnostic("BH321", message, route.document?.locate(["spec", "rules", i, "backendRefs", j])));
      }
    }
  }
  return out;
}
