/**
 * Who an endpoint is to the policies of the Kubernetes API, and the selectors that name it.
 *
 * Sources of labels: `pod` (labels of the pod), `ns` (labels of its namespace), `node` (labels of the Node), `meta` (the
 * name of the namespace) and `is`, which marks what kind of endpoint it is. Every selector asks for the marker of what
 * it means, so that a NotIn never reaches outside or to nodes (K8-21).
 */
import { type IdentityLabels, type Labels, type LabelValue, UNKNOWN } from "../../model/labels.ts";
import type { World } from "../../model/world.ts";
import type { Party } from "../dialect.ts";
import { type Requirement, type Selector, UNKNOWN_LABELS } from "../selector.ts";
import type { LabelSelector } from "./label-selector.ts";

/** A pod with a network of its own. */
export const IS_POD: Requirement = marker("pod");
/** A node, or a host-network pod on it (K8-42, reading 2). */
export const IS_NODE: Requirement = marker("node");
/** The node on which the other end runs (K8-38, K8-39). */
export const IS_LOCAL_NODE: Requirement = marker("local-node");

function marker(key: string): Requirement {
  return { source: "is", key, operator: "Exists", values: [] };
}

function terms(source: string, selector: LabelSelector | undefined): Selector {
  return (selector?.requirements ?? []).map((requirement) => ({ source, ...requirement }));
}

/** Pods of one namespace (K8-16, K8-22): never those of another, whatever their labels. */
export function podsOfNamespace(namespace: string, pods: LabelSelector | undefined): Selector {
  return [IS_POD, { source: "meta", key: "namespace", operator: "In", values: [namespace] }, ...terms("pod", pods)];
}

/** Pods by the labels of their namespaces and their own (K8-17, K8-18, CNP-01, CNP-02); an absent selector asks nothing. */
export function podsOf(namespaces: LabelSelector | undefined, pods: LabelSelector | undefined): Selector {
  return [IS_POD, ...terms("ns", namespaces), ...terms("pod", pods)];
}

/** Nodes by the labels of their Node objects (CNP-04). */
export function nodesOf(nodes: LabelSelector): Selector {
  return [IS_NODE, ...terms("node", nodes)];
}

/** The labels of one end of a connection, as the selectors of this dialect ask for them. */
export function identify(party: Party, world: World): IdentityLabels {
  const out = new Map<string, LabelValue>();
  switch (party.kind) {
    case "pod": {
      const { namespace } = party.workload;
      out.set("is:pod", "");
      out.set("meta:namespace", namespace);
      // Of a namespace without an object only the label is told that the API server adds (K8-04).
      out.set("ns:kubernetes.io/metadata.name", namespace);
      if (world.namespaces.get(namespace)?.declared !== true) out.set(`ns:${UNKNOWN_LABELS}`, UNKNOWN);
      add(out, "ns", world.namespaces.get(namespace)?.labels);
      add(out, "pod", party.pod.labels);
      return out;
    }
    case "node": {
      out.set("is:node", "");
      if (party.local) out.set("is:local-node", "");
      if (party.node === undefined || party.node.synthesised === true) out.set(`node:${UNKNOWN_LABELS}`, UNKNOWN);
      add(out, "node", party.node?.labels);
      return out;
    }
    case "outside":
      out.set("is:outside", "");
      return out;
    case "reserved":
      // Notions of another network: no selector of this API names them.
      out.set("is:reserved", party.name);
      return out;
  }
}

function add(out: Map<string, LabelValue>, source: string, labels: Labels | undefined): void {
  for (const [key, value] of labels ?? []) out.set(`${source}:${key}`, value);
}
