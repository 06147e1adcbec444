/**
 * Paths from outside to pods: load balancers, node ports, ports of the host, Ingress and Gateway, each as hops with a
 * verdict of its own (kubernetes.md section 7, ING-07, GW-10). A controller ends a connection and begins another: a path
 * through it is two connections, judged apart, and the requests that both let through.
 */
import { type Because, mergeBecause } from "../base/because.ts";
import type { PodInstance, Workload, World } from "../model/world.ts";
import type { Family } from "../net/address.ts";
import { type ApplicationQuestion, applicationUnion, EVERYTHING, NOTHING } from "../net/application.ts";
import { flowAt } from "../net/flow-set.ts";
import type { PortProtocol } from "../net/protocol.ts";
import { attachmentsOf } from "./attachment.ts";
import type { Bounded } from "./bounded.ts";
import type { Controller } from "./controllers.ts";
import { type Endpoint, endpointFamilies } from "./endpoint.ts";
import { type Entrance, Entrances } from "./entrance.ts";
import { pointVerdict, type Verdict } from "./explain.ts";
import { type Forward, serviceOf } from "./forward.ts";
import { gatewayForwards } from "./gateway-forwards.ts";
import type { Hop, RouteHop } from "./hop.ts";
import { IngressTable } from "./ingress-forwards.ts";
import type { Group, Inventory } from "./inventory.ts";
import { type Draft, grouped, joined } from "./joined-paths.ts";
import type { Legs } from "./leg.ts";
import type { NorthSouthPath } from "./north-south-path.ts";
import {
  EVERY_REQUEST,
  NO_REQUEST,
  onlyPossible,
  type Requests,
  requestsBetween,
  requestsExist,
  requestsHave,
  requestsIntersect,
  requestsOf,
} from "./requests.ts";
import { rewritten, withoutPort } from "./rewrite.ts";
import {
  controllerName,
  defaultPort,
  dialledAt,
  isNamedFor,
  placeOf,
  refusedServing,
  ruleText,
  type Serving,
  serves,
} from "./serving.ts";
import { type Delivery, type Services, serviceName, SOME_NODE, SOMEWHERE } from "./services.ts";

export interface PathQuery {
  /** Something outside, by a name of the contract. */
  readonly from: string;
  /** A workload, a pod, a Service or a selector; absent: every workload. */
  readonly to?: string;
  /** The port at the pod; of a Service, the Service's. Absent: every port that a way leads to. */
  readonly port?: { readonly protocol: PortProtocol; readonly port: number };
  /** Absent: whether any request passes. */
  readonly application?: ApplicationQuestion;
}

export class NorthSouth {
  private readonly world: World;
  private readonly inventory: Inventory;
  private readonly services: Services;
  private readonly legs: Legs;
  private readonly entrances: Entrances;
  private readonly byService = new Map<string, readonly Serving[]>();
  private tables: readonly { readonly controller: Controller; readonly table: IngressTable }[] | undefined;
  private routes: ReadonlyMap<string, readonly Serving[]> | undefined;
  /** Connections that several paths of one query share; only where no request is asked. */
  private readonly legsOnTheWay = new Map<string, LegAnswer | undefined>();
  private readonly numbers = new WeakMap<object, number>();
  private counted = 0;

  constructor(world: World, inventory: Inventory, services: Services, legs: Legs) {
    this.world = world;
    this.inventory = inventory;
    this.services = services;
    this.legs = legs;
    this.entrances = new Entrances(world);
  }

  /** Every path, by target, then in the order of the input. Sources that fare alike are one. */
  paths(query: PathQuery): readonly NorthSouthPath[] {
    this.legsOnTheWay.clear();
    const sources = this.sources(query.from);
    if (sources.length === 0) return [];
    const out: NorthSouthPath[] = [];
    for (const { group, pods, service } of this.targets(query.to)) {
      const perPod = pods.map(({ pod, endpoint }) => ({
        endpoint,
        paths: this.toPod(query, sources, group.workload, pod, endpoint, service),
      }));
      out.push(...joined(perPod, pods.length === group.members.length ? group.name : undefined));
    }
    return out;
  }

  private sources(name: string): readonly Source[] {
    const resolved = this.inventory.resolve(name);
    if (resolved.kind !== "endpoints") return [];
    return resolved.members.filter((member) => member.kind === "outside");
  }

  private targets(name: string | undefined): readonly Target[] {
    if (name === undefined) return this.inventory.groups.map((group) => this.target(group, group.members));
    const resolved = this.inventory.resolve(name);
    if (resolved.kind === "problem" || resolved.kind === "unsure") return [];
    const members = resolved.kind === "service" ? this.services.behind(resolved.service) : resolved.members;
    const groups = new Map<Group, Endpoint[]>();
    for (const member of members) {
      const owner = this.inventory.ownerOf(member);
      if (owner === undefined) continue;
      const list = groups.get(owner.group);
      if (list === undefined) groups.set(owner.group, [member]);
      else list.push(member);
    }
    const service = resolved.kind === "service" ? { service: serviceName(resolved.service) } : {};
    return [...groups].map(([group, own]) => ({ ...this.target(group, own), ...service }));
  }

  private target(group: Group, members: readonly Endpoint[]): Target {
    const pods = members.flatMap((endpoint) => {
      const owner = this.inventory.ownerOf(endpoint);
      return owner === undefined ? [] : [{ endpoint, pod: owner.pod }];
    });
    return { group, pods };
  }

  private toPod(
    query: PathQuery,
    sources: readonly Source[],
    workload: Workload,
    pod: PodInstance,
    endpoint: Endpoint,
    service: string | undefined,
  ): readonly NorthSouthPath[] {
    const out: NorthSouthPath[] = [];
    for (const entrance of this.entrances.to(workload, pod)) {
      if (!isAsked(query, service, entrance)) continue;
      out.push(...grouped(query.from, sources, (from) => this.enter(from, entrance, endpoint, query)));
    }
    for (const behind of this.entrances.servicesOf(pod)) {
      const name = `${behind.service.namespace}/${behind.service.name}`;
      for (const serving of this.serving(name)) {
        const { target } = serving.forward;
        if (target.kind === "service" && target.port !== behind.port) continue;
        const arrival = {
          protocol: behind.port.protocol,
          port: behind.target,
          service: behind.service,
          servicePort: behind.port,
        };
        if (!isAsked(query, service, arrival)) continue;
        const arriving = { endpoint, ...behind };
        out.push(...grouped(query.from, sources, (from) => this.through(from, serving, arriving, query)));
      }
    }
    return out;
  }

  // ── straight in ──────────────────────────────────────────────────────────────────────────────────────────────────

  private enter(from: Source, entrance: Entrance, endpoint: Endpoint, query: PathQuery): readonly Draft[] {
    const leg = this.entering(from, entrance, endpoint, query.application);
    if (leg === undefined) return [];
    return [
      {
        way: entrance.way,
        to: endpoint.name,
        protocol: entrance.protocol,
        port: entrance.port,
        dialled: entrance.dialled,
        verdict: leg.verdict,
        because: leg.verdict === "unsure" ? leg.because : [],
        requests: leg.requests,
        hops: leg.hops,
      },
    ];
  }

  /** What `make` answers for the same ends and words, once where no request is asked. */
  private shared(
    asked: ApplicationQuestion | undefined,
    ends: readonly object[],
    words: string,
    make: () => LegAnswer | undefined,
  ): LegAnswer | undefined {
    if (asked !== undefined) return make();
    const key = `${ends.map((end) => this.numberOf(end)).join(" ")} ${words}`;
    if (this.legsOnTheWay.has(key)) return this.legsOnTheWay.get(key);
    const made = make();
    this.legsOnTheWay.set(key, made);
    return made;
  }

  private numberOf(end: object): number {
    let number = this.numbers.get(end);
    if (number === undefined) {
      number = this.counted++;
      this.numbers.set(end, number);
    }
    return number;
  }

  /** A connection from outside by an entrance; undefined where both ends share no family. */
  private entering(
    from: Source,
    entrance: Entrance,
    endpoint: Endpoint,
    application: ApplicationQuestion | undefined,
  ): LegAnswer | undefined {
    const words = `${entrance.way} ${entrance.dialled} ${entrance.port}/${entrance.protocol}`;
    const ends = [from, endpoint, ...(entrance.service === undefined ? [] : [entrance.service])];
    return this.shared(application, ends, words, () => this.enterOnce(from, entrance, endpoint, application));
  }

  private enterOnce(
    from: Source,
    entrance: Entrance,
    endpoint: Endpoint,
    application: ApplicationQuestion | undefined,
  ): LegAnswer | undefined {
    const { service, servicePort, port, protocol, way } = entrance;
    const turned =
      service !== undefined && way === "load-balancer" ? this.services.turnedAway(from, service) : undefined;
    const route: RouteHop = {
      kind: "route",
      at: routeName(entrance, endpoint),
      detail: entrance.dialled,
      verdict: "allow",
      because: [],
      ...(service?.document === undefined ? {} : { place: { document: service.document, path: ["spec"] } }),
    };
    if (turned?.verdict === "deny") {
      return { verdict: "deny", because: [], requests: NO_REQUEST, hops: [route, turned] };
    }
    const kind = way === "node-port" ? "node" : "outer";
    const delivery = this.services.entering(
      from,
      endpoint,
      port,
      service === undefined || servicePort === undefined ? undefined : { service, kind, port: servicePort },
    );
    const doubt = [...delivery.doubt, ...entrance.doubt, ...(turned?.because ?? [])];
    const leg = this.leg(from, { ...delivery, doubt }, protocol, application);
    if (leg === undefined) return undefined;
    return { ...leg, hops: [route, ...(turned === undefined ? [] : [turned]), ...leg.hops] };
  }

  /** One connection in every family that both ends have. */
  private leg(
    from: Endpoint,
    delivery: Delivery,
    protocol: PortProtocol,
    application: ApplicationQuestion | undefined,
  ): LegAnswer | undefined {
    const own = endpointFamilies(delivery.endpoint);
    const families = endpointFamilies(from).filter((f) => own.includes(f) && (delivery.families?.includes(f) ?? true));
    let answer: LegAnswer | undefined;
    for (const family of families) {
      const one = this.legIn(from, delivery, protocol, family, application);
      answer = answer === undefined ? one : eitherLeg(answer, one, delivery.endpoint);
    }
    return answer;
  }

  private legIn(
    from: Endpoint,
    delivery: Delivery,
    protocol: PortProtocol,
    family: Family,
    application: ApplicationQuestion | undefined,
  ): LegAnswer {
    const { port } = delivery;
    const [replica = "another"] = this.legs.replicas(from, delivery);
    const bounds = this.legs.bounds(from, delivery, replica, family, protocol);
    const point = { family, protocol, port, ...(application === undefined ? {} : { application }) };
    const filters = this.legs.filters(from, delivery, replica, point);
    return {
      verdict: pointVerdict(bounds, point),
      because: bounds.because,
      requests: requestsAt(bounds, family, protocol, port),
      // No policy selects what is outside.
      hops: [
        ...delivery.hops,
        ...filters.filter((hop) => hop.kind !== "filter" || from.kind !== "outside" || hop.at !== from.name),
      ],
    };
  }

  // ── through a controller ─────────────────────────────────────────────────────────────────────────────────────────

  /** Every rule that names a Service, `ns/name`. */
  private serving(name: string): readonly Serving[] {
    let found = this.byService.get(name);
    if (found === undefined) {
      this.tables ??= this.inventory.controllers.served().map(({ controller, ingresses, specific }) => ({
        controller,
        table: new IngressTable(this.world, ingresses, specific),
      }));
      this.routes ??= this.allRoutes();
      const ingress = this.tables.flatMap(({ controller, table }) =>
        table.naming(name).map((forward): Serving => ({ way: "ingress", forward, controller, protocol: "TCP" })),
      );
      found = [...ingress, ...(this.routes.get(name) ?? [])];
      this.byService.set(name, found);
    }
    return found;
  }

  /** The rules of all routes, by the Service that they name. */
  private allRoutes(): ReadonlyMap<string, readonly Serving[]> {
    const out = new Map<string, Serving[]>();
    const add = (serving: Serving): void => {
      const name = serviceOf(serving.forward.target);
      if (name === undefined) return;
      const list = out.get(name);
      if (list === undefined) out.set(name, [serving]);
      else list.push(serving);
    };
    const attachments = attachmentsOf(this.world);
    for (const gateway of this.world.gateways) {
      const controller = this.inventory.controllers.ofGateway(gateway);
      for (const { listener, forwards } of gatewayForwards(this.world, gateway, attachments)) {
        const protocol = listener.protocol === "UDP" ? "UDP" : "TCP";
        for (const forward of forwards) add({ way: "gateway", forward, controller, port: listener.port, protocol });
      }
    }
    for (const attachment of attachments) {
      if (attachment.refusal !== undefined) for (const serving of refusedServing(attachment)) add(serving);
    }
    return out;
  }

  private through(from: Source, serving: Serving, arriving: Arriving, query: PathQuery): readonly Draft[] {
    const { forward, controller } = serving;
    const { endpoint, target: port } = arriving;
    const protocol = arriving.port.protocol;
    const draft = (dialled: string, rest: Pick<Draft, "verdict" | "because" | "requests" | "hops">): Draft => ({
      way: serving.way,
      to: endpoint.name,
      protocol,
      port,
      dialled,
      through: { object: forward.object, host: forward.host, match: forward.match },
      ...rest,
    });
    const refusal = serving.refusal ?? (controller.kind === "nobody" ? controller.reason : undefined);
    if (refusal !== undefined) {
      const end: RouteHop = {
        kind: "route",
        at: forward.object,
        detail: refusal,
        verdict: "deny",
        because: [],
        ...placeOf(forward),
      };
      return [draft(dialledAt(serving), { verdict: "deny", because: [], requests: NO_REQUEST, hops: [end] })];
    }
    const second = this.fromController(serving, arriving, query.application);
    return this.toController(from, serving, query.application).map((first) =>
      draft(first.dialled, this.together(serving, first, second, query.application)),
    );
  }

  /** Both connections and the rule between them. */
  private together(
    { forward, controller }: Serving,
    first: LegAnswer,
    second: LegAnswer,
    asked: ApplicationQuestion | undefined,
  ): Pick<Draft, "verdict" | "because" | "requests" | "hops"> {
    const terminate = (detail: string, verdict: Verdict, because: readonly Because[]): Hop => ({
      kind: "terminate",
      at: controllerName(controller),
      detail,
      requests: forward.requests,
      verdict,
      because,
      ...placeOf(forward),
    });
    const { target } = forward;
    if (target.kind === "nobody" || target.kind === "unknown") {
      const verdict: Verdict = target.kind === "nobody" ? "deny" : "unsure";
      const because = target.kind === "unknown" ? [target.because] : [];
      const detail = target.kind === "nobody" ? target.reason : target.because.detail;
      const hops = [...first.hops, terminate(`${ruleText(forward)}: ${detail}`, verdict, because)];
      return { verdict, because, requests: NO_REQUEST, hops };
    }
    const routed = routedAs(asked, forward);
    const here = requestVerdict(forward.requests, routed);
    const doubt = here === "unsure" ? unsureBecause(forward.requests, routed) : [];
    const beyond = this.afterRewriting(second.requests, forward, asked);
    const requests = requestsIntersect(requestsIntersect(first.requests, forward.requests), beyond);
    const verdict = allOf([first.verdict, here, second.verdict, requestVerdict(requests, routed)]);
    const because = [first.because, doubt, second.because, requests.because].reduce(mergeBecause);
    return {
      verdict,
      because: verdict !== "unsure" ? [] : because.length > 0 ? because : [LIMIT],
      requests,
      hops:
        here === "deny"
          ? [...first.hops, terminate(`${ruleText(forward)}: another rule takes the request`, here, [])]
          : [...first.hops, terminate(ruleText(forward), here, doubt), ...second.hops],
    };
  }

  /** From outside to whoever serves the object, by every way that leads there. */
  private toController(
    from: Source,
    serving: Serving,
    asked: ApplicationQuestion | undefined,
  ): readonly (LegAnswer & { readonly dialled: string })[] {
    const { controller, forward } = serving;
    const dialled = dialledAt(serving);
    switch (controller.kind) {
      case "nobody":
        return [];
      case "unknown": {
        const because = [controller.because];
        const { detail } = controller.because;
        const route: RouteHop = {
          kind: "route",
          at: forward.object,
          detail,
          verdict: "unsure",
          because,
          ...placeOf(forward),
        };
        const requests = onlyPossible(EVERY_REQUEST, because);
        return [{ verdict: "unsure", because, requests, hops: [route], dialled }];
      }
      case "elsewhere": {
        const route: RouteHop = { kind: "route", at: controller.name, detail: dialled, verdict: "allow", because: [] };
        return [{ verdict: "allow", because: [], requests: EVERY_REQUEST, hops: [route], dialled }];
      }
      case "own": {
        const [member] = controller.members;
        if (member === undefined) return [];
        const port = serving.port ?? defaultPort(forward);
        const leg = this.leg(from, this.services.entering(from, member, port, undefined), serving.protocol, asked);
        if (leg === undefined) return [];
        const at = `load balancer of ${forward.object}`;
        const detail = `${dialled}, served by ${controller.name}`;
        const route: RouteHop = { kind: "route", at, detail, verdict: "allow", because: [], ...placeOf(forward) };
        return [{ ...leg, hops: [route, ...leg.hops], dialled }];
      }
      case "pods":
        return this.toControllerPods(from, serving, controller, asked);
    }
  }

  private toControllerPods(
    from: Source,
    serving: Serving,
    controller: Extract<Controller, { kind: "pods" }>,
    asked: ApplicationQuestion | undefined,
  ): readonly (LegAnswer & { readonly dialled: string })[] {
    const found = new Map<string, LegAnswer & { readonly dialled: string }>();
    const add = (key: string, leg: LegAnswer, dialled: string, chosen: boolean): void => {
      const known = found.get(key);
      if (known === undefined) found.set(key, { ...leg, dialled });
      // Whoever dials a node chooses it; behind a Service any pod may take the connection.
      else if (!chosen) found.set(key, { ...eitherMember(known, leg, controller.name), dialled });
      else if (RANK[leg.verdict] < RANK[known.verdict]) found.set(key, { ...leg, dialled });
    };
    for (const member of controller.members) {
      const owner = this.inventory.ownerOf(member);
      if (owner === undefined) continue;
      const { workload } = owner.group;
      const entrances = this.entrances.to(workload, owner.pod).filter((entrance) => serves(entrance, serving));
      for (const entrance of entrances) {
        const leg = this.entering(from, entrance, member, asked);
        const { way, service, dialled } = entrance;
        const key = `${way} ${service === undefined ? workload.id : serviceName(service)} ${dialled}`;
        if (leg !== undefined) add(key, leg, dialled, service === undefined);
      }
      if (entrances.length > 0) continue;
      const direct = this.straightTo(from, serving, member, workload, asked);
      if (direct !== undefined) add(`straight ${workload.id}`, direct, direct.dialled, false);
    }
    const legs = [...found.values()];
    const doubt = controller.because;
    if (doubt.length === 0) return legs;
    return legs.map((leg) => ({
      ...leg,
      verdict: leg.verdict === "deny" ? "deny" : "unsure",
      because: mergeBecause(leg.because, doubt),
      requests: onlyPossible(leg.requests, doubt),
    }));
  }

  /** Nothing in the input leads from outside to the controller: what does is missing. */
  private straightTo(
    from: Source,
    serving: Serving,
    member: Endpoint,
    workload: Workload,
    asked: ApplicationQuestion | undefined,
  ): (LegAnswer & { readonly dialled: string }) | undefined {
    const wanted = serving.port ?? defaultPort(serving.forward);
    const port =
      workload.ports.find((own) => own.port === wanted || isNamedFor(own.name, serving.forward))?.port ?? wanted;
    const because: Because = { code: "missing-object", detail: `what leads from outside to ${member.name}` };
    const delivery = { ...this.services.entering(from, member, port, undefined), doubt: [because] };
    const leg = this.leg(from, delivery, serving.protocol, asked);
    if (leg === undefined) return undefined;
    const route: RouteHop = {
      kind: "route",
      at: member.name,
      detail: "no load balancer, node port or port of the host in the input leads to it",
      verdict: "unsure",
      because: [because],
    };
    return { ...leg, hops: [route, ...leg.hops], dialled: dialledAt(serving) };
  }

  /** From whoever serves the object to the pod. */
  private fromController(serving: Serving, arriving: Arriving, asked: ApplicationQuestion | undefined): LegAnswer {
    const { endpoint, service, port, target } = arriving;
    const ends = [serving.controller, endpoint, service];
    const make = (): LegAnswer => this.fromControllerOnce(serving, arriving, asked);
    return this.shared(asked, ends, `${port.port}/${port.protocol} ${target}`, make) ?? UNREACHED;
  }

  private fromControllerOnce(serving: Serving, arriving: Arriving, asked: ApplicationQuestion | undefined): LegAnswer {
    const { controller, forward } = serving;
    const { endpoint, target, service, port, doubt } = arriving;
    const rewrite: Hop = {
      kind: "rewrite",
      service: serviceName(service),
      detail: `${port.port} → ${target}`,
    };
    const delivery = (source: Endpoint): Delivery => ({
      endpoint,
      port: target,
      hops: [rewrite],
      sightings: [{ towards: { endpoint, port: target }, source }],
      doubt,
    });
    const question = requestAfter(forward, asked);
    const protocol = port.protocol;
    switch (controller.kind) {
      case "pods":
      case "own": {
        let answer: LegAnswer | undefined;
        for (const member of controller.members) {
          const one = this.leg(member, delivery(member), protocol, question);
          if (one === undefined) continue;
          answer = answer === undefined ? one : eitherMember(answer, one, controller.name);
        }
        return answer ?? UNREACHED;
      }
      case "elsewhere": {
        let answer: LegAnswer | undefined;
        for (const family of endpointFamilies(endpoint)) {
          const source = SOMEWHERE[family];
          const towards = { endpoint, port: target };
          const way: Delivery = {
            ...delivery(source),
            sightings: [
              { towards, source, when: `${controller.name} connects from an address outside` },
              { towards, source: SOME_NODE, when: `${controller.name} connects from a node, or through a node port` },
            ],
          };
          const one = this.leg(source, way, protocol, question);
          if (one !== undefined) answer = answer === undefined ? one : eitherLeg(answer, one, endpoint);
        }
        return answer ?? UNREACHED;
      }
      case "unknown": {
        const because = [controller.because];
        const route: RouteHop = {
          kind: "route",
          at: endpoint.name,
          detail: "the source is not known",
          verdict: "unsure",
          because,
        };
        return { verdict: "unsure", because, requests: onlyPossible(EVERY_REQUEST, because), hops: [rewrite, route] };
      }
      case "nobody":
        return UNREACHED;
    }
  }

  /** The requests before a rewrite of those that pass after it: without one they are the same. */
  private afterRewriting(requests: Requests, forward: Forward, asked: ApplicationQuestion | undefined): Requests {
    if (forward.rewrite === undefined || requests.must === EVERYTHING || requests.may === NOTHING) return requests;
    // The request that is asked was judged as it leaves the controller, where that is known.
    if (requestAfter(forward, asked)?.http !== undefined) return EVERY_REQUEST;
    const because: Because = {
      code: "application-rule",
      detail: `${forward.object} rewrites the request, and a rule behind it judges the rest`,
    };
    return onlyPossible(EVERY_REQUEST, [because]);
  }
}

type Source = Extract<Endpoint, { kind: "outside" }>;

interface Target {
  readonly group: Group;
  readonly pods: readonly { readonly endpoint: Endpoint; readonly pod: PodInstance }[];
  /** The Service that was asked for: only ways through it count. */
  readonly service?: string;
}

interface Arriving {
  readonly endpoint: Endpoint;
  readonly service: Delivery["service"] & object;
  readonly port: { readonly port: number; readonly protocol: PortProtocol };
  readonly target: number;
  readonly doubt: readonly Because[];
}

interface LegAnswer {
  readonly verdict: Verdict;
  readonly because: readonly Because[];
  readonly requests: Requests;
  readonly hops: readonly Hop[];
}

const UNREACHED: LegAnswer = { verdict: "deny", because: [], requests: NO_REQUEST, hops: [] };
/** Where a search over languages came to no end. */
const LIMIT: Because = { code: "pattern-limit", detail: "whether any request passes all rules of the path" };
const RANK: Readonly<Record<Verdict, number>> = { allow: 0, unsure: 1, deny: 2 };

// ── what is asked ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Of a Service the Service's port is asked, and ways through others do not count. */
function isAsked(
  query: PathQuery,
  service: string | undefined,
  way: Pick<Entrance, "protocol" | "port" | "service" | "servicePort">,
): boolean {
  if (service !== undefined && (way.service === undefined || serviceName(way.service) !== service)) return false;
  if (query.port === undefined) return true;
  const port = service === undefined ? way.port : way.servicePort?.port;
  return way.protocol === query.port.protocol && port === query.port.port;
}

/** The request as routes see it: the host in lower case, without port, and named in the handshake where TLS passes through. */
function routedAs(asked: ApplicationQuestion | undefined, forward: Forward): ApplicationQuestion | undefined {
  if (asked?.http === undefined) return asked;
  const http = withoutPort(asked.http);
  if (forward.over !== "tls" || asked.tls !== undefined || http.host === undefined) return { ...asked, http };
  return { ...asked, http, tls: { serverName: http.host } };
}

/** The request as it leaves the controller. */
function requestAfter(forward: Forward, asked: ApplicationQuestion | undefined): ApplicationQuestion | undefined {
  if (asked?.http === undefined || forward.rewrite === undefined) return asked;
  const http = rewritten(asked.http, forward.rewrite, forward.prefix);
  if (http !== undefined) return { ...asked, http };
  const { http: _, ...rest } = asked;
  return rest;
}

/** Whether the request that is asked, or any at all, is in a set. */
function requestVerdict(requests: Requests, asked: ApplicationQuestion | undefined): Verdict {
  const has = asked === undefined ? requestsExist(requests) : requestsHave(requests, asked);
  return has === "yes" ? "allow" : has === "no" ? "deny" : "unsure";
}

function unsureBecause(requests: Requests, asked: ApplicationQuestion | undefined): readonly Because[] {
  if (requests.because.length > 0) return requests.because;
  const detail = asked?.http?.host === undefined ? "the request names no host" : "a part of the request is not told";
  return [{ code: "application-rule", detail }];
}

function allOf(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes("deny")) return "deny";
  return verdicts.includes("unsure") ? "unsure" : "allow";
}

// ── legs ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function requestsAt(bounds: Bounded, family: Family, protocol: PortProtocol, port: number): Requests {
  const must = flowAt(bounds.must, family, protocol, port) ?? NOTHING;
  const may = flowAt(bounds.may, family, protocol, port) ?? NOTHING;
  if (must === may) return requestsOf(must);
  return requestsBetween(requestsOf(must), requestsOf(may), bounds.because);
}

function eitherLeg(a: LegAnswer, b: LegAnswer, endpoint: Endpoint): LegAnswer {
  return either(a, b, { code: "unknown-address", detail: `in which family ${endpoint.name} is reached` });
}

function eitherMember(a: LegAnswer, b: LegAnswer, name: string): LegAnswer {
  return either(a, b, { code: "controller-unknown", detail: `which of the pods of ${name} forwards` });
}

/** One of two holds. Where they agree, the first tells all. */
function either(a: LegAnswer, b: LegAnswer, because: Because): LegAnswer {
  if (
    a.verdict === b.verdict &&
    a.requests.must.key === b.requests.must.key &&
    a.requests.may.key === b.requests.may.key
  )
    return a;
  const both = requestsIntersect(a.requests, b.requests);
  const may = applicationUnion(a.requests.may, b.requests.may);
  return {
    verdict: a.verdict === b.verdict ? a.verdict : "unsure",
    because: mergeBecause(mergeBecause(a.because, b.because), [because]),
    requests: requestsBetween(both, { must: NOTHING, may, because: [] }, [because]),
    hops: a.verdict === "allow" ? [...b.hops] : [...a.hops],
  };
}

function routeName({ way, service }: Entrance, endpoint: Endpoint): string {
  const name = service === undefined ? endpoint.name : serviceName(service);
  switch (way) {
    case "load-balancer":
      return `load balancer of ${name}`;
    case "external-address":
      return `external address of ${name}`;
    case "node-port":
      return `node port of ${name}`;
    case "host-port":
      return `host port of ${name}`;
    case "host-network":
      return `the node of ${name}`;
  }
}
