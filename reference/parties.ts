import type { Address, Family } from "./addresses.ts";
import type { Cluster, Node } from "./cluster.ts";
import type { Unknowns } from "./unknowns.ts";
import type { Pod } from "./workloads.ts";
import type { Because } from "./reasons.ts";

/** One end of a connection. */
export type Party =
  | PodParty
  | NodeParty
  /** An address that belongs to nobody in the cluster; of which name, where one was dialled. */
  | { readonly kind: "address"; readonly address: Address; readonly name?: string }
  /** An outside address that the input does not tell, to which this name has just resolved. */
  | { readonly kind: "name"; readonly name: string; readonly family: Family; readonly maybeInside: boolean }
  /** The outside, seen without its address (R8.4, tunnel). */
  | { readonly kind: "world" }
  /** An address of the pod range that no known pod has. */
  | { readonly kind: "stray"; readonly address: Address }
  /** The API server, when the input does not tell where it runs. */
  | { readonly kind: "apiserver" }
  | { readonly kind: "reserved"; readonly label: "health" | "ingress" | "unmanaged" | "init" };

export interface PodParty {
  readonly kind: "pod";
  readonly pod: Pod;
}

/** A node, its processes and its host-network pods (WL-15, R9.7). */
export interface NodeParty {
  readonly kind: "node";
  /** `named`: the node below; `local`: the node of the other side; `remote`: any node but that; `somewhere`: not told. */
  readonly place: "named" | "local" | "remote" | "somewhere";
  readonly node: Node | undefined;
  /** Names the party in facts. */
  readonly id: string;
  readonly addresses: readonly Address[];
}

/** A pod as a party: without its own network namespace it is its node (K8-41, K8-42, R9.7). */
export function partyOfPod(pod: Pod, cluster: Cluster): Party {
  if (!pod.hostNetwork) return { kind: "pod", pod };
  const node = cluster.nodes.find((item) => item.name === pod.node);
  const addresses = pod.addresses.length > 0 ? pod.addresses : (node?.addresses ?? []);
  return node === undefined
    ? { kind: "node", place: "somewhere", node: undefined, id: pod.id, addresses }
    : { kind: "node", place: "named", node, id: node.name, addresses };
}

export function partyOfNode(node: Node): NodeParty {
  return { kind: "node", place: "named", node, id: node.name, addresses: node.addresses };
}

/** Whether a node is the one that this pod runs on; a pod without nodeName may run anywhere. */
export function isOwnNode(node: NodeParty, pod: Pod, unknowns: Unknowns): boolean {
  if (node.place === "local") return true;
  if (node.place === "remote") return false;
  const because: Because = { code: "unknown-node", detail: `${pod.id} on ${node.id}` };
  if (node.place === "named" && node.node !== undefined)
    return pod.node === undefined
      ? unknowns.equals(`node of ${pod.id}`, node.node.name, because)
      : pod.node === node.node.name;
  return unknowns.ask(`node of ${pod.id} is that of ${node.id}`, because);
}

/** The addresses of a party that the input tells. */
export function addressesOf(party: Party): readonly Address[] {
  switch (party.kind) {
    case "pod":
      return party.pod.addresses;
    case "node":
      return party.addresses;
    case "address":
    case "stray":
      return [party.address];
    case "name":
    case "world":
    case "apiserver":
    case "reserved":
      return [];
  }
}

export function addressIn(party: Party, family: Family): readonly Address[] {
  return addressesOf(party).filter((address) => address.family === family);
}

/** A short name for messages and facts. */
export function showParty(party: Party): string {
  switch (party.kind) {
    case "pod":
      return party.pod.id;
    case "node":
      return party.place === "named" ? `node ${party.id}` : `${party.place} node`;
    case "address":
    case "stray":
      return `${party.address.family} ${party.address.value}`;
    case "name":
      return party.name;
    case "world":
      return "the outside";
    case "apiserver":
      return "kube-apiserver";
    case "reserved":
      return party.label;
  }
}
