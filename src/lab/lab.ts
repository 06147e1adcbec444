/** One running lab: builds what a plan says, enforces what a ruleset says, and answers for both. */

import { mkdirSync, writeFileSync } from "node:fs";
import type { ApplyResult, Drop, Fault, FlowFilter, FlowRecord, LabStatus, Probe, ProbeResult } from "./answers.ts";
import { Arrivals, type Origin } from "./attempts.ts";
import { DropLog } from "./drop-log.ts";
import { Enforcement, type FaultPair, type ForwardSettings } from "./enforcement.ts";
import { Fabric } from "./fabric.ts";
import { LabError } from "./failure.ts";
import { type FlowParty, FlowLog } from "./flow-log.ts";
import { IngressProxy } from "./ingress-proxy.ts";
import { canonical, type Family, familyOf } from "./kernel/address.ts";
import { SystemError } from "./kernel/libc.ts";
import { Learning } from "./learning.ts";
import { waitingNamespaces } from "./kernel/namespace-maker.ts";
import { NftTable } from "./kernel/nftables.ts";
import { openFiles } from "./kernel/open-files.ts";
import type { LoggedPacket } from "./kernel/packet-log.ts";
import { NameServer } from "./nameserver.ts";
import type { Plan } from "./plan.ts";
import { Prober } from "./prober.ts";
import { NO_RULES, type Ruleset } from "./ruleset.ts";
import { answerHttp, Servers } from "./servers.ts";
import { INGRESS, INTERNET, INTERNET_SITE, populationOf, type Site, sitesOf } from "./sites.ts";
import { Relays } from "./relays.ts";
import { type Front, frontName, frontsOf, serviceAddresses, Translation } from "./translation.ts";
import type { Connection, Report } from "./proxy/seam.ts";
import { type Judgements, ProxySupervisor } from "./proxy/supervisor.ts";
import { judgementOf, PROTOCOL_NUMBER, VerdictCompiler, type VerdictTables } from "./verdicts.ts";

const TABLE = "bulkhead";
const TEAR_MS = 5;

/** What a program needs to run inside a place. */
export interface ExecContext {
  /** File descriptor of the place's network namespace in the daemon. */
  readonly namespaceFd: number;
  /** Path, inside the lab, of the place's `resolv.conf`. */
  readonly resolver: string;
}

interface Change {
  /** The name that the site has had. */
  readonly before: string;
  readonly site: Site;
}

interface Difference {
  readonly gone: readonly string[];
  readonly fresh: readonly Site[];
  readonly changed: readonly Change[];
}

/** What the wires of a site depend on: equal texts, equal wires. */
function wiresOf(site: Site): string {
  return `${site.kind} ${site.addresses.join(" ")}`;
}

interface Order {
  readonly plan: Plan;
  readonly ruleset: Ruleset;
}

const EMPTY_PLAN: Plan = {
  nodes: [],
  pods: [],
  services: [],
  ingress: null,
  dns: null,
  outside: [],
  world: { ipv4: 2, ipv6: 2 },
};

export class Lab {
  readonly name: string;
  private readonly folder: string;
  private readonly fabric: Fabric;
  /** Loaded with the first policy set that selects by name: reading RE2 takes longer to load than all else here. */
  private patterns: typeof import("../net/path-language.ts") | null = null;
  private readonly compiler = new VerdictCompiler((pattern, text) => {
    if (this.patterns === null) throw new Error("a name is matched before its policy set was applied");
    return this.patterns.patternMatches(pattern, text);
  });
  private readonly enforcement: Enforcement;
  private readonly translation: Translation;
  private readonly relays = new Relays();
  private readonly drops: DropLog;
  private readonly arrivals = new Arrivals();
  private readonly servers: Servers;
  private readonly flows = new FlowLog();
  private readonly prober: Prober;
  private order: Order = { plan: EMPTY_PLAN, ruleset: NO_RULES };
  private tables: VerdictTables;
  private torn = false;
  private misplaced: string | null = null;
  private fronts: ReadonlyMap<string, Front> = new Map();
  private parties = new Map<string, FlowParty>();
  private names: NameServer = new NameServer(EMPTY_PLAN);
  private proxy: IngressProxy;
  private readonly judges: ProxySupervisor;
  private readonly learning: Learning;
  /** The node of each pod address. */
  private homes: ReadonlyMap<string, string> = new Map();
  /** Ends when the changes that were ordered before have been carried out. */
  private turn: Promise<void> = Promise.resolve();

  /** `folder` is inside the lab's own file system and holds what programs in pods read. */
  constructor(name: string, folder: string) {
    this.name = name;
    this.folder = folder;
    this.fabric = new Fabric();
    this.fabric.add([INTERNET_SITE]);
    const table = openTable();
    const internetIndex = this.fabric.get(INTERNET)?.index ?? 0;
    this.enforcement = new Enforcement(table, { internetIndex, podsRoutable: false, serviceAddresses: [] });
    this.translation = new Translation(table, internetIndex);
    this.drops = new DropLog(
      (id) => this.compiler.judgementNumbered(id),
      (packet, drop) => this.recordFlow(packet, drop),
    );
    this.tables = this.compiler.compile(populationOf(EMPTY_PLAN), NO_RULES);
    this.proxy = this.proxyFor(EMPTY_PLAN);
    this.judges = new ProxySupervisor(
      (connection) => this.judge(connection),
      (report) => this.recordReport(report),
      (lookup) => this.learning.learn(lookup),
    );
    this.learning = new Learning(this.compiler, this.enforcement, {
      tables: () => this.tables,
      node: (client) => this.homes.get(client),
      minimumTtl: () => this.order.ruleset.minimumTtl ?? 0,
      recompile: () => this.recompile(),
      changed: () => this.judges.forget(this.enforcement.generation),
    });
    this.servers = new Servers(
      {
        http: answerHttp((address) => this.parties.get(address)?.place ?? INTERNET),
        proxy: (request, response, served) => {
          void this.proxy.handle(request, response, served);
        },
        dnsDatagram: (bytes) => this.names.answerDatagram(bytes),
        dnsStream: (socket) => this.names.serveStream(socket),
      },
      this.arrivals,
    );
    this.prober = new Prober(
      this.fabric,
      this.drops,
      this.arrivals,
      () => this.order.plan,
      () => this.fronts,
      (connection) => {
        const { egress, ingress } = this.judge(connection);
        return egress?.action === "redirect" || (egress?.action !== "deny" && ingress?.action === "redirect");
      },
    );
    const internet = this.fabric.get(INTERNET);
    if (internet !== undefined) this.servers.open(internet);
    mkdirSync(`${folder}/resolv`, { recursive: true });
    writeFileSync(`${folder}/nsswitch.conf`, "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n");
  }

  /**
   * Changes the plan, the rules or both. No packet meets a pod before its rules: sites that go are taken down first,
   * then services and rules change, then new sites come up.
   */
  apply(change: Partial<Order>): Promise<ApplyResult> {
    const result = this.turn.then(() => this.applyInTurn(change));
    this.turn = result.then(
      () => {},
      () => {},
    );
    return result;
  }

  /** The proxy runs before the first packet is led to it, and has the new rules when this resolves. */
  private async applyInTurn(change: Partial<Order>): Promise<ApplyResult> {
    const ruleset = change.ruleset ?? this.order.ruleset;
    if (ruleset.subjects.some(({ entries }) => entries.some((entry) => entry.application !== undefined)))
      await this.judges.start();
    if (ruleset.subjects.some(({ entries }) => entries.some(({ peer }) => peer.kind === "names")))
      this.patterns ??= await import("../net/path-language.ts");
    try {
      return this.enforce(change);
    } finally {
      await this.judges.announce({
        generation: this.enforcement.generation,
        pathsAsSent: this.order.ruleset.pathsAsSent === true,
        refusesAsNameError: this.order.ruleset.refusesAsNameError === true,
      });
    }
  }

  private enforce(change: Partial<Order>): ApplyResult {
    const begun = performance.now();
    const next: Order = { plan: change.plan ?? this.order.plan, ruleset: change.ruleset ?? this.order.ruleset };
    const population = populationOf(next.plan, this.learning.all());
    this.homes = population.homes;
    const tables = this.compiler.compile(population, next.ruleset);
    if (change.plan === undefined) {
      if (this.torn) this.tear(tables);
      const entries = this.enforcement.enforce(tables);
      this.order = next;
      this.tables = tables;
      return { generation: this.enforcement.generation, milliseconds: performance.now() - begun, entries };
    }
    const sites = sitesOf(next.plan);
    const { fronts, relays } = frontsOf(next.plan);
    const { gone, fresh, changed } = this.difference(sites);
    checkOpenFiles(fresh);
    for (const name of gone) this.servers.close(name);
    this.fabric.remove(gone);
    const podAddresses = population.known.filter(({ kind }) => kind === "pod").map(({ address }) => address);
    this.translation.load(fronts, podAddresses);
    const entries = this.enforcement.enforce(tables, this.settings(next.plan));
    this.order = next;
    this.tables = tables;
    this.fronts = new Map(fronts.map((front) => [frontName(front.address, front.port, front.protocol), front]));
    this.parties = partiesOf(next.plan);
    this.names = new NameServer(next.plan);
    this.proxy = this.proxyFor(next.plan);
    for (const { before } of changed) this.servers.close(before);
    // First, for a fresh site may bear the name that one with other wires has had.
    this.fabric.rename(changed);
    this.fabric.add(fresh);
    this.relays.lay(this.fabric, relays);
    for (const { name } of [...fresh, ...changed.map(({ site }) => site)]) {
      const wired = this.fabric.get(name);
      if (wired !== undefined) this.servers.open(wired);
    }
    return { generation: this.enforcement.generation, milliseconds: performance.now() - begun, entries };
  }

  /** The same rules, with what has been learned since. */
  private recompile(): void {
    const { plan, ruleset } = this.order;
    this.tables = this.compiler.compile(populationOf(plan, this.learning.all()), ruleset);
    this.enforcement.enforce(this.tables);
    this.judges.forget(this.enforcement.generation);
  }

  move(pod: string, node: string): Promise<ApplyResult> {
    const { plan } = this.order;
    if (!plan.pods.some(({ name }) => name === pod)) throw new LabError("pod-not-found", `the lab has no ${pod}`);
    if (!plan.nodes.some(({ name }) => name === node))
      throw new LabError("pod-not-found", `the lab has no node ${node}`);
    return this.apply({ plan: { ...plan, pods: plan.pods.map((one) => (one.name === pod ? { ...one, node } : one)) } });
  }

  /** The first half of a swap that is not one transaction: only for a test to see that it is noticed. */
  private tear(tables: VerdictTables): void {
    const versions = new Map([...this.tables.versions, ...tables.versions]);
    this.enforcement.enforce({ ...tables, ingress: this.tables.ingress, versions });
    const end = performance.now() + TEAR_MS;
    while (performance.now() < end);
  }

  private settings(plan: Plan): ForwardSettings {
    return {
      internetIndex: this.fabric.get(INTERNET)?.index ?? 0,
      podsRoutable: plan.podsRoutable === true,
      serviceAddresses: serviceAddresses(plan),
    };
  }

  /** What becomes of the sites. One that goes leaves its wires to one that comes with its addresses. */
  private difference(sites: readonly Site[]): Difference {
    const wanted = new Map(sites.map((site) => [site.name, site]));
    const leaving = new Map<string, string>();
    for (const { site } of this.fabric) {
      const next = wanted.get(site.name);
      if (next === undefined || wiresOf(next) !== wiresOf(site)) leaving.set(wiresOf(site), site.name);
    }
    const kept = new Set([...this.fabric].map(({ site }) => site.name));
    for (const name of leaving.values()) kept.delete(name);
    const fresh: Site[] = [];
    const changed: Change[] = [];
    for (const site of sites) {
      const before = kept.has(site.name) ? site.name : leaving.get(wiresOf(site));
      if (before === undefined) {
        fresh.push(site);
        continue;
      }
      leaving.delete(wiresOf(site));
      if (JSON.stringify(this.fabric.get(before)?.site) !== JSON.stringify(site)) changed.push({ before, site });
    }
    return { gone: [...leaving.values()], fresh, changed };
  }

  private proxyFor(plan: Plan): IngressProxy {
    return new IngressProxy(plan, this.drops, (family: Family): Origin | null => {
      const wired = this.fabric.get(INGRESS);
      const address = wired?.site.addresses.find((candidate) => familyOf(candidate) === family);
      return wired === undefined || address === undefined
        ? null
        : { namespace: wired.namespace, address, foreign: false };
    });
  }

  /** What both sides' rules say of a connection to the proxy. */
  private judge({ protocol, client, server }: Connection): Judgements {
    const packet = {
      source: client.address,
      destination: server.address,
      protocol: PROTOCOL_NUMBER[protocol],
      destinationPort: server.port,
    };
    return {
      egress: judgementOf(this.tables, "egress", packet),
      ingress: judgementOf(this.tables, "ingress", packet),
    };
  }

  private recordFlow(packet: LoggedPacket, drop: Drop | null): void {
    const judged =
      drop === null ? [judgementOf(this.tables, "egress", packet), judgementOf(this.tables, "ingress", packet)] : [];
    this.flows.record({
      packet,
      drop,
      source: this.party(packet.source),
      destination: this.party(packet.destination),
      judged,
    });
  }

  private recordReport(report: Report): void {
    const { client, server } = report.connection;
    this.flows.record({ report, source: this.party(client.address), destination: this.party(server.address) });
  }

  private party(address: string): FlowParty {
    const known = this.parties.get(address);
    if (known !== undefined) return known;
    const { world } = this.order.plan;
    const identity = familyOf(address) === 4 ? world.ipv4 : world.ipv6;
    return { place: INTERNET, namespace: null, identity, labels: ["reserved:world"], node: null };
  }

  status(pid: number): LabStatus {
    const { plan, ruleset } = this.order;
    return {
      name: this.name,
      pid,
      nodes: plan.nodes.map(({ name, addresses }) => ({ name, addresses })),
      pods: plan.pods.map(({ name, node, addresses, identity, ports }) => ({ name, node, addresses, identity, ports })),
      services: plan.services.map(({ namespace, name, clusterIPs, loadBalancerIPs, externalName, ports }) => ({
        namespace,
        name,
        clusterIPs,
        loadBalancerIPs,
        ...(externalName === undefined ? {} : { externalName }),
        ports: ports.map(({ port, protocol, nodePort, backends }) => ({
          port,
          protocol,
          ...(nodePort === undefined ? {} : { nodePort }),
          // A pod of both families is a backend twice.
          backends: [...new Set(backends.map((backend) => `${backend.pod ?? backend.address}:${backend.port}`))],
        })),
      })),
      policies: ruleset.policies,
      generation: this.enforcement.generation,
      dns: plan.dns?.pod.name ?? null,
      ingress:
        plan.ingress === null
          ? null
          : { addresses: plan.ingress.addresses, loadBalancerIPs: plan.ingress.loadBalancerIPs },
    };
  }

  probe(probes: readonly Probe[]): Promise<readonly ProbeResult[]> {
    return this.prober.probe(probes);
  }

  history(filter: FlowFilter): readonly FlowRecord[] {
    return this.flows.history(filter);
  }

  follow(filter: FlowFilter, heard: (record: FlowRecord) => void): () => void {
    return this.flows.follow(filter, heard);
  }

  execContext(place: string): ExecContext {
    const site = this.prober.site(place);
    const namespace = this.fabric.get(site.name)?.namespace;
    if (namespace === undefined) throw new LabError("pod-not-found", `the lab has no ${place}`);
    const pod = this.order.plan.pods.find(({ name }) => name === place);
    const own = pod?.namespace ?? site.namespace;
    const resolver = `${this.folder}/resolv/${site.kind === "outside" ? "outside" : (own ?? "node")}`;
    writeFileSync(resolver, this.names.resolverConfiguration(own, site.kind === "outside"));
    return { namespaceFd: namespace.fd, resolver };
  }

  fault(fault: Fault): void {
    if (fault.kind === "torn-swap") {
      this.torn = true;
      return;
    }
    if (fault.kind === "misplaced-servers") {
      const [of, into] = [fault.of, fault.into].map((place) => this.fabric.get(this.prober.site(place).name));
      if (of === undefined || into === undefined) return;
      this.servers.close(of.site.name);
      this.servers.open({ ...into, site: { ...of.site, addresses: into.site.addresses } });
      this.misplaced = of.site.name;
      return;
    }
    if (fault.kind === "none") {
      this.torn = false;
      const home = this.misplaced === null ? undefined : this.fabric.get(this.misplaced);
      if (home !== undefined) {
        this.servers.close(home.site.name);
        this.servers.open(home);
      }
      this.misplaced = null;
      this.enforcement.seed([], this.tables);
      return;
    }
    const pairs: FaultPair[] = [];
    for (const source of this.prober.site(fault.from).addresses) {
      for (const destination of this.prober.site(fault.to).addresses) {
        if (familyOf(source) === familyOf(destination)) pairs.push({ kind: fault.kind, source, destination });
      }
    }
    this.enforcement.seed(pairs, this.tables);
  }
}

/** Open files that are needed beside the pods': connections of probes and clients. */
const SPARE_FILES = 300;

/** Each namespace and each listener is an open file of this process: said before anything is built. */
function checkOpenFiles(fresh: readonly Site[]): void {
  const { limit, open } = openFiles();
  const needed = fresh.reduce((sum, { ports, addresses }) => sum + 1 + ports.length * addresses.length, 0);
  const total = open - waitingNamespaces() + needed + SPARE_FILES;
  if (total <= limit) return;
  throw new LabError("too-many-pods", `these pods need ${total} open files, and the limit (ulimit -Hn) is ${limit}`);
}

function openTable(): NftTable {
  try {
    const table = new NftTable(TABLE);
    table.commit(table.transaction().addTable(), "table");
    return table;
  } catch (error) {
    if (error instanceof SystemError) throw new LabError("kernel-feature-missing", `nf_tables: ${error.message}`);
    throw error;
  }
}

/** Whose address is whose, with what flows say of them. */
function partiesOf(plan: Plan): Map<string, FlowParty> {
  const parties = new Map<string, FlowParty>();
  const put = (addresses: readonly string[], party: FlowParty): void => {
    for (const address of addresses) parties.set(canonical(address), party);
  };
  for (const { name, addresses } of plan.outside) {
    put(addresses, { place: name, namespace: null, identity: plan.world.ipv4, labels: ["reserved:world"], node: null });
  }
  for (const node of plan.nodes) {
    put(node.addresses, {
      place: `host@${node.name}`,
      namespace: null,
      identity: node.identity,
      labels: ["reserved:remote-node"],
      node: node.name,
    });
  }
  const pods =
    plan.dns === null || plan.pods.some(({ name }) => name === plan.dns?.pod.name)
      ? plan.pods
      : [...plan.pods, plan.dns.pod];
  for (const pod of pods) {
    if ("hostNetwork" in pod && pod.hostNetwork) continue;
    const namespace = pod.name.split("/")[0] ?? "";
    const labels = [
      ...Object.entries(pod.labels).map(([key, value]) => `k8s:${key}=${value}`),
      `k8s:io.kubernetes.pod.namespace=${namespace}`,
    ].toSorted();
    put(pod.addresses, { place: pod.name, namespace, identity: pod.identity, labels, node: pod.node });
  }
  if (plan.ingress !== null) {
    const { addresses, identity, node } = plan.ingress;
    put(addresses, { place: INGRESS, namespace: null, identity, labels: ["reserved:ingress"], node });
  }
  return parties;
}
