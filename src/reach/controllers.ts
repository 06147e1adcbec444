/**
 * Which pods serve an Ingress or a Gateway: what the user declares, pods with the labels of a controller that is known, the
 * identity that the network keeps for its own proxy, or a load balancer of a provider (kubernetes.md ING-01, GW-01).
 */
import type { Because } from "../base/because.ts";
import { Cursor, Findings } from "../documents/cursor.ts";
import type { Document } from "../documents/document.ts";
import { ingressClassOf } from "../model/ingresses.ts";
import type { Gateway, Ingress, Workload, World } from "../model/world.ts";
import type { Endpoint } from "./endpoint.ts";
import type { SpecificPaths } from "./ingress-forwards.ts";

/** Who serves the objects of one class. */
export type Controller =
  /** `because` is empty where nothing else in the input could be it. */
  | {
      readonly kind: "pods";
      readonly name: string;
      readonly members: readonly Endpoint[];
      readonly because: readonly Because[];
    }
  /** The proxy of the network itself (cilium.md R8.5). */
  | { readonly kind: "own"; readonly name: string; readonly members: readonly Endpoint[] }
  /** A proxy that is no pod of the input and has no identity here: a provider's load balancer, a network's own proxy. */
  | { readonly kind: "elsewhere"; readonly name: string }
  /** Nobody: what the objects name is not in the input, so nothing is exposed. */
  | { readonly kind: "nobody"; readonly reason: string }
  | { readonly kind: "unknown"; readonly because: Because };

/** What the user says of a controller. */
export interface DeclaredController {
  /** The class that it serves, of Ingress or Gateway; absent: every class. */
  readonly className?: string;
  /** A name of the contract: a workload, a pod, a selector of pods. */
  readonly endpoint: string;
}

// ── controllers that are known ─────────────────────────────────────────────────────────────────────────────────────

interface Known {
  readonly name: string;
  /** What its classes name as their controller. */
  readonly controllers: RegExp;
  /** Names that its classes usually have, for input without the class object. */
  readonly classes: readonly string[];
  /** Labels of the pods that proxy; one set of them is enough. */
  readonly labels: readonly Readonly<Record<string, string>>[];
  /** Components of the same installation that proxy nothing. */
  readonly notComponents: readonly string[];
  readonly specific: SpecificPaths;
  readonly where: "pods" | "own" | "provider";
}

const NAME = "app.kubernetes.io/name";

const KNOWN: readonly Known[] = [
  {
    name: "ingress-nginx",
    controllers: /^k8s\.io\/.*nginx/,
    classes: ["nginx"],
    labels: [{ [NAME]: "ingress-nginx" }, { app: "ingress-nginx" }, { "k8s-app": "nginx-ingress-controller" }],
    notComponents: ["admission-webhook", "default-backend"],
    specific: "prefix",
    where: "pods",
  },
  {
    name: "NGINX Ingress Controller",
    controllers: /^nginx\.org\//,
    classes: [],
    labels: [{ [NAME]: "nginx-ingress" }, { app: "nginx-ingress" }],
    notComponents: ["default-backend"],
    specific: "unknown",
    where: "pods",
  },
  {
    name: "NGINX Gateway Fabric",
    controllers: /^gateway\.nginx\.org\//,
    classes: [],
    labels: [{ [NAME]: "nginx-gateway-fabric" }],
    notComponents: [],
    specific: "unknown",
    where: "pods",
  },
  {
    name: "Traefik",
    controllers: /^traefik\.io\//,
    classes: ["traefik"],
    labels: [{ [NAME]: "traefik" }, { app: "traefik" }, { "k8s-app": "traefik-ingress-lb" }],
    notComponents: [],
    specific: "unknown",
    where: "pods",
  },
  {
    name: "HAProxy",
    controllers: /^(?:haproxy\.org|haproxy-ingress\.github\.io)\//,
    classes: ["haproxy"],
    labels: [
      { [NAME]: "kubernetes-ingress" },
      { [NAME]: "haproxy-ingress" },
      { run: "haproxy-ingress" },
      { "k8s-app": "haproxy-ingress" },
    ],
    notComponents: ["default-backend"],
    specific: "unknown",
    where: "pods",
  },
  {
    name: "Contour",
    controllers: /^projectcontour\.io\//,
    classes: ["contour"],
    // Envoy proxies; the pods of Contour itself only configure it.
    labels: [{ [NAME]: "contour", "app.kubernetes.io/component": "envoy" }, { app: "envoy" }],
    notComponents: ["contour"],
    specific: "unknown",
    where: "pods",
  },
  {
    name: "Kong",
    controllers: /konghq\.com\//,
    classes: ["kong"],
    labels: [{ [NAME]: "kong" }, { app: "ingress-kong" }, { app: "proxy-kong" }, { app: "kong-gateway" }],
    notComponents: ["controller", "migrations", "init-migrations"],
    specific: "unknown",
    where: "pods",
  },
  {
    name: "Envoy Gateway",
    controllers: /^gateway\.envoyproxy\.io\//,
    classes: ["eg", "envoy", "envoy-gateway"],
    labels: [{ [NAME]: "envoy", "app.kubernetes.io/managed-by": "envoy-gateway" }],
    notComponents: [],
    specific: "unknown",
    where: "pods",
  },
  {
    name: "Istio",
    controllers: /^istio\.io\//,
    classes: ["istio"],
    labels: [{ istio: "ingressgateway" }, { app: "istio-ingressgateway" }, { app: "istio-ingress" }],
    notComponents: [],
    specific: "unknown",
    where: "pods",
  },
  {
    name: "Cilium",
    controllers: /(?:^|\.)cilium(?:\.io)?\//,
    classes: ["cilium"],
    labels: [],
    notComponents: [],
    specific: "regex",
    where: "own",
  },
  {
    name: "AWS Load Balancer Controller",
    controllers: /^(?:ingress\.k8s\.aws|gateway\.k8s\.aws|application-networking\.k8s\.aws|eks\.amazonaws\.com)\//,
    classes: ["alb"],
    labels: [],
    notComponents: [],
    specific: "unknown",
    where: "provider",
  },
  {
    name: "Google Cloud load balancer",
    controllers: /^(?:k8s\.io\/ingress-gce|networking\.gke\.io\/)/,
    classes: ["gce", "gce-internal"],
    labels: [],
    notComponents: [],
    specific: "unknown",
    where: "provider",
  },
  {
    name: "Azure Application Gateway",
    controllers: /^azure\/application-gateway|^alb\.networking\.azure\.io\//,
    classes: ["azure-application-gateway", "azure/application-gateway"],
    labels: [],
    notComponents: [],
    specific: "unknown",
    where: "provider",
  },
];

/** Labels that pods of a Gateway carry whoever made them, with the label of its namespace; absent: its own namespace. */
const GATEWAY_LABELS = [
  { name: "gateway.networking.k8s.io/gateway-name" },
  { name: "gateway.envoyproxy.io/owning-gateway-name", namespace: "gateway.envoyproxy.io/owning-gateway-namespace" },
  { name: "projectcontour.io/owning-gateway-name" },
] as const;

/** Jobs install a controller and are none. */
const JOBS: readonly string[] = ["Job", "CronJob"];

// ── finding them ───────────────────────────────────────────────────────────────────────────────────────────────────

export interface ControllerOptions {
  readonly world: World;
  /** The ends that the pods of a workload are. */
  readonly members: (workload: Workload) => readonly Endpoint[];
  /** Whether the network has an identity of its own for its proxy. */
  readonly ownIngress: boolean;
  readonly declared: readonly DeclaredController[];
  /** The ends that a declared name stands for; empty where it stands for none. */
  readonly resolve: (name: string) => readonly Endpoint[];
}

/** Ingress objects that one controller serves together: their rules stand beside each other. */
export interface Served {
  readonly controller: Controller;
  readonly ingresses: readonly Ingress[];
  readonly specific: SpecificPaths;
}

export class Controllers {
  private readonly options: ControllerOptions;
  private readonly own: Endpoint = { kind: "reserved", reserved: "ingress", name: "ingress-controller" };
  private readonly found = new Map<Known, readonly Workload[]>();
  private readonly memo = new Map<string, { readonly controller: Controller; readonly specific: SpecificPaths }>();

  constructor(options: ControllerOptions) {
    this.options = options;
  }

  /** Every Ingress with those that the same controller serves, in the order of the input. */
  served(): readonly Served[] {
    const groups = new Map<string, { controller: Controller; specific: SpecificPaths; ingresses: Ingress[] }>();
    for (const ingress of this.options.world.ingresses) {
      const { controller, specific } = this.ofIngress(ingress);
      const key = this.ingressKey(ingress);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { controller, specific, ingresses: [ingress] });
      else group.ingresses.push(ingress);
    }
    return [...groups.values()];
  }

  private ingressKey(ingress: Ingress): string {
    return ingressClassOf(this.options.world, ingress)?.name ?? ingress.className ?? "";
  }

  /** Who serves an Ingress, and how it reads paths of its own type. */
  ofIngress(ingress: Ingress): { readonly controller: Controller; readonly specific: SpecificPaths } {
    const name = this.ingressKey(ingress);
    return this.remember(`ingress ${name}`, () => {
      const object = ingressClassOf(this.options.world, ingress);
      return this.serving("IngressClass", name, object?.controller, undefined);
    });
  }

  /** Who serves a Gateway. */
  ofGateway(gateway: Gateway): Controller {
    return this.remember(`gateway ${gateway.namespace}/${gateway.name}`, () => {
      const object = this.options.world.gatewayClasses.find((c) => c.name === gateway.className);
      return this.serving("GatewayClass", gateway.className, object?.controller, gateway);
    }).controller;
  }

  private remember(
    key: string,
    find: () => { readonly controller: Controller; readonly specific: SpecificPaths },
  ): { readonly controller: Controller; readonly specific: SpecificPaths } {
    const known = this.memo.get(key);
    if (known !== undefined) return known;
    const found = find();
    this.memo.set(key, found);
    return found;
  }

  private serving(
    kind: "IngressClass" | "GatewayClass",
    className: string,
    controllerName: string | undefined,
    gateway: Gateway | undefined,
  ): { readonly controller: Controller; readonly specific: SpecificPaths } {
    const known = KNOWN.find((k) =>
      controllerName === undefined ? k.classes.includes(className) : k.controllers.test(controllerName),
    );
    const specific = known?.specific ?? "unknown";
    return { controller: this.find(kind, className, controllerName, known, gateway), specific };
  }

  private find(
    kind: "IngressClass" | "GatewayClass",
    className: string,
    controllerName: string | undefined,
    known: Known | undefined,
    gateway: Gateway | undefined,
  ): Controller {
    const declared = this.declaredFor(className);
    if (declared !== undefined) return declared;
    const labelled = gateway === undefined ? [] : this.podsOfGateway(gateway);
    if (labelled.length > 0) return this.pods(labelled, []);
    if (known?.where === "own") {
      if (this.options.ownIngress) return { kind: "own", name: known.name, members: [this.own] };
      return { kind: "elsewhere", name: known.name };
    }
    if (known?.where === "provider") return { kind: "elsewhere", name: known.name };
    if (known !== undefined) {
      const candidates = this.candidates(known);
      const chosen = candidates.length > 1 ? claiming(candidates, className, controllerName) : candidates;
      if (chosen.length > 0) {
        const doubt =
          chosen.length > 1 ? [because(`${chosen.map((w) => w.id).join(" or ")} serves class ${className}`)] : [];
        return this.pods(chosen, doubt);
      }
    }
    const named = className === "" ? [] : this.everyCandidate().filter((w) => classArguments(w).includes(className));
    if (named.length > 0) return this.pods(named, []);
    if (controllerName !== undefined) return unknown(`no pods of ${controllerName}, which serves class ${className}`);
    if (className === "") return this.withoutClass();
    // ING-01, GW-01: without the class nobody acts.
    return { kind: "nobody", reason: `no ${kind} is called ${className}, and no controller for it is in the input` };
  }

  /** An Ingress that names no class where none is the default: some controllers take it all the same. */
  private withoutClass(): Controller {
    const all = this.everyCandidate();
    if (all.length === 0) return { kind: "nobody", reason: "it names no class, and none is the default" };
    return this.pods(all, [because("an Ingress without class where none is the default")]);
  }

  private declaredFor(className: string): Controller | undefined {
    const { declared, resolve } = this.options;
    const chosen = declared.filter((d) => d.className === className);
    const named = chosen.length > 0 ? chosen : declared.filter((d) => d.className === undefined);
    if (named.length === 0) return undefined;
    const members = named.flatMap(({ endpoint }) => resolve(endpoint));
    return { kind: "pods", name: named.map((d) => d.endpoint).join(", "), members, because: [] };
  }

  private pods(workloads: readonly Workload[], doubt: readonly Because[]): Controller {
    return {
      kind: "pods",
      name: workloads.map((w) => w.id).join(", "),
      members: workloads.flatMap((w) => this.options.members(w)),
      because: doubt,
    };
  }

  private podsOfGateway(gateway: Gateway): readonly Workload[] {
    return this.options.world.workloads.filter((workload) => {
      const labels = workload.pods[0]?.labels;
      return GATEWAY_LABELS.some((label) => {
        if (labels?.get(label.name) !== gateway.name) return false;
        const namespace = "namespace" in label ? labels.get(label.namespace) : workload.namespace;
        return namespace === gateway.namespace;
      });
    });
  }

  private candidates(known: Known): readonly Workload[] {
    let found = this.found.get(known);
    if (found === undefined) {
      found = this.options.world.workloads.filter((workload) => proxies(known, workload));
      this.found.set(known, found);
    }
    return found;
  }

  private everyCandidate(): readonly Workload[] {
    return [...new Set(KNOWN.flatMap((known) => this.candidates(known)))];
  }

  /** The ends that `ingress-controller` stands for (design: Endpoint names), or why they are not known. */
  everything(): { readonly members: readonly Endpoint[] } | { readonly because: readonly Because[] } {
    const { world, declared, ownIngress } = this.options;
    const serving = [
      ...world.ingresses.map((i) => this.ofIngress(i).controller),
      ...world.gateways.map((g) => this.ofGateway(g)),
    ];
    const members = new Set<Endpoint>();
    for (const controller of serving) {
      if ((controller.kind === "pods" && controller.because.length === 0) || controller.kind === "own") {
        for (const member of controller.members) members.add(member);
      }
    }
    if (members.size > 0) return { members: [...members] };
    if (declared.length > 0) {
      return { members: declared.flatMap(({ endpoint }) => this.options.resolve(endpoint)) };
    }
    const found = this.everyCandidate().flatMap((workload) => this.options.members(workload));
    if (found.length > 0) return { members: found };
    const elsewhere = serving.find((controller) => controller.kind === "elsewhere");
    if (elsewhere !== undefined) {
      return { because: [{ code: "source-address", detail: `from which addresses ${elsewhere.name} connects` }] };
    }
    if (ownIngress) return { members: [this.own] };
    const doubts = serving.flatMap((c) =>
      c.kind === "unknown" ? [c.because] : c.kind === "nobody" ? [because(c.reason)] : [],
    );
    return {
      because: doubts.length > 0 ? doubts : [because("the input has no controller of Ingress or Gateway objects")],
    };
  }
}

function because(detail: string): Because {
  return { code: "controller-unknown", detail };
}

function unknown(detail: string): Controller {
  return { kind: "unknown", because: because(detail) };
}

function proxies(known: Known, workload: Workload): boolean {
  const labels = workload.pods[0]?.labels;
  if (labels === undefined || JOBS.includes(workload.kind)) return false;
  const component = labels.get("app.kubernetes.io/component");
  if (typeof component === "string" && known.notComponents.includes(component)) return false;
  return known.labels.some((set) => Object.entries(set).every(([key, value]) => labels.get(key) === value));
}

/** Of several installations of one controller, those whose arguments name the class; else all. */
function claiming(
  candidates: readonly Workload[],
  className: string,
  controllerName: string | undefined,
): readonly Workload[] {
  const named = candidates.map((workload) => ({ workload, classes: classArguments(workload) }));
  const claiming = named.filter(
    ({ classes }) => classes.includes(className) || (controllerName !== undefined && classes.includes(controllerName)),
  );
  if (claiming.length > 0) return claiming.map(({ workload }) => workload);
  // One that names another class does not serve this one.
  const silent = named.filter(({ classes }) => classes.length === 0);
  return (silent.length > 0 ? silent : named).map(({ workload }) => workload);
}

const CLASS_ARGUMENT =
  /^--?(?:ingress-class|controller-class|ingressclass|ingress\.class|providers\.kubernetesingress\.ingressclass|ingress-class-name)=(.+)$/i;

function classArguments(workload: Workload): readonly string[] {
  const document = workload.document ?? workload.pods[0]?.document;
  if (document === undefined) return [];
  return argumentsOf(document).flatMap((argument) => CLASS_ARGUMENT.exec(argument)?.[1] ?? []);
}

function argumentsOf(document: Document): readonly string[] {
  const spec = Cursor.of(document, new Findings()).field("spec");
  const pod = document.kind === "Pod" ? spec : spec.field("template").field("spec");
  return (pod.field("containers").list() ?? []).flatMap((container) => [
    ...(container.field("command").strings() ?? []),
    ...(container.field("args").strings() ?? []),
  ]);
}
