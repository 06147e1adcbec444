/**
 * The Segregation file: what a team wants of its applications, held against what the policies let through. Each breach
 * names the flow, the policy that lets it through (or closes it), and the line.
 */
import type { Place } from "../base/diagnostic.ts";
import type { Cursor } from "../documents/cursor.ts";
import { resolveService } from "../model/backends.ts";
import type { Service } from "../model/world.ts";
import { type FlowSet, flowIntersect, flowsEmpty, flowUnion, NO_FLOWS, portFlows } from "../net/flow-set.ts";
import { PORT_PROTOCOLS, type PortProtocol } from "../net/protocol.ts";
import type { Endpoint } from "../reach/endpoint.ts";
import type { Engine } from "../reach/engine.ts";
import { listFlows } from "../reach/flow-list.ts";
import { deciderText, type DeciderName, type RowResult } from "../verify/check.ts";
import { CONNECTIONS, difference, passing, sharedFamilies, type Unit, unitsOf } from "./network.ts";
import { exposure, type WayIn } from "./exposure.ts";

/** A port of a Service, which may be entered from elsewhere. */
export interface EntryPoint {
  /** `name`, or `namespace/name`. */
  readonly service: string;
  readonly port: number;
  readonly protocol: PortProtocol;
}

export interface WantedApplication {
  readonly name: string;
  readonly selector: ReadonlyMap<string, string>;
  readonly entry: readonly EntryPoint[];
}

/** A way from one application to another. */
export interface WantedWay {
  readonly from: string;
  readonly to: string;
  /** Absent: every entry of the target. */
  readonly service?: string;
  readonly port?: number;
  readonly protocol?: PortProtocol;
}

export interface Segregation {
  readonly applications: readonly WantedApplication[];
  readonly allow: readonly WantedWay[];
  /** Within an application everything may pass, or only what leads to an entry. */
  readonly inside: "all" | "declared";
  readonly north?: {
    readonly expose: readonly string[];
    readonly through: "ingress" | "gateway" | "load-balancer" | "any";
  };
  /** Relative to the file; absent: the manifests beside it. */
  readonly manifests?: readonly string[];
}

/** Decodes the file. Findings of the cursor tell what is wrong; undefined where it cannot be held against anything. */
export function decodeSegregation(root: Cursor): Segregation | undefined {
  root.unknownFields(["apiVersion", "kind", "metadata", "applications", "allow", "inside", "north", "manifests"]);
  const applications = (root.required("applications").entries() ?? []).flatMap(([name, one]) => application(name, one));
  const names = applications.map((one) => one.name);
  const known = (cursor: Cursor): string | undefined => {
    const name = cursor.string();
    if (name === undefined || names.includes(name)) return name;
    cursor.error("BH205", `${cursor.describe()}: no application is called ${name}`);
    return undefined;
  };
  const allow = (root.field("allow").list() ?? []).flatMap((way): readonly WantedWay[] => {
    way.unknownFields(["from", "to", "service", "port", "protocol"]);
    const [from, to] = [known(way.required("from")), known(way.required("to"))];
    const service = way.field("service").string();
    const port = way.field("port").integer({ min: 1, max: 65535 });
    const protocol = way.field("protocol").enumeration(PORT_PROTOCOLS);
    if (from === undefined || to === undefined) return [];
    return [
      {
        from,
        to,
        ...(service === undefined ? {} : { service }),
        ...(port === undefined ? {} : { port }),
        ...(protocol === undefined ? {} : { protocol }),
      },
    ];
  });
  const inside = root.field("inside").enumeration(["all", "declared"]) ?? "all";
  const north = root.field("north");
  north.unknownFields(["expose", "through"]);
  const expose = (north.field("expose").list() ?? []).flatMap((one) => known(one) ?? []);
  const through = north.field("through").enumeration(["ingress", "gateway", "load-balancer", "any"]) ?? "ingress";
  const manifests = root.field("manifests").strings();
  if (root.findings.errors > 0) return undefined;
  return {
    applications,
    allow,
    inside,
    ...(north.isAbsent ? {} : { north: { expose, through } }),
    ...(manifests === undefined ? {} : { manifests }),
  };
}

function application(name: string, one: Cursor): readonly WantedApplication[] {
  one.unknownFields(["selector", "entry"]);
  const selector = one.required("selector").stringMap();
  const entry = (one.field("entry").list() ?? []).flatMap((item): readonly EntryPoint[] => {
    item.unknownFields(["service", "port", "protocol"]);
    const service = item.required("service").string();
    const port = item.required("port").integer({ min: 1, max: 65535 });
    const protocol = item.field("protocol").enumeration(PORT_PROTOCOLS) ?? "TCP";
    return service === undefined || port === undefined ? [] : [{ service, port, protocol }];
  });
  return selector === undefined ? [] : [{ name, selector, entry }];
}

/** What was checked, and what in the file means nothing in the input. */
export interface SegregationResult {
  readonly rows: readonly RowResult[];
  readonly problems: readonly string[];
}

/** Holds the file against an input. */
export function checkSegregation(wanted: Segregation, engine: Engine): SegregationResult {
  return new Check(wanted, engine).run();
}

/** A door of an application: which flows to which of its endpoints. */
interface Door {
  readonly unit: Unit;
  readonly flows: FlowSet;
}

class Check {
  private readonly wanted: Segregation;
  private readonly engine: Engine;
  private readonly members: ReadonlyMap<string, readonly Unit[]>;
  private readonly others: readonly Unit[];
  private readonly problems: string[] = [];
  private readonly rows: RowResult[] = [];

  constructor(wanted: Segregation, engine: Engine) {
    this.wanted = wanted;
    this.engine = engine;
    const units = unitsOf(engine);
    this.members = new Map(
      wanted.applications.map(({ name, selector }) => [name, units.filter((unit) => carries(unit, selector))]),
    );
    const all = new Set([...this.members.values()].flat());
    this.others = units.filter((unit) => !all.has(unit) && unit.endpoint.kind === "pod");
  }

  run(): SegregationResult {
    for (const { name } of this.wanted.applications) {
      if ((this.members.get(name) ?? []).length === 0)
        this.problems.push(`application ${name} selects nothing in the input`);
    }
    for (const from of this.wanted.applications) {
      for (const to of this.wanted.applications) {
        if (from === to) this.within(from);
        else this.between(from.name, to.name, this.declaredDoors(from.name, to.name));
      }
    }
    for (const to of this.wanted.applications) {
      if (this.others.length > 0) this.between("everything else", to.name, [], this.intruders());
    }
    this.north();
    return { rows: this.rows, problems: this.problems };
  }

  /** Endpoints of no application; the controllers through which the outside comes are none. */
  private intruders(): readonly Unit[] {
    const controllers = this.engine.inventory.resolve("ingress-controller");
    const pods = new Set(controllers.kind === "endpoints" ? controllers.members : []);
    return this.others.filter((unit) => !unit.group.members.some((member) => pods.has(member)));
  }

  private within(application: WantedApplication): void {
    const members = this.members.get(application.name) ?? [];
    const doors = this.doorsOf(application);
    if (this.wanted.inside === "declared") this.between(application.name, application.name, doors, members);
    const text = `${application.name} reaches its own entry`;
    this.required(text, members, doors);
  }

  private declaredDoors(from: string, to: string): readonly Door[] {
    const target = this.wanted.applications.find((one) => one.name === to);
    if (target === undefined) return [];
    return this.wanted.allow
      .filter((way) => way.from === from && way.to === to)
      .flatMap((way) => this.doorsOfWay(target, way));
  }

  private doorsOfWay(target: WantedApplication, way: WantedWay): readonly Door[] {
    const { service, port, protocol } = way;
    if (service !== undefined) return this.doorsOfService(target.name, service, port, protocol);
    if (port !== undefined) {
      const flows = (protocol === undefined ? (["TCP"] as const) : [protocol]).reduce<FlowSet>(
        (set, one) => flowUnion(set, portFlows(one, port, port)),
        NO_FLOWS,
      );
      return (this.members.get(target.name) ?? []).map((unit) => ({ unit, flows }));
    }
    return this.doorsOf(target);
  }

  private doorsOf(application: WantedApplication): readonly Door[] {
    return application.entry.flatMap(({ service, port, protocol }) =>
      this.doorsOfService(application.name, service, port, protocol),
    );
  }

  private doorsOfService(
    application: string,
    name: string,
    port: number | undefined,
    protocol: PortProtocol | undefined,
  ): readonly Door[] {
    const members = this.members.get(application) ?? [];
    const service = this.service(name, members);
    if (service === undefined) {
      this.problem(`application ${application}: no Service is called ${name}`);
      return [];
    }
    const doors = resolveService(this.engine.world, service).flatMap((one): readonly Door[] => {
      if (port !== undefined && one.port.port !== port) return [];
      if (protocol !== undefined && one.port.protocol !== protocol) return [];
      return one.backends.flatMap((backend): readonly Door[] => {
        const unit =
          backend.kind === "pod" ? members.find((member) => member.group.workload === backend.workload) : undefined;
        return unit === undefined ? [] : [{ unit, flows: portFlows(one.port.protocol, backend.port, backend.port) }];
      });
    });
    if (doors.length === 0)
      this.problem(
        `application ${application}: Service ${name} leads to none of its pods${port === undefined ? "" : ` on port ${port}`}`,
      );
    return doors;
  }

  private problem(text: string): void {
    if (!this.problems.includes(text)) this.problems.push(text);
  }

  /** By `namespace/name`, else the one of that name in a namespace of the members. */
  private service(name: string, members: readonly Unit[]): Service | undefined {
    const { services } = this.engine.world;
    const [namespace, short] = name.includes("/") ? name.split("/") : [undefined, name];
    if (namespace !== undefined) return services.find((one) => one.namespace === namespace && one.name === short);
    const spaces = new Set(members.map((unit) => unit.group.workload.namespace));
    return services.find((one) => spaces.has(one.namespace) && one.name === short);
  }

  // ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Nothing passes but through the doors, and the doors are open. */
  private between(from: string, to: string, doors: readonly Door[], sources = this.members.get(from) ?? []): void {
    const targets = this.members.get(to) ?? [];
    const failures: RowResult[] = [];
    for (const source of sources) {
      for (const target of targets) {
        if (source === target) continue;
        const wanted = doors
          .filter((door) => door.unit === target)
          .reduce((set, door) => flowUnion(set, door.flows), NO_FLOWS);
        failures.push(...this.leaks(`${source.name} → ${target.name}`, source, target, wanted));
      }
    }
    const text =
      doors.length === 0 ? `${from} does not reach ${to}` : `${from} reaches ${to} through its declared ways alone`;
    this.conclude(text, failures);
    if (doors.length > 0 && from !== to) this.required(`${from} reaches ${to} as declared`, sources, doors);
  }

  private leaks(text: string, source: Unit, target: Unit, wanted: FlowSet): readonly RowResult[] {
    const bounds = passing(this.engine, source.endpoint, target.endpoint);
    const [must, may] = [flowIntersect(bounds.must, CONNECTIONS), flowIntersect(bounds.may, CONNECTIONS)];
    const certain = difference(must, wanted);
    const possible = difference(difference(may, must), wanted);
    const flows = flowsEmpty(certain) ? possible : certain;
    if (flowsEmpty(flows)) return [];
    const sure = !flowsEmpty(certain);
    const deciders = this.deciders(source.endpoint, target.endpoint, flows);
    const because = bounds.because.map(({ code, detail }) => `${code}: ${detail}`).join("; ");
    const shown = flowWords(flows, source.endpoint, target.endpoint);
    return [
      {
        text: `${text}: ${shown}`,
        expected: "deny",
        actual: sure ? "allow" : "unsure",
        passed: false,
        decidedBy: deciders.map(deciderText),
        why: sure ? `let through by ${deciders.map(deciderText).join(", ") || "no policy"}` : because,
        ...placeOf(deciders, target),
        code: "BH192",
      },
    ];
  }

  /** Every door is open for every source. */
  private required(text: string, sources: readonly Unit[], doors: readonly Door[]): void {
    const failures: RowResult[] = [];
    for (const source of sources) {
      for (const { unit, flows } of doors) {
        if (source === unit) continue;
        const bounds = passing(this.engine, source.endpoint, unit.endpoint);
        const families = sharedFamilies(source.endpoint, unit.endpoint);
        const missing = difference(portsIn(flows, families), bounds.must);
        if (flowsEmpty(missing)) continue;
        const closed = flowsEmpty(flowIntersect(missing, bounds.may));
        const deciders = closed ? this.closers(source.endpoint, unit.endpoint) : [];
        failures.push({
          text: `${source.name} → ${unit.name}: ${flowWords(missing, source.endpoint, unit.endpoint)}`,
          expected: "allow",
          actual: closed ? "deny" : "unsure",
          passed: false,
          decidedBy: deciders.map(deciderText),
          why: closed
            ? `closed by ${deciders.map(deciderText).join(", ")}`
            : bounds.because.map((b) => `${b.code}: ${b.detail}`).join("; "),
          ...placeOf(deciders, unit),
          code: "BH192",
        });
      }
    }
    if (doors.length > 0) this.conclude(text, failures);
  }

  private conclude(text: string, failures: readonly RowResult[]): void {
    if (failures.length > 0) this.rows.push(...failures);
    else this.rows.push({ text, expected: "kept", actual: "kept", passed: true, decidedBy: [], why: "" });
  }

  /** Only what is exposed is reachable from outside, and only in the way that is wanted. */
  private north(): void {
    const { north } = this.wanted;
    if (north === undefined) return;
    const byUnit = new Map(exposure(this.engine).endpoints.map((one) => [one.unit.name, one.waysIn]));
    for (const application of this.wanted.applications) {
      const isExposed = north.expose.includes(application.name);
      const doors = this.doorsOf(application);
      const failures: RowResult[] = [];
      for (const unit of this.members.get(application.name) ?? []) {
        for (const way of byUnit.get(unit.name) ?? []) {
          if (way.verdict === "deny" || (isExposed && isWanted(way, north.through) && leadsTo(way, unit, doors)))
            continue;
          failures.push(wayBreach(way, unit));
        }
      }
      this.conclude(
        isExposed ? `${application.name} is exposed by its entry alone` : `${application.name} is not exposed`,
        failures,
      );
      if (isExposed) this.exposed(application.name, doors, north.through, byUnit);
    }
  }

  /** What is to be exposed is. */
  private exposed(
    name: string,
    doors: readonly Door[],
    through: string,
    byUnit: ReadonlyMap<string, readonly WayIn[]>,
  ): void {
    const failures = doors.flatMap((door): readonly RowResult[] => {
      const ways = (byUnit.get(door.unit.name) ?? []).filter(
        (way) => isWanted(way, through) && leadsTo(way, door.unit, [door]),
      );
      if (ways.some((way) => way.verdict === "allow")) return [];
      const [way] = ways;
      if (way === undefined) {
        return [
          {
            text: `internet → ${door.unit.name}`,
            expected: "allow",
            actual: "no way in",
            passed: false,
            decidedBy: [],
            why: `no ${through === "any" ? "way in" : through} leads to the entry of ${name}`,
            ...placeOf([], door.unit),
            code: "BH192",
          },
        ];
      }
      return [{ ...wayBreach(way, door.unit), expected: "allow" }];
    });
    this.conclude(`${name} is reachable from outside`, failures);
  }

  private deciders(from: Endpoint, to: Endpoint, flows: FlowSet): readonly DeciderName[] {
    const [sight] = this.engine.connections.sights(from, to);
    if (sight === undefined) return [];
    const { sides } = this.engine.connections;
    const both = [
      sides.deciders("ingress", sight.toSelf, sight.from, flows),
      sides.deciders("egress", sight.fromSelf, sight.to, flows),
    ];
    const rules = both.flatMap((side) => side.origins.map((origin): DeciderName => ({ kind: "rule", origin })));
    return rules.length > 0 ? rules : [{ kind: "reason", reason: "no-policy" }];
  }

  private closers(from: Endpoint, to: Endpoint): readonly DeciderName[] {
    const [sight] = this.engine.connections.sights(from, to);
    if (sight === undefined) return [];
    const { sides } = this.engine.connections;
    return (["egress", "ingress"] as const).flatMap((direction) => {
      const self = direction === "egress" ? sight.fromSelf : sight.toSelf;
      return sides
        .subject(self)
        .selections.filter(({ policy }) => policy.isolation[direction] === "closed")
        .map(({ policy }): DeciderName => ({ kind: "policy", policy }));
    });
  }
}

function carries(unit: Unit, selector: ReadonlyMap<string, string>): boolean {
  const index = unit.group.members.indexOf(unit.endpoint);
  const pod = unit.group.workload.pods[index < 0 ? 0 : index];
  return [...selector].every(([key, value]) => pod?.labels.get(key) === value);
}

function portsIn(flows: FlowSet, families: ReturnType<typeof sharedFamilies>): FlowSet {
  return flowIntersect(
    flows,
    PORT_PROTOCOLS.reduce<FlowSet>(
      (set, protocol) => flowUnion(set, portFlows(protocol, 1, 65535, families)),
      NO_FLOWS,
    ),
  );
}

function flowWords(flows: FlowSet, from: Endpoint, to: Endpoint): string {
  return listFlows(flows, sharedFamilies(from, to))
    .map((entry) => `${entry.protocol}${entry.ports === "*" ? "" : ` ${entry.ports}`}`)
    .join("; ");
}

function isWanted(way: WayIn, through: string): boolean {
  return through === "any" ? way.way !== "pod-address" && way.way !== "node-address" : way.way === through;
}

function leadsTo(way: WayIn, unit: Unit, doors: readonly Door[]): boolean {
  const { port } = way;
  if (port === undefined) return false;
  const flows = portFlows(port.protocol, port.port, port.port);
  return doors.some((door) => door.unit === unit && !flowsEmpty(flowIntersect(door.flows, flows)));
}

function wayBreach(way: WayIn, unit: Unit): RowResult {
  const deciders = way.closers
    .filter((closer) => closer.direction === "ingress")
    .flatMap((closer): readonly DeciderName[] =>
      way.verdict === "deny"
        ? closer.isolatedBy.map((policy) => ({ kind: "policy", policy }))
        : closer.origins.length > 0
          ? closer.origins.map((origin) => ({ kind: "rule", origin }))
          : [{ kind: "reason", reason: "no-policy" }],
    );
  const through = way.through?.object ?? way.dialled ?? "its own address";
  const port = way.port === undefined ? "" : ` on ${way.port.port}/${way.port.protocol}`;
  const because = way.because.map(({ code, detail }) => `${code}: ${detail}`).join("; ");
  const names = deciders.map(deciderText).join(", ");
  return {
    text: `${way.from} → ${unit.name} by ${through}${port}`,
    expected: "deny",
    actual: way.verdict,
    passed: false,
    decidedBy: deciders.map(deciderText),
    why:
      way.verdict === "unsure"
        ? because
        : `${way.verdict === "deny" ? "closed by" : "let through by"} ${names || "no policy"}`,
    ...placeOf(deciders, unit),
    code: "BH192",
  };
}

/** Where what decided stands; where no policy did, the workload that has none. */
function placeOf(deciders: readonly DeciderName[], unit: Unit): { readonly place?: Place } {
  for (const decider of deciders) {
    if (decider.kind === "reason") continue;
    const known = decider.kind === "rule" ? decider.origin : decider.policy;
    if (known.document !== undefined) return { place: known.document.locate(known.path ?? []) };
  }
  const { document } = unit.group.workload;
  return document === undefined ? {} : { place: document.locate(["metadata", "name"]) };
}
