/**
 * Service addresses as nftables of the router: the destination of a new connection is rewritten to one backend after
 * another, before any policy sees the packet, as in Kubernetes and Cilium. Replies are translated back by connection
 * tracking.
 */

import { addressBytes, canonical, type Family, familyOf } from "./kernel/address.ts";
import {
  compare,
  type Expression,
  goTo,
  immediate,
  lookUp,
  lookUpVerdict,
  member,
  meta,
  number32,
  payload,
  REGISTER,
  roundRobin,
  translateDestination,
  translateSource,
} from "./kernel/expressions.ts";
import type { Element, NftTable } from "./kernel/nftables.ts";
import { LabError } from "./failure.ts";
import type { Plan, PlannedBackend, PlannedNode, PortProtocol } from "./plan.ts";
import { PROTOCOL_NUMBER } from "./verdicts.ts";

const TRANSLATE = "translate";
const HAIRPIN = "hairpin";
const FAMILIES: readonly Family[] = [4, 6];
/** Source of a pod's connection that a service led back to the pod itself; as in Cilium (R8.6). */
const HAIRPIN_SOURCE = { 4: "169.254.42.1", 6: "fe80::42:1" } as const;

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** One address and port that translates to backends, of its own family. */
export interface Front {
  readonly address: string;
  readonly protocol: PortProtocol;
  readonly port: number;
  /** Where connections from inside the cluster go; empty: refused. */
  readonly inside: readonly Endpoint[];
  /** Where connections from outside go; null: nothing answers there from outside. */
  readonly outside: readonly Endpoint[] | null;
}

/** What tells one front from another. */
export function frontName(address: string, port: number, protocol: string): string {
  return `${address} ${port}/${protocol}`;
}

/** A port of a node that leads to a backend on another node, with the node's address as source. */
export interface Relay {
  readonly node: string;
  readonly protocol: PortProtocol;
  readonly at: Endpoint;
  readonly to: Endpoint;
}

/** Relay ports lie above those that the kernel hands out. */
const FIRST_RELAY_PORT = 61_000;

/** Collects relays, one for each node, protocol and backend. */
class RelayBook {
  readonly relays: Relay[] = [];
  private readonly known = new Map<string, Endpoint>();
  private readonly used = new Map<string, number>();

  through(node: PlannedNode, protocol: PortProtocol, to: Endpoint): Endpoint | null {
    const address = node.addresses.map(canonical).find((candidate) => familyOf(candidate) === familyOf(to.address));
    if (address === undefined) return null;
    const key = `${address} ${protocol} ${to.address} ${to.port}`;
    const before = this.known.get(key);
    if (before !== undefined) return before;
    const count = this.used.get(node.name) ?? 0;
    const port = FIRST_RELAY_PORT + count;
    if (port > 65_535)
      throw new LabError("plan-invalid", `node ${node.name} has more service backends to relay to than ports`);
    this.used.set(node.name, count + 1);
    const at = { address, port };
    this.known.set(key, at);
    this.relays.push({ node: node.name, protocol, at, to });
    return at;
  }
}

/**
 * Every front of a plan. From outside a connection comes in at a node: to a backend there it goes on with its source;
 * to one elsewhere with the node's address as its source, unless the service's policy is Local (cilium.md R8.4).
 */
export function frontsOf(plan: Plan): { readonly fronts: readonly Front[]; readonly relays: readonly Relay[] } {
  const fronts: Front[] = [];
  const book = new RelayBook();
  const nodeOf = new Map(plan.pods.map((pod) => [pod.name, pod.node]));
  const ends = (backends: readonly PlannedBackend[], family: Family): readonly PlannedBackend[] =>
    backends
      .filter((backend) => familyOf(backend.address) === family)
      .map((backend) => ({ ...backend, address: canonical(backend.address) }));
  const viaNode = (
    node: PlannedNode,
    protocol: PortProtocol,
    local: boolean,
    backends: readonly PlannedBackend[],
  ): readonly Endpoint[] =>
    backends.flatMap((backend): readonly Endpoint[] => {
      const at = backend.pod === null ? undefined : nodeOf.get(backend.pod);
      if (at === undefined || at === node.name) return [backend];
      if (local) return [];
      const relay = book.through(node, protocol, { address: backend.address, port: backend.port });
      return relay === null ? [] : [relay];
    });
  for (const service of plan.services) {
    const local = service.externalTrafficPolicy === "Local";
    for (const { protocol, port, nodePort, backends } of service.ports) {
      for (const address of service.clusterIPs) {
        fronts.push({
          address: canonical(address),
          protocol,
          port,
          inside: ends(backends, familyOf(address)),
          outside: null,
        });
      }
      for (const address of service.loadBalancerIPs) {
        const inside = ends(backends, familyOf(address));
        const outside = plan.nodes.flatMap((node) => viaNode(node, protocol, local, inside));
        fronts.push({ address: canonical(address), protocol, port, inside, outside });
      }
      if (nodePort === undefined) continue;
      for (const node of plan.nodes) {
        for (const address of node.addresses) {
          const inside = ends(backends, familyOf(address));
          const outside = viaNode(node, protocol, local, inside);
          fronts.push({ address: canonical(address), protocol, port: nodePort, inside, outside });
        }
      }
    }
  }
  if (plan.dns !== null) {
    const backends = plan.dns.pod.addresses.map((address): PlannedBackend => ({ pod: null, address, port: 53 }));
    for (const address of plan.dns.clusterIPs) {
      for (const protocol of ["UDP", "TCP"] as const) {
        const told = fronts.some(
          (front) => front.address === canonical(address) && front.protocol === protocol && front.port === 53,
        );
        if (!told)
          fronts.push({
            address: canonical(address),
            protocol,
            port: 53,
            inside: ends(backends, familyOf(address)),
            outside: null,
          });
      }
    }
  }
  if (plan.ingress !== null) {
    const backends = plan.ingress.addresses.map((address): PlannedBackend => ({ pod: null, address, port: 80 }));
    for (const address of plan.ingress.loadBalancerIPs) {
      const inside = ends(backends, familyOf(address));
      fronts.push({ address: canonical(address), protocol: "TCP", port: 80, inside, outside: inside });
    }
  }
  const taken = new Set<string>();
  for (const { address, protocol, port } of fronts) {
    const key = frontName(address, port, protocol);
    if (taken.has(key)) throw new LabError("address-clash", `two services answer on ${key}`);
    taken.add(key);
  }
  return { fronts, relays: book.relays };
}

/** Addresses that only services have: nothing else answers there. */
export function serviceAddresses(plan: Plan): readonly string[] {
  const addresses = plan.services.flatMap((service) => [...service.clusterIPs, ...service.loadBalancerIPs]);
  return [
    ...new Set(
      [...addresses, ...(plan.dns?.clusterIPs ?? []), ...(plan.ingress?.loadBalancerIPs ?? [])].map(canonical),
    ),
  ];
}

const DESTINATION = { 4: [16, 4], 6: [24, 16] } as const;
const SOURCE = { 4: [12, 4], 6: [8, 16] } as const;

/** Names of what one generation of fronts consists of. */
interface Owned {
  readonly fronts: readonly string[];
  readonly chains: readonly string[];
  readonly backends: readonly string[];
}

export class Translation {
  private readonly table: NftTable;
  private readonly internetIndex: number;
  private generation = 0;
  private owned: Owned = { fronts: [], chains: [], backends: [] };

  constructor(table: NftTable, internetIndex: number) {
    this.table = table;
    this.internetIndex = internetIndex;
    table.commit(
      table
        .transaction()
        .addChain(TRANSLATE, { type: "nat", hook: "prerouting", priority: -100, policy: "accept" })
        .addChain(HAIRPIN, { type: "nat", hook: "postrouting", priority: 100, policy: "accept" }),
      "translation chains",
    );
  }

  /** Replaces every front in one transaction. `podAddresses` may be led back to themselves. */
  load(fronts: readonly Front[], podAddresses: readonly string[]): void {
    const generation = ++this.generation;
    const owned: { readonly [kind in keyof Owned]: string[] } = { fronts: [], chains: [], backends: [] };
    const swap = this.table.transaction().flushChain(TRANSLATE).flushChain(HAIRPIN);
    for (const family of FAMILIES) {
      const mine = fronts.filter((front) => familyOf(front.address) === family);
      const bytes = family === 4 ? 4 : 16;
      if (mine.length === 0) continue;
      const numbered: Numbered[] = [];
      for (const front of mine) {
        for (const where of ["inside", "outside"] as const) {
          const ends = front[where] ?? [];
          const number = numbered.length;
          if (ends.length > 0)
            numbered.push({ front, where, ends, number, chain: `front${family}-${generation}-${number}` });
        }
      }
      const backends = `backends${family}-${generation}`;
      owned.backends.push(backends);
      this.create({ name: backends, keyLength: 8, value: { length: bytes + 4 } }, numbered.flatMap(backendElements));
      let chainsOnly = this.table.transaction();
      for (const { ends, number, chain } of numbered) {
        owned.chains.push(chain);
        chainsOnly
          .addChain(chain)
          .addRule(
            chain,
            immediate(REGISTER(0), number32(number)),
            roundRobin(REGISTER(1), ends.length),
            lookUp(backends, REGISTER(0), REGISTER(4)),
            translateDestination(family, REGISTER(4), REGISTER(4 + bytes / 4)),
          );
        if (chainsOnly.size < 100_000) continue;
        this.table.commit(chainsOnly, "fronts");
        chainsOnly = this.table.transaction();
      }
      this.table.commit(chainsOnly.addChain(TRANSLATE), "fronts");
      const isFamily: readonly Expression[] = [
        meta("networkProtocol", REGISTER(15)),
        compare(REGISTER(15), "eq", Buffer.of(family === 4 ? 2 : 10)),
      ];
      for (const [where, operator] of [
        ["outside", "eq"],
        ["inside", "neq"],
      ] as const) {
        const name = `${where}${family}-${generation}`;
        const visible = numbered.filter((one) => one.where === where);
        owned.fronts.push(name);
        this.create(
          { name, keyLength: bytes + 8, value: "verdict", size: visible.length },
          visible.map(({ front, chain }) => ({ key: frontKey(front), value: goTo(chain) })),
        );
        swap.addRule(
          TRANSLATE,
          ...isFamily,
          meta("inputIndex", REGISTER(0)),
          compare(REGISTER(0), operator, number32(this.internetIndex)),
          payload("network", DESTINATION[family][0], bytes, REGISTER(0)),
          meta("protocol", REGISTER(bytes / 4)),
          payload("transport", 2, 2, REGISTER(bytes / 4 + 1)),
          lookUpVerdict(name, REGISTER(0)),
        );
      }
      const selves = `selves${family}-${generation}`;
      const own = podAddresses.filter((address) => familyOf(address) === family);
      owned.fronts.push(selves);
      this.create(
        { name: selves, keyLength: bytes * 2, size: own.length },
        own.map((address) => ({ key: Buffer.concat([addressBytes(address), addressBytes(address)]) })),
      );
      swap.addRule(
        HAIRPIN,
        ...isFamily,
        payload("network", SOURCE[family][0], bytes, REGISTER(0)),
        payload("network", DESTINATION[family][0], bytes, REGISTER(bytes / 4)),
        member(selves, REGISTER(0)),
        immediate(REGISTER(0), addressBytes(HAIRPIN_SOURCE[family])),
        translateSource(family, REGISTER(0)),
      );
    }
    // What names something goes before what it names: fronts name chains, whose rules name backends.
    for (const set of this.owned.fronts) swap.deleteSet(set);
    for (const chain of this.owned.chains) swap.flushChain(chain).deleteChain(chain);
    for (const set of this.owned.backends) swap.deleteSet(set);
    this.table.commit(swap, "services");
    this.owned = owned;
  }

  private create(
    shape: Parameters<ReturnType<NftTable["transaction"]>["addSet"]>[0],
    elements: readonly Element[],
  ): void {
    this.table.commit(this.table.transaction().addSet(shape), `set ${shape.name}`);
    this.table.fill(shape.name, elements, `set ${shape.name}`);
  }
}

interface Numbered {
  readonly front: Front;
  readonly where: "inside" | "outside";
  readonly ends: readonly Endpoint[];
  readonly number: number;
  readonly chain: string;
}

/** Address and port, as they lie in registers side by side. */
export function endpointBytes({ address, port }: Endpoint): Buffer {
  const portBytes = Buffer.alloc(4);
  portBytes.writeUInt16BE(port);
  return Buffer.concat([addressBytes(address), portBytes]);
}

function backendElements({ ends, number }: Numbered): readonly Element[] {
  return ends.map(
    (end, at): Element => ({ key: Buffer.concat([number32(number), number32(at)]), value: endpointBytes(end) }),
  );
}

function frontKey(front: Front): Buffer {
  const rest = Buffer.alloc(8);
  rest[0] = PROTOCOL_NUMBER[front.protocol];
  rest.writeUInt16BE(front.port, 4);
  return Buffer.concat([addressBytes(front.address), rest]);
}
