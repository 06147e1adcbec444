/** A scene: a cluster, a set of policies over it, and flows to ask. */
import fc from "fast-check";
import { type Fields, list, rarely, weighted } from "./arbitraries.ts";
import { ciliumClusterwideNetworkPolicy, ciliumNetworkPolicy, type Grammar } from "./cilium-policies.ts";
import { cidrGroups, ciliumCluster, cluster } from "./clusters.ts";
import { type Flow, flowOf, type FlowSpace } from "./flows.ts";
import { withMistakes } from "./mistakes.ts";
import { networkPolicy } from "./network-policies.ts";
import { configObject, type Settings, settings } from "./settings.ts";
import { adminNetworkPolicy, clusterNetworkPolicy } from "./tier-policies.ts";

export const DIALECTS = ["kubernetes", "cilium@1.17", "cilium@1.18", "cilium@1.19"] as const;
export type Dialect = (typeof DIALECTS)[number];

export interface Scene {
  readonly dialect: Dialect;
  readonly cluster: readonly Fields[];
  /** Policies, and what configures them. */
  readonly policies: readonly Fields[];
  readonly flows: readonly Flow[];
  /** DNS names and the addresses to which they resolve. */
  readonly names?: Readonly<Record<string, readonly string[]>>;
}

const MISTAKE_TIMES = 24;

/** 1 to `max` things, each made from its index. */
export function numbered<T>(max: number, make: (index: number) => fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> {
  const all = Array.from({ length: max }, (_, i) => make(i + 1));
  return fc.integer({ min: 1, max }).chain((n) => fc.tuple(...all.slice(0, n)));
}

const kubernetesPolicies: fc.Arbitrary<readonly Fields[]> = fc
  .tuple(
    numbered(4, networkPolicy),
    weighted<readonly Fields[]>(
      [9, fc.constant([])],
      [12, numbered(3, clusterNetworkPolicy)],
      [9, numbered(3, adminNetworkPolicy)],
      [1, fc.tuple(clusterNetworkPolicy(1), adminNetworkPolicy(1))],
    ),
    rarely(3),
  )
  .map(([network, tiers, alone]) => distinct(alone && tiers.length > 0 ? tiers : [...network, ...tiers]));

/** A second object of one kind and name would replace the first. */
function distinct(objects: readonly Fields[]): readonly Fields[] {
  const seen = new Set<string>();
  return objects.filter(({ kind, metadata }) => {
    const key = `${String(kind)} ${JSON.stringify(metadata)}`;
    return seen.has(key) ? false : seen.add(key);
  });
}

function ciliumPolicies(grammar: Grammar): fc.Arbitrary<readonly Fields[]> {
  return fc
    .tuple(
      numbered(3, (index) =>
        weighted(
          [5, ciliumNetworkPolicy(index, grammar)],
          [4, ciliumClusterwideNetworkPolicy(index, grammar)],
          [3, networkPolicy(index)],
        ),
      ),
      cidrGroups(grammar.release),
    )
    .map(([policies, groups]) => [...policies, ...groups]);
}

function withFlows(
  dialect: Dialect,
  objects: fc.Arbitrary<{ readonly cluster: readonly Fields[]; readonly policies: readonly Fields[] }>,
  count: number,
  flow: (space: FlowSpace) => fc.Arbitrary<Flow>,
): fc.Arbitrary<Scene> {
  const cilium = dialect !== "kubernetes";
  return fc.tuple(objects, rarely(cilium ? 1 : 12)).chain(([{ cluster: base, policies }, icmp]) =>
    list(
      flow({
        cluster: base,
        policies,
        cilium,
        icmp,
        anonymousNodes: !JSON.stringify(policies).includes('"enable-host-firewall":"true"'),
      }),
      count,
      count,
    ).map((flows) => ({
      dialect,
      cluster: base,
      policies,
      flows,
    })),
  );
}

/** Scenes under the specification alone. */
export function kubernetesScene(flows: number): fc.Arbitrary<Scene> {
  const objects = fc
    .tuple(cluster, kubernetesPolicies)
    .chain(([base, policies]) =>
      withMistakes(policies, MISTAKE_TIMES).map((found) => ({ cluster: base, policies: found })),
    );
  return withFlows("kubernetes", objects, flows, flowOf);
}

export function releaseOf(dialect: Dialect): string {
  return dialect.slice("cilium@".length);
}

/** Scenes under one release of Cilium, layers 3 and 4. */
export function ciliumScene(dialect: Dialect, flows: number): fc.Arbitrary<Scene> {
  const objects = fc.tuple(settings, rarely(6)).chain(([own, planted]) => {
    const grammar: Grammar = {
      release: releaseOf(dialect),
      nodes: own?.["enable-node-selector-labels"] === "true",
      planted,
    };
    return fc
      .tuple(ciliumCluster, ciliumPolicies(grammar))
      .chain(([base, policies]) =>
        withMistakes(policies, MISTAKE_TIMES).map((found) => ({ cluster: base, policies: configured(found, own) })),
      );
  });
  return withFlows(dialect, objects, flows, flowOf);
}

export function configured(policies: readonly Fields[], own: Settings): readonly Fields[] {
  return own === undefined ? policies : [configObject(own), ...policies];
}

/** All objects, in the order in which both evaluators read them. */
export function documentsOf(scene: Scene): readonly Fields[] {
  return [...scene.cluster, ...scene.policies];
}
