/**
 * Who lives in a lab, by identity: the numbers that packets carry, with the labels that selectors are matched against.
 *
 * Endpoints with the same labels share a number, as in Cilium. Endpoints whose port names mean different numbers do not,
 * so that a rule on a port name is a rule on one number for each identity.
 */
import { type IdentityLabels, labelsKey } from "../../model/labels.ts";
import { podTraits } from "../../model/pods.ts";
import { synthesiseNamespace } from "../../model/namespaces.ts";
import type { ContainerPort, Namespace, PodInstance, Workload, World } from "../../model/world.ts";
import type { Dialect, Party } from "../../policy/dialect.ts";
import { RESERVED_IDENTITY } from "../plan.ts";

/** One identity. */
export interface LabIdentity {
  readonly number: number;
  /** What peers' selectors ask. */
  readonly labels: IdentityLabels;
  /** What the selectors of subjects ask; absent where no policy can govern it. */
  readonly subject?: IdentityLabels;
  /** Container ports with names; empty for everything but pods. */
  readonly namedPorts: readonly ContainerPort[];
}

/** A node as the subject of policies on nodes: its labels differ from those under which others see it. */
export interface NodeSubject {
  /** Beyond those of identities. */
  readonly number: number;
  readonly labels: IdentityLabels;
}

/** Numbers of identities by what they mean: equal texts are one identity. */
export type IdentityNumbers = readonly (readonly [meaning: string, number: number])[];

/** The first number that Cilium gives to an identity that is not reserved. */
const FIRST_POD = 256;
/** Numbers of nodes that the labels tell apart. */
const FIRST_NODE = 65_536;
/** Numbers of nodes as subjects. */
const FIRST_NODE_SUBJECT = 0x80_00_00;

export class Population {
  readonly world: World;
  readonly dialect: Dialect;
  private readonly byKey = new Map<string, LabIdentity>();
  private readonly pods = new Map<string, number>();
  private readonly nodes = new Map<string, number>();
  private readonly subjects: NodeSubject[] = [];
  private readonly before: ReadonlyMap<string, number>;
  private next: number;

  /** Takes the numbers that pods had before, by what they mean; they keep them. */
  constructor(dialect: Dialect, world: World, numbers: IdentityNumbers = []) {
    this.dialect = dialect;
    this.world = { ...world, namespaces: settled(world.namespaces) };
    this.before = new Map(numbers);
    this.next = Math.max(FIRST_POD, ...[...this.before.values()].map((number) => number + 1));
  }

  /** The numbers of pods by what they mean. */
  get numbers(): IdentityNumbers {
    return [...this.pods];
  }

  get identities(): readonly LabIdentity[] {
    return [...this.byKey.values()];
  }

  get nodeSubjects(): readonly NodeSubject[] {
    return this.subjects;
  }

  /** The number under which policies on nodes govern a node. */
  nodeSubject(node: World["nodes"][number]): number {
    const party: Party = { kind: "node", node, local: true };
    const labels = this.dialect.subjectLabels?.(party, this.world) ?? this.dialect.identify(party, this.world);
    const number = FIRST_NODE_SUBJECT + this.subjects.length;
    this.subjects.push({ number, labels });
    return number;
  }

  /** The number of a pod with a network of its own. */
  pod(workload: Workload, pod: PodInstance): number {
    const party: Party = { kind: "pod", workload, pod };
    const labels = this.dialect.identify(party, this.world);
    const namedPorts = podTraits(workload, pod).ports.filter((port) => port.name !== undefined);
    const ports = namedPorts.map((port) => `${port.name}=${port.port}/${port.protocol}`).sort();
    const key = `${labelsKey(labels)} ${ports.join()}`;
    const known = this.pods.get(key);
    if (known !== undefined) return known;
    const number = this.before.get(key) ?? this.next++;
    this.pods.set(key, number);
    const subject = this.dialect.subjectLabels?.(party, this.world) ?? labels;
    this.add({ number, labels, subject, namedPorts });
    return number;
  }

  /** The number under which other nodes' endpoints see a node. */
  node(node: World["nodes"][number]): number {
    this.host(node);
    const labels = this.dialect.identify({ kind: "node", node, local: false }, this.world);
    const key = labelsKey(labels);
    const known = this.nodes.get(key);
    if (known !== undefined) return known;
    const number = node.apiServer
      ? this.free(RESERVED_IDENTITY.kubeApiserver)
      : this.free(RESERVED_IDENTITY.remoteNode);
    this.nodes.set(key, number);
    this.add({ number, labels, namedPorts: [] });
    return number;
  }

  /** A node as its own pods see it: all nodes share the number, so labels that differ stand beside each other. */
  private host(node: World["nodes"][number]): void {
    const labels = this.dialect.identify({ kind: "node", node, local: true }, this.world);
    this.add({ number: RESERVED_IDENTITY.host, labels, namedPorts: [] });
  }

  /** The reserved number while it is free, else one of its own. */
  private free(number: number): number {
    const taken = [...this.nodes.values()];
    return taken.includes(number) ? FIRST_NODE + taken.length : number;
  }

  /** The number of whatever serves Ingress objects. */
  ingress(): number {
    const party: Party = { kind: "reserved", name: "ingress" };
    const labels = this.dialect.identify(party, this.world);
    const subject = this.dialect.subjectLabels?.(party, this.world) ?? labels;
    this.add({ number: RESERVED_IDENTITY.ingress, labels, subject, namedPorts: [] });
    return RESERVED_IDENTITY.ingress;
  }

  /** The numbers of what is outside: one in a cluster of one family, one a family in a cluster of both. */
  outside(dualStack: boolean, family: "IPv4" | "IPv6"): { readonly ipv4: number; readonly ipv6: number } {
    const { world, worldIpv4, worldIpv6 } = RESERVED_IDENTITY;
    const labels = (one: "IPv4" | "IPv6"): IdentityLabels =>
      this.dialect.identify({ kind: "outside", family: one }, this.world);
    if (!dualStack) {
      this.add({ number: world, labels: labels(family), namedPorts: [] });
      return { ipv4: world, ipv6: world };
    }
    this.add({ number: worldIpv4, labels: labels("IPv4"), namedPorts: [] });
    this.add({ number: worldIpv6, labels: labels("IPv6"), namedPorts: [] });
    return { ipv4: worldIpv4, ipv6: worldIpv6 };
  }

  private add(identity: LabIdentity): void {
    const ports = identity.namedPorts.map((port) => `${port.name}${port.port}`).join();
    this.byKey.set(`${identity.number} ${labelsKey(identity.labels)} ${ports}`, identity);
  }
}

/** Where the lab's own name server lives. */
const SYSTEM = "kube-system";

/** The namespaces of a lab are whole: one whose object the input lacks has no label but its name. */
function settled(namespaces: World["namespaces"]): World["namespaces"] {
  const system: readonly Namespace[] = namespaces.has(SYSTEM) ? [] : [synthesiseNamespace(SYSTEM)];
  return new Map([...namespaces.values(), ...system].map((one) => [one.name, { ...one, declared: true }]));
}
