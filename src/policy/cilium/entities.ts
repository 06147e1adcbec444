/** Entities: names for peers that have no labels of their own (cilium.md 3.3; `pkg/policy/api/entity.go`). */
import type { World } from "../../model/world.ts";
import { type AddressSet, addressSetOf, hostPrefix } from "../../net/address.ts";
import type { Peer } from "../rule.ts";
import type { Requirement } from "../selector.ts";
import { CLUSTER, equals, reserved } from "./keys.ts";
import type { Settings } from "./settings.ts";

/**
 * What the CRD's enum allows. `world-ipv4` and `world-ipv6`, which the agent knows, are not in it: the API server
 * refuses them (V13, U13).
 */
export const ENTITIES = [
  "all",
  "world",
  "cluster",
  "host",
  "init",
  "ingress",
  "unmanaged",
  "remote-node",
  "health",
  "none",
  "kube-apiserver",
] as const;
export type Entity = (typeof ENTITIES)[number];

/** What `cluster` holds besides the pods of the local cluster. */
const CLUSTER_RESERVED = ["host", "remote-node", "init", "ingress", "health", "unmanaged", "kube-apiserver"];

function labelled(term: Requirement): Peer {
  return { kind: "labels", selector: [term] };
}

/**
 * The API server outside the cluster: its address has an identity of its own, which carries `reserved:kube-apiserver`
 * (R3.3.1). None where the input does not tell its addresses.
 */
export function externalApiServer(world: World): readonly Peer[] {
  const addresses: AddressSet = addressSetOf(world.apiServerAddresses.map(hostPrefix));
  return addresses.length === 0 ? [] : [{ kind: "addresses", addresses, scope: "outside" }];
}

/** The peers that an entity stands for, OR-ed. They are never scoped to a namespace (R3.3.3). */
export function entityPeers(entity: Entity, world: World, settings: Settings): readonly Peer[] {
  switch (entity) {
    case "all":
      return [{ kind: "any" }];
    case "world":
      return ["world", "world-ipv4", "world-ipv6"].map((name) => labelled(reserved(name)));
    case "cluster":
      return [
        ...CLUSTER_RESERVED.map((name) => labelled(reserved(name))),
        labelled(equals("k8s", CLUSTER, settings.clusterName)),
        ...externalApiServer(world),
      ];
    case "kube-apiserver":
      return [labelled(reserved(entity)), ...externalApiServer(world)];
    default:
      return [labelled(reserved(entity))];
  }
}
