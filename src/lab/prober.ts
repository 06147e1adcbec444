/** Sends the packets that a probe asks for, and tells what became of them on both sides. */

import { request } from "node:http";
import { Socket } from "node:net";
import type { Drop, Probe, ProbeHttp, ProbeResult } from "./answers.ts";
import {
  abandon,
  type Arrivals,
  type Attempt,
  attemptCrafted,
  attemptTcp,
  attemptUdp,
  type Origin,
  type Receiver,
  sourceAddress,
  tokenBytes,
  tokenKey,
} from "./attempts.ts";
import { craftIcmp, craftSctp } from "./crafted.ts";
import { attemptKey, type DropLog } from "./drop-log.ts";
import type { Fabric } from "./fabric.ts";
import { LabError } from "./failure.ts";
import { DROP_HEADER } from "./ingress-proxy.ts";
import { canonical, type Family, familyOf } from "./kernel/address.ts";
import type { Plan } from "./plan.ts";
import { type Connection, REFUSED_HEADER } from "./proxy/seam.ts";
import { hostSite, INGRESS, INTERNET, type Site, SOMEWHERE_OUTSIDE } from "./sites.ts";
import { type Front, frontName } from "./translation.ts";
import { PROTOCOL_NUMBER } from "./verdicts.ts";

/** Probes under way at one time. */
const AT_ONCE = 256;
/** An arrival is told by the listener a little before or after the handshake is seen to end. */
const ARRIVAL_MS = 1000;

/** Identifiers and ports of crafted packets, below those that the kernel hands out. */
const FIRST_PORT = 10_000;
const PORTS = 20_000;
const UNSERVED = "the port is declared, but nothing listens there";
const UNTAKEN = "the handshake completed, but no listener of the lab took it";

interface Target {
  readonly addresses: readonly string[];
  /** Who may take the connection; null: anybody. */
  readonly owners: ReadonlySet<string> | null;
  /** Where packets may end up after translation; absent: at the address itself. */
  readonly ends?: readonly string[];
  /** Addresses of nodes that may relay the connection, which then bears theirs. */
  readonly relays?: readonly string[];
}

function ownersOf(site: Site): ReadonlySet<string> {
  return new Set([site.name, ...site.ports.map((port) => port.owner)]);
}

/** The family that a probe asks for; null: either. */
function familyAsked(probe: Probe): Family | null {
  if (probe.protocol === "ICMP") return 4;
  if (probe.protocol === "ICMPv6") return 6;
  return probe.family ?? null;
}

export class Prober {
  private readonly fabric: Fabric;
  private readonly drops: DropLog;
  private readonly arrivals: Arrivals;
  private readonly plan: () => Plan;
  private readonly fronts: () => ReadonlyMap<string, Front>;
  /** Whether the proxy takes a connection, whose end its target then never sees. */
  private readonly isProxied: (connection: Connection) => boolean;
  private token = 0;

  constructor(
    fabric: Fabric,
    drops: DropLog,
    arrivals: Arrivals,
    plan: () => Plan,
    fronts: () => ReadonlyMap<string, Front>,
    isProxied: (connection: Connection) => boolean,
  ) {
    this.fabric = fabric;
    this.drops = drops;
    this.arrivals = arrivals;
    this.plan = plan;
    this.fronts = fronts;
    this.isProxied = isProxied;
  }

  async probe(probes: readonly Probe[]): Promise<readonly ProbeResult[]> {
    const results: ProbeResult[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      for (;;) {
        const index = next++;
        const probe = probes[index];
        if (probe === undefined) return;
        const first = await this.one(probe);
        // Translation may have given the connection another source port, by which the listener then knows it: once more.
        results[index] = first.outcome === "lost" && first.detail === UNTAKEN ? await this.one(probe) : first;
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, probes.length) }, work));
    return results;
  }

  /** The site whose network a place uses. Throws `pod-not-found`. */
  site(place: string): Site {
    const plan = this.plan();
    const pod = plan.pods.find((candidate) => candidate.name === place);
    const name = pod?.hostNetwork === true ? hostSite(pod.node) : place;
    const found = this.fabric.get(name)?.site;
    if (found === undefined) throw new LabError("pod-not-found", `the lab has no ${place}`);
    return found;
  }

  private target({ to: place, port, protocol }: Probe, fromOutside: boolean): Target {
    const plan = this.plan();
    if (place === INTERNET) return { addresses: Object.values(SOMEWHERE_OUTSIDE), owners: new Set([INTERNET]) };
    if (place === INGRESS && fromOutside)
      return { addresses: plan.ingress?.loadBalancerIPs ?? [], owners: new Set([INGRESS]) };
    if (place.startsWith("ip:")) return this.addressTarget(canonical(place.slice(3)), port, protocol);
    if (place.startsWith("service:")) {
      const service = plan.services.find(({ namespace, name }) => `service:${namespace}/${name}` === place);
      if (service === undefined) throw new LabError("pod-not-found", `the lab has no ${place}`);
      const targets = service.clusterIPs.map((address) => this.addressTarget(canonical(address), port, protocol));
      return {
        addresses: service.clusterIPs,
        owners: targets.some((target) => target.owners === null)
          ? null
          : new Set(targets.flatMap((target) => [...(target.owners ?? [])])),
        ends: targets.flatMap((target) => target.ends ?? []),
      };
    }
    const site = this.site(place);
    // A pod that shares its node's network answers for itself alone.
    const owners = site.kind === "node" && !place.startsWith("host@") ? new Set([place, site.name]) : ownersOf(site);
    return { addresses: site.addresses, owners };
  }

  /** What answers at an address: whoever has it, or the backends of the service that answers there. */
  private addressTarget(address: string, port: number, protocol: Probe["protocol"]): Target {
    const front = this.fronts().get(frontName(address, port, protocol));
    if (front === undefined) {
      const site = this.fabric.at(address)?.site;
      return { addresses: [address], owners: site === undefined ? null : ownersOf(site) };
    }
    const ends = front.inside.map((end) => end.address);
    const sites = ends.map((end) => this.fabric.at(end)?.site);
    const owners = sites.flatMap((site) => (site === undefined ? [INTERNET] : [...ownersOf(site)]));
    return {
      addresses: [address],
      owners: new Set(owners),
      ends,
      relays: this.plan().nodes.flatMap((node) => node.addresses.map(canonical)),
    };
  }

  /** Where a probe starts: a site's own address, or any address outside. */
  private origin(
    place: string,
    family: Family | null,
    target: Target,
  ): { readonly origin: Origin; readonly address: string } {
    const foreign = place.startsWith("ip:");
    const site = foreign ? this.site(INTERNET) : this.site(place);
    const own = foreign ? [canonical(place.slice(3))] : site.addresses;
    for (const address of target.addresses) {
      if (family !== null && familyOf(address) !== family) continue;
      const source = sourceAddress(own, address);
      const namespace = this.fabric.get(site.name)?.namespace;
      if (source === null || namespace === undefined) continue;
      const relays = target.relays === undefined ? {} : { relays: target.relays };
      return { origin: { namespace, address: source, foreign, ...relays }, address };
    }
    throw new LabError("plan-invalid", `${place} has no address of a family that the target has too`);
  }

  private async one(probe: Probe): Promise<ProbeResult> {
    const begun = performance.now();
    const fromOutside = probe.from === INTERNET || probe.from.startsWith("ip:");
    const target = this.target(probe, fromOutside);
    const { origin, address } = this.origin(probe.from, familyAsked(probe), target);
    const result = (
      outcome: ProbeResult["outcome"],
      more: Partial<Pick<ProbeResult, "answeredBy" | "drop" | "http" | "detail">> = {},
    ): ProbeResult => ({
      probe,
      outcome,
      address,
      answeredBy: null,
      drop: null,
      http: null,
      detail: null,
      ...more,
      milliseconds: performance.now() - begun,
    });
    const attempt = await this.attempt(probe, origin, address, target);
    switch (attempt.outcome) {
      case "dropped":
        return result("deny", { drop: attempt.drop });
      case "refused":
        return this.isServed(probe, address) ? result("lost", { detail: UNSERVED }) : result("refused");
      case "lost":
        return result("lost", { detail: attempt.detail });
      case "arrived":
        if (target.owners !== null && !target.owners.has(attempt.owner)) {
          return result("lost", {
            answeredBy: attempt.owner,
            detail: `it came in at ${attempt.owner} in place of ${probe.to}`,
          });
        }
        if (probe.protocol === "SCTP" && !attempt.answered && this.isServed(probe, address))
          return result("lost", { detail: UNSERVED });
        return result(probe.protocol === "SCTP" && !attempt.answered ? "refused" : "allow", {
          answeredBy: attempt.owner,
        });
      case "open":
      case "echo":
        return attempt.outcome === "open" && this.leadsToProxy(probe, origin.address, address)
          ? this.proxied(probe, attempt.fd, target, result)
          : this.arrived(probe, attempt, origin.address, address, target, result);
    }
  }

  private attempt(probe: Probe, origin: Origin, address: string, target: Target): Promise<Attempt> {
    const ends = target.ends ?? [address];
    const at = { address, port: probe.port };
    const number = ++this.token;
    const family = familyOf(address);
    switch (probe.protocol) {
      case "TCP":
        return attemptTcp(this.drops, origin, at);
      case "UDP":
        for (const end of ends) {
          const site = this.fabric.at(end)?.site.name;
          if (site !== undefined) this.fabric.answerRefusals(site);
        }
        return attemptUdp(this.drops, origin, at, tokenBytes(number));
      case "SCTP":
        return attemptCrafted(
          this.drops,
          origin,
          address,
          craftSctp(FIRST_PORT + (number % PORTS), probe.port, number),
          this.receivers(ends),
        );
      case "ICMP":
      case "ICMPv6":
        return attemptCrafted(
          this.drops,
          origin,
          address,
          craftIcmp(family, probe.port, FIRST_PORT + (number % PORTS)),
          this.receivers(ends),
        );
    }
  }

  /** Whether the plan has somebody listen wherever a connection to the address and port may come out. */
  private isServed({ port, protocol }: Probe, address: string): boolean {
    const front = this.fronts().get(frontName(address, port, protocol));
    const ends = front === undefined ? [{ address, port }] : front.inside;
    return ends.every((end) => {
      const site = this.fabric.at(end.address)?.site;
      return (
        site === undefined ||
        site.name === INTERNET ||
        site.ports.some((one) => one.protocol === protocol && one.port === end.port)
      );
    });
  }

  /** Where packets may come in: at the owners of the addresses, or anywhere outside. */
  private receivers(ends: readonly string[]): readonly Receiver[] {
    const found: Receiver[] = [];
    for (const end of new Set(ends)) {
      const wired = this.fabric.at(end) ?? this.fabric.get(INTERNET);
      if (wired === undefined) continue;
      const { site, namespace } = wired;
      const everywhere = site.name === INTERNET;
      const listens = (port: number): boolean => site.ports.some((one) => one.protocol === "SCTP" && one.port === port);
      const foreign = !site.addresses.includes(end);
      found.push({ namespace, owner: site.name, address: end, foreign, listens, everywhere });
    }
    return found;
  }

  private leadsToProxy({ port, protocol }: Probe, source: string, address: string): boolean {
    if (protocol !== "TCP" && protocol !== "UDP") return false;
    const front = this.fronts().get(frontName(address, port, protocol));
    const ends = front === undefined ? [{ address, port }] : front.inside;
    return ends.some((server) => this.isProxied({ protocol, client: { address: source, port: 0 }, server }));
  }

  /** The proxy has taken the connection; who answers a request is told by the answer alone. */
  private async proxied(
    probe: Probe,
    fd: number,
    target: Target,
    result: (outcome: ProbeResult["outcome"], more?: Partial<ProbeResult>) => ProbeResult,
  ): Promise<ProbeResult> {
    if (probe.http === undefined) {
      abandon(fd);
      return result("allow");
    }
    try {
      const { http, servedBy, isRefused } = await ask(new Socket({ fd }), probe.http, probe.to);
      if (servedBy !== null && target.owners !== null && !target.owners.has(servedBy))
        return result("lost", { answeredBy: servedBy, detail: `${servedBy} answered in place of ${probe.to}` });
      return result(isRefused ? "refused" : "allow", { answeredBy: servedBy, http });
    } catch (error) {
      return result("lost", { detail: `no HTTP answer: ${error instanceof Error ? error.message : String(error)}` });
    }
  }

  /** The sender has its answer: whose was it? */
  private async arrived(
    probe: Probe,
    attempt: Extract<Attempt, { outcome: "open" | "echo" }>,
    source: string,
    address: string,
    target: Target,
    result: (outcome: ProbeResult["outcome"], more?: Partial<ProbeResult>) => ProbeResult,
  ): Promise<ProbeResult> {
    const token = attempt.outcome === "echo" ? tokenKey(attempt.bytes) : null;
    if (attempt.outcome === "echo" && token === null) {
      // The proxy judges look-ups, and says of these bytes that they are none.
      if (this.leadsToProxy(probe, source, address)) return result("allow");
      return result("lost", { detail: "somebody answered with other bytes than were sent" });
    }
    const seenFrom = [source, ...(target.relays ?? [])];
    const keys =
      token === null ? seenFrom.map((address) => attemptKey(PROTOCOL_NUMBER.TCP, address, attempt.port)) : [token];
    const owner = await this.arrivals.taker(keys, ARRIVAL_MS);
    let http: ProbeResult["http"] = null;
    let drop: Drop | null = null;
    let detail: string | null = null;
    if (attempt.outcome === "open") {
      if (probe.http === undefined) {
        abandon(attempt.fd);
      } else {
        try {
          const answer = await ask(new Socket({ fd: attempt.fd }), probe.http, probe.to);
          http = answer.http;
          drop = answer.dropReference === null ? null : this.drops.recall(answer.dropReference);
        } catch (error) {
          detail = `no HTTP answer: ${error instanceof Error ? error.message : String(error)}`;
        }
      }
    }
    if (owner === null) return result("lost", { detail: UNTAKEN });
    if (target.owners !== null && !target.owners.has(owner)) {
      return result("lost", { answeredBy: owner, detail: `${owner} answered in place of ${probe.to}` });
    }
    return result("allow", { answeredBy: owner, http, drop, detail });
  }
}

/** `dropReference`: the proxy's own, when a drop behind it made the request fail. */
function ask(
  socket: Socket,
  http: ProbeHttp,
  host: string,
): Promise<{ http: ProbeResult["http"]; dropReference: string | null; servedBy: string | null; isRefused: boolean }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        createConnection: () => socket,
        method: http.method ?? "GET",
        path: http.path ?? "/",
        headers: { host: http.host ?? host, accept: "application/json", connection: "close", ...http.headers },
        timeout: 10_000,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => {
          const header = answer.headers[DROP_HEADER];
          const servedBy = answer.headers["x-served-by"];
          resolve({
            servedBy: typeof servedBy === "string" ? servedBy : null,
            isRefused: answer.headers[REFUSED_HEADER] !== undefined,
            http: { status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") },
            dropReference: typeof header === "string" ? header : null,
          });
          socket.destroy();
        });
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error("timed out")));
    outgoing.on("error", reject);
    outgoing.end();
  });
}
