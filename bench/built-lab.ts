/** The lab as it is built, run as an ordinary user, with as many pods as told on one node. */

import "../test/lab/ordinary-user.ts";
import type { Probe } from "../src/lab/answers.ts";
import { type Plan, RESERVED_IDENTITY } from "../src/lab/plan.ts";
import type { Ruleset } from "../src/lab/ruleset.ts";

export const POLICY = "CiliumNetworkPolicy/default/bench";
export const FIRST_IDENTITY = 1000;

export const { labApply, labDown, labProbe, labUp }: typeof import("../src/lab/client.ts") = await import(
  new URL("../dist/lab/client.js", import.meta.url).href
);

export function podName(index: number): string {
  return `default/pod-${index}`;
}

/** Pods that serve these TCP ports. */
export function planOf(count: number, ports: readonly number[]): Plan {
  return {
    nodes: [{ name: "node-1", addresses: ["192.168.50.1"], identity: RESERVED_IDENTITY.remoteNode }],
    pods: Array.from({ length: count }, (_, index) => ({
      name: podName(index),
      namespace: "default",
      identity: FIRST_IDENTITY + index,
      labels: { app: `app-${index}` },
      addresses: [`10.1.${index >> 8}.${index & 255}`],
      hostNetwork: false,
      node: "node-1",
      ports: ports.map((port) => ({ protocol: "TCP" as const, port })),
    })),
    services: [],
    ingress: null,
    dns: null,
    outside: [],
    world: { ipv4: RESERVED_IDENTITY.world, ipv6: RESERVED_IDENTITY.world },
  };
}

/** Each pod takes connections of those that `peers` gives it alone, to ports from `first` to `last`. */
export function rulesOf(
  count: number,
  { first, last }: { readonly first: number; readonly last: number },
  peers: (index: number) => readonly number[],
): Ruleset {
  return {
    policies: [POLICY],
    subjects: Array.from({ length: count }, (_, index) => ({
      identity: FIRST_IDENTITY + index,
      direction: "ingress",
      isolated: true,
      isolatedBy: [POLICY],
      entries: [
        {
          action: "allow",
          peer: { kind: "identities", identities: peers(index).map((peer) => FIRST_IDENTITY + peer) },
          traffic: { protocol: "TCP", ports: { first, last } },
          origin: `${POLICY}#ingress[0]`,
        },
      ],
    })),
  };
}

export function tcpProbe(from: number, to: number, port: number): Probe {
  return { from: podName(from), to: podName(to), protocol: "TCP", port };
}
