/** Nodes: of Node and CiliumNode objects, and those that pods only name. */
import type { Cursor } from "../documents/cursor.ts";
import type { Document } from "../documents/document.ts";
import { type Address, type Prefix, addressSetOf, formatAddress } from "../net/address.ts";
import { decodeAddress, decodePrefix, distinctAddresses } from "./address-text.ts";
import type { Labels } from "./labels.ts";
import { decodeLabels } from "./metadata.ts";
import type { Node } from "./world.ts";

/** What one object tells of a node. */
export interface NodeTelling {
  readonly name: string;
  readonly labels: Labels;
  /** Addresses under which the node's own pods appear (`InternalIP`). */
  readonly internal: readonly Address[];
  readonly others: readonly Address[];
  readonly podCIDRs: readonly Prefix[];
  readonly document: Document;
}

/** What a pod tells of its node. */
export interface NodeMention {
  readonly name: string;
  readonly addresses: readonly Address[];
  /** The pod is the API server (`isApiServer`). */
  readonly apiServer?: boolean;
}

/** The nodes of the world with what only the assembly of workloads asks. */
export interface Nodes {
  readonly all: readonly Node[];
  /** Addresses of a node under which its host-network pods appear; empty where they are not known. */
  internalAddresses(name: string): readonly Address[];
  /** Whether an object of the input tells the node's addresses, so that no pod's word for them counts. */
  isTold(name: string): boolean;
}

/** Labels that installers put on the nodes of the control plane. */
const CONTROL_PLANE = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"] as const;

/** Whether a pod is the API server, as installers run it: a static pod on the host network. */
export function isApiServer(namespace: string, labels: Labels): boolean {
  return namespace === "kube-system" && labels.get("component") === "kube-apiserver";
}

/**
 * Decodes a Node.
 *
 * Takes the cursor on the object. Returns its labels, addresses and pod ranges.
 * Reports labels that break the rules (BH240), addresses and prefixes that are none (BH246).
 */
export function decodeNode(object: Cursor): NodeTelling {
  const spec = object.field("spec");
  const listed = spec.field("podCIDRs").list() ?? [];
  return {
    name: object.document.name,
    labels: decodeLabels(object.field("metadata").field("labels")),
    ...decodeAddresses(object.field("status").field("addresses"), "address"),
    podCIDRs: (listed.length > 0 ? listed : [spec.field("podCIDR")]).flatMap((item) => decodePrefix(item) ?? []),
    document: object.document,
  };
}

/** Decodes a CiliumNode; Cilium copies the labels of the Node to it. Takes, returns and reports as `decodeNode`. */
export function decodeCiliumNode(object: Cursor): NodeTelling {
  const spec = object.field("spec");
  return {
    name: object.document.name,
    labels: decodeLabels(object.field("metadata").field("labels")),
    ...decodeAddresses(spec.field("addresses"), "ip"),
    podCIDRs: (spec.field("ipam").field("podCIDRs").list() ?? []).flatMap((item) => decodePrefix(item) ?? []),
    document: object.document,
  };
}

function decodeAddresses(list: Cursor, field: string): Pick<NodeTelling, "internal" | "others"> {
  const internal: Address[] = [];
  const others: Address[] = [];
  for (const item of list.list() ?? []) {
    const type = item.field("type").string();
    // Host names and DNS names are no addresses.
    if (type === "Hostname" || type === "InternalDNS" || type === "ExternalDNS") continue;
    const address = decodeAddress(item.field(field));
    if (address !== undefined) (type === "InternalIP" ? internal : others).push(address);
  }
  return { internal, others };
}

/**
 * Joins what Node objects, CiliumNode objects and pods tell.
 *
 * Takes all three in the order of the input, and the addresses of the API server as far as they are known.
 * Returns one node a name. Labels come from the Node, else from the CiliumNode; a pod's word for addresses counts only
 * where no object has any.
 */
export function joinNodes(
  nodes: readonly NodeTelling[],
  ciliumNodes: readonly NodeTelling[],
  mentions: Iterable<NodeMention>,
  apiServerAddresses: readonly Address[],
): Nodes {
  const drafts = new Map<string, Draft>();
  for (const telling of [...nodes, ...ciliumNodes]) {
    const draft = drafts.get(telling.name);
    if (draft === undefined) {
      const { name, labels, document } = telling;
      drafts.set(name, {
        labels,
        document,
        internal: [...telling.internal],
        others: [...telling.others],
        podCIDRs: [...telling.podCIDRs],
        mentioned: [],
      });
    } else {
      draft.internal.push(...telling.internal);
      draft.others.push(...telling.others);
      draft.podCIDRs.push(...telling.podCIDRs);
    }
  }
  const hosts = new Set<string>();
  for (const { name, addresses, apiServer } of mentions) {
    if (apiServer === true) hosts.add(name);
    const draft = drafts.get(name);
    if (draft === undefined)
      drafts.set(name, {
        labels: new Map(),
        document: undefined,
        internal: [],
        others: [],
        podCIDRs: [],
        mentioned: [...addresses],
      });
    else if (draft.mentioned.length < 8) draft.mentioned.push(...addresses);
  }
  const apiServers = new Set(apiServerAddresses.map(formatAddress));
  const internal = new Map<string, readonly Address[]>();
  const toldNodes = new Set<string>();
  const all = [...drafts].map(([name, draft]): Node => {
    const told = draft.internal.length + draft.others.length > 0;
    if (told) toldNodes.add(name);
    const own = distinctAddresses(told ? draft.internal : draft.mentioned);
    internal.set(name, own);
    const addresses = distinctAddresses([...own, ...draft.others]);
    return {
      name,
      labels: draft.labels,
      addresses,
      podCIDRs: addressSetOf(draft.podCIDRs),
      apiServer:
        CONTROL_PLANE.some((label) => draft.labels.has(label)) ||
        hosts.has(name) ||
        addresses.some((address) => apiServers.has(formatAddress(address))),
      ...(draft.document === undefined ? { synthesised: true } : { document: draft.document }),
    };
  });
  return {
    all,
    internalAddresses: (name) => internal.get(name) ?? [],
    isTold: (name) => toldNodes.has(name),
  };
}

interface Draft {
  readonly labels: Labels;
  readonly document: Document | undefined;
  readonly internal: Address[];
  readonly others: Address[];
  readonly podCIDRs: Prefix[];
  readonly mentioned: Address[];
}
