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
import type { Plan, PlannedBackend, PortProtocol } from "./plan.ts";
import { PROTOCOL_NUMBER } from "./verdicts.ts";

const TRANSLATE = "translate";
const HAIRPIN = "hairpin";
const FAMILIES: readonly Family[] = [4, 6];
/** Source of a pod's connection that a service led back to the pod itself; as in Cilium (R8.6). */
const HAIRPIN_SOURCE = { 4: "169.254.42.1", 6: "fe80::42:1" } as const;

/** One address and port that translates to backends. */
export interface Front {
  readonly address: string;
  readonly protocol: PortProtocol;
  readonly port: number;
  /** Whether it answers from outside the cluster. */
  readonly outside: boolean;
  readonly backends: readonly Pick<PlannedBackend, "address" | "port">[];
}

/** Every front of a plan, backends of the front's own family. */
export function frontsOf(plan: Plan): readonly Front[] {
  const fronts: Front[] = [];
  const add = (
    address: string,
    outside: boolean,
    protocol: PortProtocol,
    port: number,
    backends: readonly PlannedBackend[],
  ): void => {
    const own = backends.filter((backend) => familyOf(backend.address) === familyOf(address));
    fronts.push({ address: canonical(address), protocol, port, outside, backends: own });
  };
  const nodeAddresses = plan.nodes.flatMap((node) => node.addresses);
  for (const service of plan.services) {
    for (const { protocol, port, nodePort, backends } of service.ports) {
      for (const address of service.clusterIPs) add(address, false, protocol, port, backends);
      for (const address of service.loadBalancerIPs) add(address, true, protocol, port, backends);
      if (nodePort !== undefined) for (const address of nodeAddresses) add(address, true, protocol, nodePort, backends);
    }
  }
  if (plan.dns !== null) {
    const backends = plan.dns.pod.addresses.map(
      (address): PlannedBackend => ({ pod: plan.dns?.pod.name ?? null, address, port: 53 }),
    );
    for (const address of plan.dns.clusterIPs) {
      for (const protocol of ["UDP", "TCP"] as const) {
        const told = fronts.some(
          (front) => front.address === canonical(address) && front.protocol === protocol && front.port === 53,
        );
        if (!told) add(address, false, protocol, 53, backends);
      }
    }
  }
  if (plan.ingress !== null) {
    const backends = plan.ingress.addresses.map((address): PlannedBackend => ({ pod: null, address, port: 80 }));
    for (const address of plan.ingress.loadBalancerIPs) add(address, true, "TCP", 80, backends);
  }
  const taken = new Set<string>();
  for (const { address, protocol, port } of fronts) {
    const key = `${address} ${port}/${protocol}`;
    if (taken.has(key)) throw new LabError("address-clash", `two services answer on ${key}`);
    taken.add(key);
  }
  return fronts;
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

export class Translation {
  private readonly table: NftTable;
  private readonly internetIndex: number;
  private generation = 0;
  private owned: { readonly sets: readonly string[]; readonly chains: readonly string[] } = { sets: [], chains: [] };

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
    const sets: string[] = [];
    const chains: string[] = [];
    const swap = this.table.transaction().flushChain(TRANSLATE).flushChain(HAIRPIN);
    for (const family of FAMILIES) {
      const mine = fronts.filter((front) => familyOf(front.address) === family && front.backends.length > 0);
      const bytes = family === 4 ? 4 : 16;
      if (mine.length === 0) continue;
      const backends = `backends${family}-${generation}`;
      const numbered = mine.map((front, index) => ({ front, index, chain: `front${family}-${generation}-${index}` }));
      sets.push(backends);
      this.create({ name: backends, keyLength: 8, value: { length: bytes + 4 } }, numbered.flatMap(backendElements));
      let chainsOnly = this.table.transaction();
      for (const { front, index, chain } of numbered) {
        chains.push(chain);
        chainsOnly
          .addChain(chain)
          .addRule(
            chain,
            immediate(REGISTER(0), number32(index)),
            roundRobin(REGISTER(1), front.backends.length),
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
        const visible = numbered.filter(({ front }) => where === "inside" || front.outside);
        sets.push(name);
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
      sets.push(selves);
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
    for (const set of this.owned.sets) swap.deleteSet(set);
    for (const chain of this.owned.chains) swap.deleteChain(chain);
    this.table.commit(swap, "services");
    this.owned = { sets, chains };
  }

  private create(
    shape: Parameters<ReturnType<NftTable["transaction"]>["addSet"]>[0],
    elements: readonly Element[],
  ): void {
    this.table.commit(this.table.transaction().addSet(shape), `set ${shape.name}`);
    this.table.fill(shape.name, elements, `set ${shape.name}`);
  }
}

function backendElements({ front, index }: { readonly front: Front; readonly index: number }): readonly Element[] {
  return front.backends.map(({ address, port }, at): Element => {
    const portBytes = Buffer.alloc(4);
    portBytes.writeUInt16BE(port);
    return {
      key: Buffer.concat([number32(index), number32(at)]),
      value: Buffer.concat([addressBytes(address), portBytes]),
    };
  });
}

function frontKey(front: Front): Buffer {
  const rest = Buffer.alloc(8);
  rest[0] = PROTOCOL_NUMBER[front.protocol];
  rest.writeUInt16BE(front.port, 4);
  return Buffer.concat([addressBytes(front.address), rest]);
}
