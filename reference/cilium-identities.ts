import type { Family } from "./addresses.ts";
import { isIdentityLabel } from "./cilium-labels.ts";
import {
  CLUSTER_KEY,
  NAMESPACE_KEY,
  NAMESPACE_LABELS,
  SERVICE_ACCOUNT_KEY,
  type SourcedRequirement,
  type SourcedSelector,
} from "./cilium-selectors.ts";
import type { CiliumSettings } from "./cilium-settings.ts";
import { type Cluster, namespaceLabel } from "./cluster.ts";
import { isOwnNode, type NodeParty, type Party, showParty } from "./parties.ts";
import { holds, type LabelValue } from "./selectors.ts";
import type { Unknowns } from "./unknowns.ts";
import { sameAddress } from "./addresses.ts";
import type { Pod } from "./workloads.ts";

/** A set of `source:key=value` (R2.1.1), looked up by key. */
export interface Identity {
  readonly party: Party;
  /** Values under a key, of one source or of `any`; usually none or one. */
  readonly valuesOf: (source: string, key: string) => readonly LabelValue[];
  /** How prefixes select it: never, by its address, or as the outside without address (R3.2.2, R3.2.4). */
  readonly cidr: "never" | "address" | "world" | "node" | "untold";
  /** Nobody knows which pod it is: selectors cannot be judged. */
  readonly opaque: boolean;
}

/** A requirement with a source: `any` means that some source has it; absent means that none has (R2.1.2, R2.1.3). */
function requirementHolds(requirement: SourcedRequirement, identity: Identity, unknowns: Unknowns): boolean {
  const values = identity.valuesOf(requirement.source, requirement.key);
  switch (requirement.operator) {
    case "In":
    case "Exists":
      return values.some((value) => holds(requirement, value, unknowns));
    case "NotIn":
    case "DoesNotExist":
      return values.every((value) => holds(requirement, value, unknowns));
    default:
      return false;
  }
}

export function selectsIdentity(selector: SourcedSelector, identity: Identity, unknowns: Unknowns): boolean {
  if (identity.opaque)
    return unknowns.ask(`${showParty(identity.party)} is selected by ${JSON.stringify(selector)}`, {
      code: "unknown-address",
      detail: showParty(identity.party),
    });
  return selector.every((requirement) => requirementHolds(requirement, identity, unknowns));
}

interface Labels {
  readonly source: string;
  readonly lookUp: (key: string) => LabelValue;
}

function identityFrom(party: Party, labels: readonly Labels[], cidr: Identity["cidr"], opaque = false): Identity {
  return {
    party,
    cidr,
    opaque,
    valuesOf: (source, key) =>
      labels
        .filter((item) => source === "any" || source === item.source)
        .map((item) => item.lookUp(key))
        .filter((value) => value !== undefined),
  };
}

function reserved(...names: readonly string[]): Labels {
  return { source: "reserved", lookUp: (key) => (names.includes(key) ? "" : undefined) };
}

/** The labels of a managed pod: its own, filtered, and those that Cilium adds (2.2, 3.1). */
export function podIdentity(pod: Pod, cluster: Cluster, settings: CiliumSettings): Identity {
  const kept = (key: string) => isIdentityLabel(key, settings.labelPatterns);
  const lookUp = (key: string): LabelValue => {
    if (!kept(key)) return undefined;
    if (key === NAMESPACE_KEY) return pod.namespace;
    if (key === CLUSTER_KEY) return settings.clusterName;
    if (key === SERVICE_ACCOUNT_KEY) return pod.serviceAccount;
    if (key.startsWith(`${NAMESPACE_LABELS}.`))
      return namespaceLabel(cluster, pod.namespace, key.slice(NAMESPACE_LABELS.length + 1));
    return pod.labels.get(key);
  };
  return identityFrom({ kind: "pod", pod }, [{ source: "k8s", lookUp }], "never");
}

/** The identity of one end as the other end's node sees it (3.2, R3.2.1). */
export function identityOf(
  party: Party,
  other: Party,
  family: Family,
  cluster: Cluster,
  settings: CiliumSettings,
  unknowns: Unknowns,
): Identity {
  const world = settings.dualStack ? (family === "IPv4" ? "world-ipv4" : "world-ipv6") : "world";
  switch (party.kind) {
    case "pod":
      return podIdentity(party.pod, cluster, settings);
    case "node":
      return nodeIdentity(party, other, settings, unknowns);
    case "address": {
      const isApiServer = cluster.apiServerAddresses.some((address) => sameAddress(address, party.address));
      return identityFrom(party, [reserved(world, ...(isApiServer ? ["kube-apiserver"] : []))], "address");
    }
    case "name":
      return identityFrom(party, [reserved(world)], "address", party.maybeInside);
    case "world":
      return identityFrom(party, [reserved(world)], "world");
    case "stray":
      return identityFrom(party, [], "address", true);
    case "apiserver":
      return apiServerIdentity(party, world, unknowns);
    case "reserved":
      return identityFrom(
        party,
        [reserved(party.label), clusterOfReserved(party, settings)],
        // R3.2.5: addresses of pods without endpoint are selected by prefixes.
        party.label === "unmanaged" ? "untold" : "never",
      );
  }
}

/** The API server runs on another node, on the own node, or outside (R3.3.1). */
function apiServerIdentity(party: Party, world: string, unknowns: Unknowns): Identity {
  const place = unknowns.choose("place of the API server", ["remote-node", "host", "outside"], {
    code: "unknown-api-server",
    detail: "kube-apiserver",
  });
  return place === "outside"
    ? identityFrom(party, [reserved(world, "kube-apiserver")], "address")
    : identityFrom(party, [reserved(place, "kube-apiserver")], "node");
}

/** `host` is the local node only; every other one is `remote-node` (R3.3.1). */
function nodeIdentity(party: NodeParty, other: Party, settings: CiliumSettings, unknowns: Unknowns): Identity {
  const names = [isLocal(party, other, unknowns) ? "host" : "remote-node"];
  if (party.node?.apiServer === true) names.push("kube-apiserver");
  if (!settings.nodeSelectorLabels || names.includes("host"))
    return identityFrom(party, [reserved(...names), clusterOfReserved(party, settings)], "node");
  // R2.3.3: labels of the Node object, with source `node`; since 1.18 such an identity has the cluster's name.
  const cluster = settings.release >= 18 ? settings.clusterName : undefined;
  const labels: Labels[] = [
    reserved(...names),
    { source: "node", lookUp: (key) => nodeLabel(party, key) },
    { source: "k8s", lookUp: (key) => (key === CLUSTER_KEY ? cluster : undefined) },
  ];
  return identityFrom(party, labels, "node");
}

function isLocal(party: NodeParty, other: Party, unknowns: Unknowns): boolean {
  if (other.kind === "pod") return isOwnNode(party, other.pod, unknowns);
  if (party.place === "local") return true;
  if (party.place === "remote") return false;
  if (other.kind === "node" && other.node !== undefined && party.node !== undefined)
    return other.node.name === party.node.name;
  return unknowns.ask(`${party.id} is the node of ${showParty(other)}`, {
    code: "unknown-node",
    detail: `${showParty(other)} on ${party.id}`,
  });
}

/** A label of a Node object; not told when the input has none. */
export function nodeLabel(party: NodeParty, key: string): LabelValue {
  if (party.node?.labels !== undefined) return party.node.labels.get(key);
  return {
    fact: `label ${key} of node ${party.id}`,
    certain: false,
    could: () => true,
    because: { code: "unknown-label", detail: `${key} of node ${party.id}` },
  };
}

/** Which reserved identities carry the cluster label where it is asked for is uncertain (K3, U21). */
function clusterOfReserved(party: Party, settings: CiliumSettings): Labels {
  return {
    source: "k8s",
    lookUp: (key) =>
      key === CLUSTER_KEY && settings.localClusterOnly
        ? {
            fact: `cluster label of ${showParty(party)}`,
            certain: false,
            could: (value) => value === settings.clusterName,
            because: { code: "unknown-label", detail: `${CLUSTER_KEY} of ${showParty(party)}` },
          }
        : undefined,
  };
}

/** The host endpoint, for rules with a nodeSelector: the labels of its Node object, filtered (R9.5, R9.6, 3.1). */
export function hostEndpointIdentity(party: NodeParty, settings: CiliumSettings): Identity {
  const lookUp = (key: string) => (isIdentityLabel(key, settings.labelPatterns) ? nodeLabel(party, key) : undefined);
  const names = ["host", ...(party.node?.apiServer === true ? ["kube-apiserver"] : [])];
  return identityFrom(party, [reserved(...names), { source: "k8s", lookUp }], "never");
}
