import { isInBlock } from "./address-blocks.ts";
import { parsePrefixLeniently } from "./addresses.ts";
import { type Side, sideOf } from "./answers.ts";
import { namespaceLabel } from "./cluster.ts";
import { namedAddresses } from "./endpoints.ts";
import { counts, type Direction, type Scene } from "./network-policies.ts";
import type { KubeObject } from "./objects.ts";
import type { Party } from "./parties.ts";
import { holds, readSelector, selects } from "./selectors.ts";
import { isOfNewerKind } from "./validation-cluster-network-policy.ts";
import { type Fields, fieldsOf, isGiven, itemsOf, textOf, textsOf, wholeOf } from "./values.ts";
import type { Pod } from "./workloads.ts";

export type Tier = "Admin" | "Baseline";

type Action = "Accept" | "Deny" | "Pass";

/** ANP is the Admin tier, BANP the Baseline tier of the older version (CNP-35). */
function tierOf(policy: KubeObject): Tier {
  if (policy.kind === "AdminNetworkPolicy") return "Admin";
  if (policy.kind === "BaselineAdminNetworkPolicy") return "Baseline";
  return fieldsOf(policy.fields["spec"])["tier"] === "Baseline" ? "Baseline" : "Admin";
}

function priorityOf(policy: KubeObject): number {
  return wholeOf(fieldsOf(policy.fields["spec"])["priority"]) ?? 0;
}

interface Found {
  readonly action: Action;
  readonly policy: KubeObject;
  readonly index: number;
}

/**
 * One tier: the first rule, by ascending priority and then from top to bottom, whose peer and protocol match. Undefined
 * when it says Pass or none matches (CNP-18 steps 1 and 3, CNP-19).
 */
export function tierSide(
  policies: readonly KubeObject[],
  tier: Tier,
  direction: Direction,
  pod: Pod,
  remote: Party,
  scene: Scene,
): Side | undefined {
  const selecting = policies.filter(
    (policy) => tierOf(policy) === tier && selectsSubject(fieldsOf(policy.fields["spec"])["subject"], pod, scene),
  );
  for (const group of inOrder(selecting, scene)) {
    const found = group
      .map((policy) => firstMatch(policy, direction, pod, remote, scene))
      .filter((item) => item !== undefined);
    const [first, ...others] = found;
    if (first === undefined) continue;
    // CNP-20: equal priorities that disagree are undefined.
    const winner = others.some((item) => item.action !== first.action)
      ? scene.unknowns.choose(`priority ${priorityOf(first.policy)} ${direction}`, [first, ...others], {
          code: "priority-conflict",
          detail: found.map((item) => item.policy.name).join(", "),
        })
      : first;
    if (winner.action === "Pass") return undefined;
    const agreeing = found.filter((item) => item.action === winner.action);
    const deciders = agreeing.map((item) => ({
      kind: item.policy.kind,
      namespace: "",
      name: item.policy.name,
      section: direction,
      index: item.index,
    }));
    return sideOf(winner.action === "Accept" ? "allow" : "deny", "rule", deciders);
  }
  return undefined;
}

/** Ascending priorities; the order between the two API versions is not defined (CNP-35). */
function inOrder(policies: readonly KubeObject[], scene: Scene): readonly (readonly KubeObject[])[] {
  const byPriority = (list: readonly KubeObject[]) =>
    [...new Set(list.map(priorityOf))]
      .sort((a, b) => a - b)
      .map((priority) => list.filter((policy) => priorityOf(policy) === priority));
  const newer = policies.filter((policy) => policy.kind === "ClusterNetworkPolicy");
  const older = policies.filter((policy) => policy.kind !== "ClusterNetworkPolicy");
  if (newer.length === 0 || older.length === 0) return byPriority(policies);
  const order = scene.unknowns.choose("order of API versions", ["merged", "newer", "older"], {
    code: "undefined-order",
    detail: "AdminNetworkPolicy beside ClusterNetworkPolicy",
  });
  if (order === "merged") return byPriority(policies);
  return order === "newer"
    ? [...byPriority(newer), ...byPriority(older)]
    : [...byPriority(older), ...byPriority(newer)];
}

/** Host-network pods are no subjects: the caller never asks for one (CNP-07). */
function selectsSubject(value: unknown, pod: Pod, scene: Scene): boolean {
  const subject = fieldsOf(value);
  if (isGiven(subject["namespaces"])) return inNamespaces(subject["namespaces"], pod, pod, scene);
  return inPods(subject["pods"], pod, pod, scene);
}

/** A LabelSelector over namespaces, or one of the three forms of early v1alpha1. */
function inNamespaces(value: unknown, pod: Pod, subject: Pod, scene: Scene): boolean {
  const fields = fieldsOf(value);
  const label = (owner: Pod, key: string) => namespaceLabel(scene.cluster, owner.namespace, key);
  const keys = [...textsOf(fields["sameLabels"]), ...textsOf(fields["notSameLabels"])];
  if (keys.length > 0) {
    // The namespaces must carry all of the keys; all values are the same, or at least one is not.
    const isCarried = (owner: Pod, key: string) =>
      holds({ key, operator: "Exists", values: [] }, label(owner, key), scene.unknowns);
    if (!keys.every((key) => isCarried(subject, key) && isCarried(pod, key))) return false;
    const areSame = keys.every((key) => {
      const [mine, theirs] = [label(subject, key), label(pod, key)];
      if (typeof mine === "object" || typeof theirs === "object")
        return scene.unknowns.ask(`same ${key} of ${subject.namespace} and ${pod.namespace}`, {
          code: "unknown-label",
          detail: key,
        });
      return mine === theirs;
    });
    return areSame === isGiven(fields["sameLabels"]);
  }
  const selector = isGiven(fields["namespaceSelector"]) ? fields["namespaceSelector"] : value;
  return selects(readSelector(selector), (key) => label(pod, key), scene.unknowns);
}

function inPods(value: unknown, pod: Pod, subject: Pod, scene: Scene): boolean {
  const fields = fieldsOf(value);
  const namespaces = isGiven(fields["namespaces"]) ? fields["namespaces"] : fields["namespaceSelector"];
  return (
    inNamespaces(namespaces, pod, subject, scene) &&
    selects(readSelector(fields["podSelector"]), (key) => pod.labels.get(key), scene.unknowns)
  );
}

function firstMatch(
  policy: KubeObject,
  direction: Direction,
  pod: Pod,
  remote: Party,
  scene: Scene,
): Found | undefined {
  for (const [index, value] of itemsOf(fieldsOf(policy.fields["spec"])[direction]).entries()) {
    const rule = fieldsOf(value);
    const action = rule["action"] === "Allow" ? "Accept" : rule["action"];
    if (action !== "Accept" && action !== "Deny" && action !== "Pass") continue;
    const peers = itemsOf(rule[direction === "ingress" ? "from" : "to"]).map(fieldsOf);
    // CNP-23: fail closed.
    if (peers.some(isOfNewerKind)) {
      if (action === "Accept") continue;
      return { action: "Deny", policy, index };
    }
    const matches = peers.some(
      (peer) =>
        protocolsMatch(rule, namedPortPod(peer, direction, pod, remote), scene) &&
        peerMatches(peer, action, pod, remote, scene),
    );
    if (matches) return { action, policy, index };
  }
  return undefined;
}

/** Names resolve on the destination pod (CNP-14), and only for pod peers (CNP-17). */
function namedPortPod(peer: Fields, direction: Direction, pod: Pod, remote: Party): Pod | undefined {
  if (direction === "ingress") return pod;
  const isPodPeer = isGiven(peer["namespaces"]) || isGiven(peer["pods"]);
  return isPodPeer && remote.kind === "pod" ? remote.pod : undefined;
}

/** CNP-01 … CNP-05, CNP-07 … CNP-10, CNP-33, CNP-34. */
function peerMatches(peer: Fields, action: Action, subject: Pod, remote: Party, scene: Scene): boolean {
  const untold = () =>
    scene.unknowns.ask(`peer ${JSON.stringify(peer)}`, { code: "unknown-address", detail: remote.kind });
  const maybeInside = remote.kind === "stray" || (remote.kind === "name" && remote.maybeInside);
  if (isGiven(peer["namespaces"]))
    return remote.kind === "pod"
      ? inNamespaces(peer["namespaces"], remote.pod, subject, scene)
      : maybeInside && untold();
  if (isGiven(peer["pods"]))
    return remote.kind === "pod" ? inPods(peer["pods"], remote.pod, subject, scene) : maybeInside && untold();
  if (isGiven(peer["networks"]))
    return textsOf(peer["networks"]).some((text) => {
      const cidr = parsePrefixLeniently(text);
      return cidr !== undefined && isInBlock(remote, { cidr, except: [] }, scene.family, scene.options, scene.unknowns);
    });
  if (isGiven(peer["nodes"])) return nodeMatches(peer["nodes"], remote, scene);
  return domainMatches(textsOf(peer["domainNames"]), action, remote, scene);
}

/** Node labels; a node that nobody named, or without manifest, may or may not have them (CNP-04). */
function nodeMatches(value: unknown, remote: Party, scene: Scene): boolean {
  if (remote.kind === "apiserver" || (remote.kind === "name" && remote.maybeInside))
    return scene.unknowns.ask("is a node", { code: "unknown-address", detail: remote.kind });
  if (remote.kind !== "node") return false;
  const selector = readSelector(value);
  if (remote.node?.labels !== undefined) {
    const { labels } = remote.node;
    return selects(selector, (key) => labels.get(key), scene.unknowns);
  }
  return (
    selector.length === 0 ||
    scene.unknowns.ask(`node labels ${JSON.stringify(value)}`, { code: "unknown-label", detail: `node ${remote.id}` })
  );
}

/** An exact name, or a leading `*.` for one or more whole labels (CNP-10); meaningful only with Accept (CNP-05). */
function domainMatches(names: readonly string[], action: Action, remote: Party, scene: Scene): boolean {
  if (names.length === 0) return false;
  if (action !== "Accept")
    return scene.unknowns.ask("domain names without Accept", {
      code: "undefined-domain-names",
      detail: names.join(" "),
    });
  const matches = (pattern: string, name: string) => {
    const plain = pattern.toLowerCase().replace(/\.$/, "");
    if (!plain.startsWith("*.")) return plain === name;
    return name.endsWith(plain.slice(1)) && name.length > plain.length - 1;
  };
  if (remote.kind === "name") return names.some((pattern) => matches(pattern, remote.name));
  if (remote.kind !== "address") return false;
  const { address } = remote;
  const known = Object.keys(scene.options.names ?? {}).map((name) => name.toLowerCase().replace(/\.$/, ""));
  const has = (name: string) =>
    namedAddresses(name, scene.options).some((item) => item.family === address.family && item.value === address.value);
  if (known.some((name) => has(name) && names.some((pattern) => matches(pattern, name)))) return true;
  if (names.every((pattern) => known.includes(pattern.toLowerCase().replace(/\.$/, "")))) return false;
  return scene.unknowns.ask(`address of ${names.join(" ")}`, { code: "name-not-resolved", detail: names.join(" ") });
}

/** CNP-12 … CNP-16, CNP-30, CNP-31; absent means any protocol and port (CNP-15). */
function protocolsMatch(rule: Fields, target: Pod | undefined, scene: Scene): boolean {
  const items = [...itemsOf(rule["protocols"]), ...itemsOf(rule["ports"])].map(fieldsOf);
  return items.length === 0 || items.some((item) => protocolMatches(item, target, scene));
}

function protocolMatches(item: Fields, target: Pod | undefined, scene: Scene): boolean {
  const { protocol, port } = scene.traffic;
  if (port === undefined) return false;
  const name = textOf(item["destinationNamedPort"]) ?? textOf(item["namedPort"]);
  if (name !== undefined)
    return (target?.ports ?? [])
      .filter((own) => own.name === name && own.protocol === protocol && own.port === port)
      .some((own) => counts(own, scene.unknowns));
  const number = fieldsOf(item["portNumber"]);
  if (isGiven(item["portNumber"])) return (textOf(number["protocol"]) ?? "TCP") === protocol && number["port"] === port;
  const range = fieldsOf(item["portRange"]);
  if (isGiven(item["portRange"]))
    return (textOf(range["protocol"]) ?? "TCP") === protocol && isBetween(port, range["start"], range["end"]);
  const own = item[protocol.toLowerCase()];
  if (!isGiven(own)) return false;
  const destination = fieldsOf(fieldsOf(own)["destinationPort"]);
  if (isGiven(destination["number"])) return destination["number"] === port;
  const span = fieldsOf(destination["range"]);
  return isBetween(port, span["start"], span["end"]);
}

function isBetween(port: number, start: unknown, end: unknown): boolean {
  return (wholeOf(start) ?? 0) <= port && port <= (wholeOf(end) ?? -1);
}
