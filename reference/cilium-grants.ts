import { isInBlock } from "./address-blocks.ts";
import { type Identity, selectsIdentity } from "./cilium-identities.ts";
import type { Peer } from "./cilium-peers.ts";
import { NO_PROXY, type PortItem, type ProxyPart } from "./cilium-ports.ts";
import type { Entry } from "./cilium-rules.ts";
import type { SourcedSelector } from "./cilium-selectors.ts";
import type { CiliumSettings } from "./cilium-settings.ts";
import type { Direction, Scene } from "./network-policies.ts";
import { counts } from "./network-policies.ts";
import type { Party } from "./parties.ts";
import type { Fields } from "./values.ts";
import type { Because } from "./reasons.ts";

/** One endpoint and one direction, looking at one remote identity. */
export interface View {
  readonly scene: Scene;
  readonly settings: CiliumSettings;
  readonly direction: Direction;
  readonly subject: Party;
  readonly remote: Identity;
  /** What fromRequires or toRequires add to every endpoint selector of allow and of deny entries (R4.7.1). */
  readonly requires: Readonly<Record<Entry["action"], SourcedSelector>>;
  /** Whether an item of toFQDNs selects the remote: its name was taught by a look-up (R7.3.1). */
  readonly isNamed: (item: Fields) => boolean;
}

/** One selector of an entry that selects the remote, with one port item that covers the traffic (R4.1.6). */
export interface Grant {
  /** Undefined for the entries that Cilium adds itself. */
  readonly entry: Entry | undefined;
  readonly peer: string;
  /** Undefined: every protocol and port. */
  readonly port: PortItem | undefined;
  readonly proxy: ProxyPart;
}

/** An allow of everything: the local host (R9.1), or no default deny (R4.3.5). */
export const PLAIN_GRANT: Grant = { entry: undefined, peer: "any", port: undefined, proxy: NO_PROXY };

/** Every way in which the entry matches (I, P, p) (R4.1.6, section 14 steps 3 and 4). */
export function grantsOf(entry: Entry, view: View): readonly Grant[] {
  const covering = entry.groups?.flatMap((group) =>
    group.ports.filter((port) => covers(port, view)).map((port) => ({ port, proxy: group.proxy })),
  ) ?? [{ port: undefined, proxy: NO_PROXY }];
  if (covering.length === 0) return [];
  const peers = selectingPeers(entry, view);
  return peers.flatMap((peer) => covering.map(({ port, proxy }) => ({ entry, peer, port, proxy })));
}

/** The keys of the entry's selectors that select the remote. */
function selectingPeers(entry: Entry, view: View): readonly string[] {
  const { peers } = entry;
  if (peers === "nobody") return [];
  // R2.4.3: lists absent: nobody without ports, everybody with them.
  if (peers === "unset") return entry.groups === undefined ? [] : ["any"];
  if ("unresolved" in peers) {
    if (entry.groups === undefined) return [];
    const because: Because = { code: "service-not-resolved", detail: peers.unresolved };
    return view.scene.unknowns.ask(`nothing resolves ${peers.unresolved}`, because) ? ["any"] : [];
  }
  return peers.filter((peer) => selectsRemote(peer, entry, view)).map((peer) => peer.key);
}

function selectsRemote(peer: Peer, entry: Entry, view: View): boolean {
  const { scene, remote } = view;
  switch (peer.kind) {
    case "any": {
      const required = peer.constrained === true ? view.requires[entry.action] : [];
      return required.length === 0 || selectsIdentity(required, remote, scene.unknowns);
    }
    case "labels": {
      const required = peer.constrained ? view.requires[entry.action] : [];
      return selectsIdentity([...peer.selector, ...required], remote, scene.unknowns);
    }
    case "block":
      return isSelectedByBlock(peer, view);
    case "name":
      return view.isNamed(peer.item);
    case "untold": {
      const because: Because = { code: peer.code, detail: peer.detail };
      if (remote.cidr === "address" || remote.cidr === "world")
        return scene.unknowns.ask(`${peer.key} has the remote`, because);
      // R2.4.3: a group that resolves to nothing reads, with ports, as everybody.
      return (
        peer.code === "group-not-resolved" &&
        entry.groups !== undefined &&
        scene.unknowns.ask(`${peer.key} is empty`, because)
      );
    }
  }
}

/** Prefixes never select pods, and nodes only in match mode `nodes` and with a length (R3.2.2 … R3.2.5). */
function isSelectedByBlock(peer: Peer & { kind: "block" }, view: View): boolean {
  const { remote, scene, settings } = view;
  const { block } = peer;
  switch (remote.cidr) {
    case "never":
      return false;
    case "world":
      return block.cidr.length === 0 && block.cidr.family === scene.family;
    case "node":
      if (!settings.cidrMatchesNodes || block.cidr.length === 0) return false;
      if (!isInBlock(remote.party, block, scene.family, scene.options, scene.unknowns)) return false;
      // U18: which prefixes the local host carries was not read.
      return (
        remote.valuesOf("reserved", "host").length === 0 ||
        scene.unknowns.ask(`the local host carries ${peer.key}`, { code: "host-prefixes", detail: peer.key })
      );
    case "untold":
    case "address":
      return isInBlock(remote.party, block, scene.family, scene.options, scene.unknowns);
  }
}

/** Whether a port item covers the traffic; ports are the backend's (R5.2 … R5.7). */
function covers(item: PortItem, view: View): boolean {
  const { protocol, port } = view.scene.traffic;
  if (item.protocol !== protocol) return false;
  if (item.name !== undefined) return port !== undefined && isNamedPort(item.name, protocol, port, view);
  if (port === undefined) return item.first === 0 && item.last === 65535;
  return item.first <= port && port <= item.last;
}

/** Named ports: of the endpoint itself at ingress, of the whole cluster at egress (R5.6). */
function isNamedPort(name: string, protocol: string, port: number, view: View): boolean {
  const { unknowns, cluster } = view.scene;
  const owners =
    view.direction === "ingress"
      ? view.subject.kind === "pod"
        ? [view.subject.pod]
        : []
      : cluster.pods.filter((pod) => !pod.hostNetwork);
  const numbers = new Set(
    owners
      .flatMap((pod) => pod.ports)
      .filter((own) => own.name.toLowerCase() === name && own.protocol === protocol)
      .filter((own) => counts(own, unknowns))
      .map((own) => own.port),
  );
  if (!numbers.has(port)) return false;
  if (numbers.size === 1) return true;
  // Different numbers under one name: at egress the entry is dropped; within one pod nobody read what happens (U6).
  if (view.direction === "egress") return false;
  return unknowns.ask(`${name} is ${port}`, { code: "named-port-ambiguous", detail: name });
}
