/** What load balancers send on, and to whom. */

import { parseAddress } from "../net/address.ts";
import { listenerProtocols } from "./decide/connection.ts";
import { canonical } from "./decide/match.ts";
import type { VpcEngine } from "./engine.ts";
import type { Listener, ListenerCondition, LoadBalancer, Owner, TargetGroup } from "./model.ts";

/** One target behind one listener. */
export interface Forward {
  readonly balancer: LoadBalancer;
  readonly listener: Listener;
  readonly protocol: "TCP" | "UDP";
  readonly group: TargetGroup;
  readonly target: Owner;
  /** At the target. */
  readonly port: number;
  /** Conditions of the rules that lead there, one list a rule; an empty list: every other request. */
  readonly rules: readonly (readonly ListenerCondition[])[];
}

/** Everything that a load balancer sends to machines of the input, in the order of its listeners. */
export function forwardsOf(engine: VpcEngine, balancer: LoadBalancer): readonly Forward[] {
  const { network } = engine;
  const out = new Map<string, { forward: Forward; rules: (readonly ListenerCondition[])[] }>();
  for (const listener of balancer.listeners) {
    const actions = [...listener.rules, { conditions: [], action: listener.otherwise }];
    for (const { conditions, action } of actions) {
      for (const group of action.forwards.flatMap((name) => network.targetGroups.get(name) ?? [])) {
        for (const { id, port: own } of group.targets) {
          const target = targetOf(engine, id);
          const port = own ?? group.port;
          if (target === undefined || port === undefined) continue;
          for (const protocol of listenerProtocols(listener.protocol)) {
            const key = [listener.name, protocol, group.name, target.name, port].join(" ");
            const known = out.get(key);
            if (known !== undefined) known.rules.push(conditions);
            else {
              const rules = [conditions];
              out.set(key, { rules, forward: { balancer, listener, protocol, group, target, port, rules } });
            }
          }
        }
      }
    }
  }
  return [...out.values()].map(({ forward }) => forward);
}

function targetOf({ network, inventory }: VpcEngine, id: string): Owner | undefined {
  const owner = network.owners.get(canonical(network, id));
  if (owner !== undefined) return owner;
  const address = parseAddress(id);
  return address === undefined ? undefined : inventory.atAddress(address)[0]?.owner;
}
