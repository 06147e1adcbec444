/** One question – may X talk to Y on this port, with this request – and its answer with every hop. */

import { type Because, mergeBecause } from "../base/because.ts";
import type { Backend } from "../model/backends.ts";
import { headlessBackends, resolveService } from "../model/backends.ts";
import type { World } from "../model/world.ts";
import { type Family, formatAddress } from "../net/address.ts";
import type { ApplicationQuestion } from "../net/application.ts";
import { hasPorts, type Protocol } from "../net/protocol.ts";
import { type Connections, isSelf } from "./connection.ts";
import { type Endpoint, endpointFamilies } from "./endpoint.ts";
import { explainSide, type FlowPoint, pointVerdict, type SideExplanation, type Verdict } from "./explain.ts";
import type { Inventory } from "./inventory.ts";

/** What a user asks. Names are those of the design's contract. */
export interface Question {
  readonly from: string;
  readonly to: string;
  readonly protocol: Protocol;
  /** Port of the destination (of a Service: the Service's port), or ICMP type; absent where the protocol has none. */
  readonly port?: number;
  /** Absent: every family that both ends have. */
  readonly family?: Family;
  readonly application?: ApplicationQuestion;
}

/** One step of the path from source to destination. */
export type Hop =
  | { readonly kind: "rewrite"; readonly service: string; readonly detail: string }
  | { readonly kind: "filter"; readonly at: string; readonly explanation: SideExplanation };

/** The answer for one pair of ends in one family. */
export interface PairAnswer {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly family: Family;
  readonly protocol: Protocol;
  /** The port that policy sees: the backend's. */
  readonly port: number;
  readonly verdict: Verdict;
  readonly because: readonly Because[];
  /** The connection is established, and a proxy judges each request. */
  readonly applicationLimited: boolean;
  readonly hops: readonly Hop[];
}

export interface Answer {
  readonly verdict: Verdict | "mixed";
  readonly because: readonly Because[];
  readonly applicationLimited: boolean;
  readonly pairs: readonly PairAnswer[];
  /** Why nothing could be asked (an unknown name, a Service without that port); the verdict is then `unsure`. */
  readonly problem?: string;
}

/** A problem with the question itself, for the user. */
export class QuestionError extends Error {}

interface Target {
  readonly endpoint: Endpoint;
  readonly port: number;
  readonly hops: readonly Hop[];
}

export class Questions {
  private readonly world: World;
  private readonly inventory: Inventory;
  private readonly connections: Connections;

  constructor(world: World, inventory: Inventory, connections: Connections) {
    this.world = world;
    this.inventory = inventory;
    this.connections = connections;
  }

  /** Answers a question. Throws QuestionError where a name or port of it means nothing. */
  ask(question: Question): Answer {
    const sources = this.sources(question.from);
    const targets = this.targets(question);
    const pairs: PairAnswer[] = [];
    // A workload with itself means two of its pods (design).
    const isReplicated = isWholeWorkload(sources) && isWholeWorkload(targets.map((target) => target.endpoint));
    for (const from of sources) {
      for (const target of targets) {
        if (isReplicated && from === target.endpoint) continue;
        for (const family of this.families(question, from, target.endpoint)) {
          pairs.push(this.pair(from, target, family, question));
        }
      }
    }
    if (pairs.length === 0) {
      return targets.length === 0
        ? {
            verdict: "deny",
            because: [],
            applicationLimited: false,
            pairs,
            problem: `${question.to} has no backend for this port`,
          }
        : {
            verdict: "deny",
            because: [],
            applicationLimited: false,
            pairs,
            problem: "the two ends share no address family",
          };
    }
    return combine(pairs);
  }

  private sources(name: string): readonly Endpoint[] {
    const resolved = this.inventory.resolve(name);
    if (resolved.kind === "problem") throw new QuestionError(resolved.message);
    if (resolved.kind === "endpoints") return resolved.members;
    // A Service as source stands for the pods behind it.
    return uniqueEndpoints(
      resolved.service.ports.flatMap((port) =>
        this.backends(resolved.service, port.port, port.protocol).map((b) => b.endpoint),
      ),
    );
  }

  private targets(question: Question): readonly Target[] {
    const resolved = this.inventory.resolve(question.to);
    if (resolved.kind === "problem") throw new QuestionError(resolved.message);
    const port = question.port ?? 0;
    if (resolved.kind === "endpoints") return resolved.members.map((endpoint) => ({ endpoint, port, hops: [] }));
    if (!hasPorts(question.protocol)) {
      throw new QuestionError(`${question.to} is a Service: ask for a TCP, UDP or SCTP port`);
    }
    return this.backends(resolved.service, port, question.protocol);
  }

  private backends(service: Parameters<typeof resolveService>[1], port: number, protocol: Protocol): Target[] {
    const name = `${service.namespace}/Service/${service.name}`;
    if (service.type === "ExternalName") {
      const resolved = this.inventory.resolve(`fqdn:${service.externalName ?? ""}`);
      const hops: Hop[] = [{ kind: "rewrite", service: name, detail: `an alias of ${service.externalName ?? ""}` }];
      return resolved.kind === "endpoints" ? resolved.members.map((endpoint) => ({ endpoint, port, hops })) : [];
    }
    if (service.headless) {
      // The name resolves to the pods; the client dials the port it chose (kubernetes.md SVC-02).
      const hops: Hop[] = [{ kind: "rewrite", service: name, detail: "headless: no translation" }];
      return headlessBackends(this.world, service, port).map((backend) => this.backendTarget(backend, port, hops));
    }
    const ports = resolveService(this.world, service);
    const found = ports.find((p) => p.port.port === port && p.port.protocol === protocol);
    if (found === undefined) {
      const known = service.ports.map((p) => `${p.port}/${p.protocol}`).join(", ");
      throw new QuestionError(
        `Service ${service.namespace}/${service.name} has no port ${port}/${protocol}; it has ${known || "none"}`,
      );
    }
    return found.backends.map((b) =>
      this.backendTarget(b, b.port, [{ kind: "rewrite", service: name, detail: `${port} → ${b.port}` }]),
    );
  }

  private backendTarget(backend: Backend, port: number, hops: readonly Hop[]): Target {
    if (backend.kind === "address") {
      const resolved = this.inventory.address(backend.address, `ip:${formatAddress(backend.address)}`);
      const member = resolved.kind === "endpoints" ? resolved.members[0] : undefined;
      if (member === undefined) throw new QuestionError(`${formatAddress(backend.address)} is no endpoint`);
      return { endpoint: member, port, hops };
    }
    const group = this.inventory.groups.find((g) => g.workload === backend.workload);
    const index = backend.workload.pods.indexOf(backend.pod);
    const member = group?.members[index];
    if (member === undefined) throw new QuestionError(`${backend.workload.id} is no endpoint`);
    return { endpoint: member, port, hops };
  }

  private families(question: Question, from: Endpoint, to: Endpoint): readonly Family[] {
    const common = endpointFamilies(from).filter((f) => endpointFamilies(to).includes(f));
    // A pod of which the input tells an address of one family may have one of the other: what is asked is answered.
    const shared = common.length > 0 ? common : from.kind === "pod" ? endpointFamilies(to) : endpointFamilies(from);
    if (question.protocol === "ICMP") return shared.filter((f) => f === "IPv4");
    if (question.protocol === "ICMPv6") return shared.filter((f) => f === "IPv6");
    return question.family === undefined ? shared : shared.filter((f) => f === question.family);
  }

  private pair(from: Endpoint, target: Target, family: Family, question: Question): PairAnswer {
    const to = target.endpoint;
    const point: FlowPoint = {
      family,
      protocol: question.protocol,
      port: target.port,
      ...(question.application === undefined ? {} : { application: question.application }),
    };
    const bounds = this.connections.between(from, to);
    const verdict = pointVerdict(bounds, point);
    const hops: Hop[] = [...target.hops];
    const sight = this.connections.sights(from, to)[0];
    if (sight !== undefined && !isSelf(from, to)) {
      const { sides } = this.connections;
      const egress = explainSide(sides, "egress", sight.fromSelf, sight.to, point);
      const ingress = explainSide(sides, "ingress", sight.toSelf, sight.from, point);
      hops.push({ kind: "filter", at: from.name, explanation: egress });
      hops.push({ kind: "filter", at: to.name, explanation: ingress });
    }
    const { application: _, ...connection } = point;
    const limited =
      pointVerdict(bounds, connection) !== "deny" &&
      pointVerdict(bounds, { ...connection, application: {} }) !== "allow";
    return {
      from,
      to,
      family,
      protocol: question.protocol,
      port: target.port,
      verdict,
      because: verdict === "unsure" ? bounds.because : [],
      applicationLimited: limited,
      hops,
    };
  }
}

function combine(pairs: readonly PairAnswer[]): Answer {
  const verdicts = new Set(pairs.map((p) => p.verdict));
  const because = pairs.reduce<readonly Because[]>((all, p) => mergeBecause(all, p.because), []);
  const applicationLimited = pairs.some((p) => p.applicationLimited);
  const only = verdicts.size === 1 ? pairs[0]?.verdict : undefined;
  // Allow beside deny is a mixture whatever the rest is; one of them beside unsure is not settled.
  const verdict = only ?? (verdicts.has("allow") && verdicts.has("deny") ? "mixed" : "unsure");
  return { verdict, because, applicationLimited, pairs };
}

function uniqueEndpoints(list: readonly Endpoint[]): Endpoint[] {
  return [...new Set(list)];
}

/** Whether these are all the pods of one workload, which has several. */
function isWholeWorkload(members: readonly Endpoint[]): boolean {
  const [first] = members;
  if (first?.kind !== "pod" || members.length < 2) return false;
  return (
    members.length === first.workload.pods.length &&
    members.every((member) => member.kind === "pod" && member.workload === first.workload)
  );
}
