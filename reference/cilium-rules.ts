import type { Decider, Section } from "./answers.ts";
import { type Peers, peersOf } from "./cilium-peers.ts";
import { type PortGroup, portGroups } from "./cilium-ports.ts";
import { readSourcedSelector, requiredSelector, type SourcedSelector, subjectSelector } from "./cilium-selectors.ts";
import type { CiliumSettings } from "./cilium-settings.ts";
import type { Cluster } from "./cluster.ts";
import type { Direction } from "./network-policies.ts";
import type { KubeObject } from "./objects.ts";
import { type Fields, fieldsOf, isFields, isGiven, itemsOf, textOf } from "./values.ts";

/** One allow or deny entry (section 14, step 3). */
export interface Entry {
  readonly decider: Decider;
  readonly direction: Direction;
  readonly action: "allow" | "deny";
  readonly peers: Peers;
  /** Undefined: every protocol and port. */
  readonly groups: readonly PortGroup[] | undefined;
  /** The authentication mode that it asks for itself. */
  readonly authentication: string | undefined;
}

/** One rule of an object: its subject and its entries. */
export interface Rule {
  readonly origin: KubeObject;
  /** Endpoints, or the host endpoints of nodes (R2.3.5, R9.5). */
  readonly subject: "endpoints" | "nodes";
  readonly selector: SourcedSelector;
  readonly entries: readonly Entry[];
  /** Whether it switches a direction to default deny (R4.3.4). */
  readonly defaultDeny: Readonly<Record<Direction, boolean>>;
  /** Selectors of fromRequires and toRequires by section (R4.7.1). */
  readonly requires: ReadonlyMap<Section, readonly SourcedSelector[]>;
}

const SECTIONS: readonly { section: Section; direction: Direction; action: "allow" | "deny"; side: "from" | "to" }[] = [
  { section: "ingress", direction: "ingress", action: "allow", side: "from" },
  { section: "ingressDeny", direction: "ingress", action: "deny", side: "from" },
  { section: "egress", direction: "egress", action: "allow", side: "to" },
  { section: "egressDeny", direction: "egress", action: "deny", side: "to" },
];

/** `spec` first, then every item of `specs` (R1.2.1). */
export function specsOf(object: KubeObject): readonly unknown[] {
  return [...(isGiven(object.fields["spec"]) ? [object.fields["spec"]] : []), ...itemsOf(object.fields["specs"])];
}

/** The rules of a CiliumNetworkPolicy or CiliumClusterwideNetworkPolicy. */
export function ciliumRules(
  object: KubeObject,
  cluster: Cluster,
  groups: readonly KubeObject[],
  settings: CiliumSettings,
): readonly Rule[] {
  const specs = specsOf(object).filter(isFields);
  return specs.map((spec, place) => ciliumRule(spec, specs.slice(0, place), object, cluster, groups, settings));
}

/** `earlier`: the rules of the object before this one; the entries of a section are counted on from theirs. */
function ciliumRule(
  spec: Fields,
  earlier: readonly Fields[],
  object: KubeObject,
  cluster: Cluster,
  groups: readonly KubeObject[],
  settings: CiliumSettings,
): Rule {
  const isForNodes = isGiven(spec["nodeSelector"]);
  const selector = isForNodes
    ? readSourcedSelector(spec["nodeSelector"])
    : subjectSelector(spec["endpointSelector"], object.namespace);
  const context = { kind: object.kind, namespace: object.namespace, subject: selector, settings, cluster, groups };
  const requires = new Map<Section, readonly SourcedSelector[]>();
  const entries = SECTIONS.flatMap(({ section, direction, action, side }) => {
    const before = earlier.flatMap((other) => itemsOf(other[section])).length;
    return itemsOf(spec[section])
      .map(fieldsOf)
      .map((entry, index): Entry => {
        const required = itemsOf(entry[`${side}Requires`]).map((item) =>
          requiredSelector(item, object.namespace, selector, settings),
        );
        if (settings.release <= 18) requires.set(section, [...(requires.get(section) ?? []), ...required]);
        return {
          decider: {
            kind: object.kind,
            namespace: object.namespace,
            name: object.name,
            section,
            index: before + index,
          },
          direction,
          action,
          peers: peersOf(entry, side, { ...context, isDeny: action === "deny" }),
          groups: portGroups(entry),
          authentication: textOf(fieldsOf(entry["authentication"])["mode"]),
        };
      });
  });
  const enable = fieldsOf(spec["enableDefaultDeny"]);
  // R4.3.4, R4.3.6: on when the direction has entries, unless the field says false and the option honours it.
  const closes = (direction: Direction) =>
    entries.some((entry) => entry.direction === direction) && (enable[direction] !== false || !settings.nonDefaultDeny);
  return {
    origin: object,
    subject: isForNodes ? "nodes" : "endpoints",
    selector,
    entries,
    defaultDeny: { ingress: closes("ingress"), egress: closes("egress") },
    requires,
  };
}
