/**
 * The cluster's name server: Services, headless endpoints and pods by the names that Kubernetes gives them
 * (Kubernetes DNS-Based Service Discovery, schema version 1.1.0), and outside it the names the plan knows.
 */

import { createRequire } from "node:module";
import type { Socket } from "node:net";
import type dnsPacket from "dns-packet";
import type { Answer, Packet, Question } from "dns-packet";
import { canonical, familyOf } from "./kernel/address.ts";
import type { Plan, PlannedService } from "./plan.ts";
import { INTERNET, INTERNET_ADDRESSES } from "./sites.ts";

const TTL = 5;
/** What fits a datagram for a client that does not say more (RFC 1035, 4.2.1), and what is sent at most (RFC 6891). */
const DATAGRAM = 512;
const DATAGRAM_MAX = 1_232;
const TRUNCATED = 0x0200;
const MAX_CHAIN = 8;
const NAME_ERROR = 3;

interface Found {
  /** Whether the name exists, with or without an address of the type asked for. */
  readonly exists: boolean;
  readonly answers: readonly Answer[];
}

const require = createRequire(import.meta.url);

/** Loaded with the first query: a lab starts without it. */
function codec(): typeof dnsPacket {
  return require("dns-packet");
}

const NOTHING: Found = { exists: false, answers: [] };

export class NameServer {
  private readonly records = new Map<string, Found>();
  private readonly plan: Plan;
  private readonly domain: string;

  constructor(plan: Plan) {
    this.plan = plan;
    this.domain = plan.dns?.domain ?? "cluster.local";
    for (const service of plan.services) this.addService(service);
    for (const pod of plan.pods) {
      for (const address of pod.addresses) {
        const dashed = canonical(address).replaceAll(/[.:]/g, "-");
        this.put(`${dashed}.${pod.namespace}.pod.${this.domain}`, [address]);
      }
    }
    for (const { name, addresses, ttl } of plan.outside) this.put(name, addresses, ttl);
    this.put(INTERNET, INTERNET_ADDRESSES);
    for (const rule of plan.ingress?.rules ?? []) {
      if (rule.host !== null) this.put(rule.host, plan.ingress?.loadBalancerIPs ?? []);
    }
  }

  private addService(service: PlannedService): void {
    const name = `${service.name}.${service.namespace}.svc.${this.domain}`;
    if (service.externalName !== undefined) {
      this.records.set(name, {
        exists: true,
        answers: [{ type: "CNAME", name, ttl: TTL, data: service.externalName }],
      });
      return;
    }
    const headless = service.clusterIPs.length === 0;
    this.put(name, headless ? service.endpoints.map(({ address }) => address) : service.clusterIPs);
    for (const { address, hostname } of service.endpoints) {
      if (headless && hostname !== undefined) this.put(`${hostname}.${name}`, [address]);
    }
    for (const port of service.ports) {
      if (port.name === undefined) continue;
      const record = `_${port.name}._${port.protocol.toLowerCase()}.${name}`;
      const data = { priority: 0, weight: 100, port: port.port, target: name };
      this.records.set(record, { exists: true, answers: [{ type: "SRV", name: record, ttl: TTL, data }] });
    }
  }

  private put(name: string, addresses: readonly string[], ttl = TTL): void {
    const own = name.toLowerCase().replace(/\.$/, "");
    const before = this.records.get(own)?.answers ?? [];
    const fresh = addresses.map(
      (address): Answer => ({
        type: familyOf(address) === 4 ? "A" : "AAAA",
        name: own,
        ttl,
        data: canonical(address),
      }),
    );
    const all = [...before, ...fresh.filter((one) => !before.some((other) => other.data === one.data))];
    this.records.set(own, { exists: true, answers: all });
  }

  private find(name: string): Found {
    const exact = this.records.get(name);
    if (exact !== undefined) return exact;
    // An empty name between existing ones, such as `svc.cluster.local`, exists without an address.
    for (const known of this.records.keys()) if (known.endsWith(`.${name}`)) return { exists: true, answers: [] };
    const wildcard = this.records.get(`*.${name.split(".").slice(1).join(".")}`);
    if (wildcard === undefined) return NOTHING;
    return { exists: true, answers: wildcard.answers.map((answer) => ({ ...answer, name })) };
  }

  private resolve(question: Question): Found {
    const answers: Answer[] = [];
    let name = question.name.toLowerCase().replace(/\.$/, "");
    for (let step = 0; step < MAX_CHAIN; step++) {
      const found = this.find(name);
      const alias = found.answers.find((answer) => answer.type === "CNAME");
      if (alias === undefined || question.type === "CNAME") {
        const wanted = found.answers.filter((answer) => question.type === "ANY" || answer.type === question.type);
        return { exists: found.exists || answers.length > 0, answers: [...answers, ...wanted] };
      }
      answers.push(alias);
      name = String(alias.data).toLowerCase().replace(/\.$/, "");
    }
    return { exists: true, answers };
  }

  /**
   * The answer to a query that came in a datagram; null for bytes that are none. What does not fit one is cut, and the
   * client asks again over TCP.
   */
  answerDatagram(bytes: Buffer): Buffer | null {
    const whole = this.answer(bytes);
    if (whole === null) return null;
    const dns = codec();
    const told = dns.decode(bytes).additionals?.find(({ type }) => type === "OPT")?.udpPayloadSize ?? DATAGRAM;
    if (whole.length <= Math.min(Math.max(told, DATAGRAM), DATAGRAM_MAX)) return whole;
    const { answers: _, ...head } = dns.decode(whole);
    return dns.encode({ ...head, flags: (head.flags ?? 0) | TRUNCATED });
  }

  /** The answer to a query, or null for bytes that are none. */
  answer(bytes: Buffer): Buffer | null {
    const dns = codec();
    let query: Packet;
    try {
      query = dns.decode(bytes);
    } catch {
      return null;
    }
    const question = query.questions?.[0];
    if (query.type !== "query" || question === undefined) return null;
    const found = this.resolve(question);
    const flags = ((query.flags ?? 0) & dns.RECURSION_DESIRED) | dns.RECURSION_AVAILABLE | dns.AUTHORITATIVE_ANSWER;
    return dns.encode({
      type: "response",
      id: query.id ?? 0,
      flags: flags | (found.exists ? 0 : NAME_ERROR),
      questions: [question],
      answers: found.answers,
    });
  }

  /** DNS over TCP: each message after its length (RFC 1035, 4.2.2). */
  serveStream(socket: Socket): void {
    let pending = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const length = pending.readUInt16BE(0);
        const answer = this.answer(pending.subarray(2, 2 + length));
        pending = pending.subarray(2 + length);
        if (answer === null) continue;
        const head = Buffer.alloc(2);
        head.writeUInt16BE(answer.length);
        socket.write(Buffer.concat([head, answer]));
      }
    });
    socket.on("end", () => socket.end());
  }

  /** What `/etc/resolv.conf` says in a namespace of the cluster; in `null`, outside. */
  resolverConfiguration(namespace: string | null, outside: boolean): string {
    if (outside) return INTERNET_ADDRESSES.map((address) => `nameserver ${address}\n`).join("");
    const servers = this.plan.dns?.clusterIPs ?? [];
    const search = [
      ...(namespace === null ? [] : [`${namespace}.svc.${this.domain}`]),
      `svc.${this.domain}`,
      this.domain,
    ];
    return `${servers.map((address) => `nameserver ${address}\n`).join("")}search ${search.join(" ")}\noptions ndots:5 timeout:2 attempts:2\n`;
  }
}
