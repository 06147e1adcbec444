/** The ends of a scene as the engine and the lab know them. */
import type { LabPlan } from "../../src/lab/compile/plan-of.ts";
import { formatAddress, parseAddress } from "../../src/net/address.ts";
import type { Endpoint } from "../../src/reach/endpoint.ts";
import type { Engine } from "../../src/reach/engine.ts";
import type { Scene } from "../property/scenes.ts";

/** An end as both know it. */
export interface End {
  readonly endpoint: Endpoint;
  readonly address: string;
  readonly family: "IPv4" | "IPv6";
}

/** Pods, nodes, and the addresses outside that the scene asks about. */
export function endsOf(engine: Engine, lab: LabPlan, scene: Scene): End[] {
  const ends: End[] = [];
  const add = (endpoint: Endpoint, addresses: readonly string[]): void => {
    for (const text of addresses) {
      const address = parseAddress(text);
      if (address !== undefined) ends.push({ endpoint, address: formatAddress(address), family: address.family });
    }
  };
  for (const group of engine.inventory.groups) {
    for (const member of group.members) {
      if (member.kind === "pod") add(member, (lab.podsOf.get(member.pod)?.[0]?.addresses ?? []).slice(0, 2));
    }
  }
  for (const node of lab.plan.nodes) {
    if (engine.world.nodes.some(({ name }) => name === node.name))
      add(engine.inventory.node(node.name), node.addresses);
  }
  for (const name of new Set(scene.flows.flatMap(({ from, to }) => [from, to]))) {
    if (!name.startsWith("ip:")) continue;
    const resolved = engine.inventory.resolve(name);
    const [endpoint] = resolved.kind === "endpoints" ? resolved.members : [];
    if (endpoint?.kind === "outside") add(endpoint, [name.slice(3)]);
  }
  return ends;
}
