/** A scene: a cluster, a set of policies over it, and flows to ask. */
import fc from "fast-check";
import { type Fields, list, rarely, sometimes, weighted } from "./arbitraries.ts";
import { ciliumClusterwideNetworkPolicy, ciliumNetworkPolicy, type Grammar } from "./cilium-policies.ts";
import { cidrGroups, ciliumCluster, cluster } from "./clusters.ts";
import { type Flow, flowOf, type FlowSpace } from "./flows.ts";
import { httpApplication, httpRulesIn, requestNear } from "./http-rules.ts";
import { withMistakes } from "./mistakes.ts";
import { dialled, nameApplication, nameItem, nameServer, resolutions, withLookUps } from "./names.ts";
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
  return fc
    .tuple(objects, rarely(cilium ? 1 : 12))
    .chain(([{ cluster: base, policies }, icmp]) =>
      list(flow({ cluster: base, policies, cilium, icmp, ...askable(base, policies, cilium) }), count, count).map(
        (flows) => ({ dialect, cluster: base, policies, flows }),
      ),
    );
}

/** Which ends both evaluators follow to the last detail. */
function askable(
  base: readonly Fields[],
  policies: readonly Fields[],
  cilium: boolean,
): Pick<FlowSpace, "anonymousNodes" | "unmanaged" | "services"> {
  const text = JSON.stringify(policies);
  const single = base.some((object) => /"podIPs":\[\{[^{}]*\}\]/.test(JSON.stringify(object)));
  return {
    anonymousNodes: !text.includes('"enable-host-firewall":"true"'),
    unmanaged: !(text.includes("Deny") && text.includes("CIDR")),
    // Whether rules for addresses see a Service's address or that of its pods is read in two ways (K8-26, K8-45).
    services: cilium || !(single || text.includes('"ipBlock"') || text.includes('"networks"')),
  };
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

const planted = weighted<Grammar["planted"]>(
  [10, fc.constant(undefined)],
  [1, fc.constant("peers" as const)],
  [1, fc.constant("authentication" as const)],
);

/** Scenes under one release of Cilium, layers 3 and 4. */
export function ciliumScene(dialect: Dialect, flows: number): fc.Arbitrary<Scene> {
  const objects = fc.tuple(settings, planted).chain(([own, plant]) => {
    const grammar: Grammar = {
      release: releaseOf(dialect),
      nodes: own?.["enable-node-selector-labels"] === "true",
      planted: plant,
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

/** Scenes in which HTTP rules judge requests. */
export function httpScene(dialect: Dialect, flows: number): fc.Arbitrary<Scene> {
  const objects = fc
    .tuple(
      weighted<Settings>(
        [4, fc.constant(undefined)],
        [1, settings.map((own) => own && { ...own, "enable-policy": "default" })],
      ),
      rarely(12),
      rarely(8),
    )
    .chain(([own, secrets, mixed]) => {
      const grammar: Grammar = {
        release: releaseOf(dialect),
        nodes: own?.["enable-node-selector-labels"] === "true",
        planted: undefined,
        application: (direction) =>
          mixed ? weighted([3, httpApplication(secrets)], [1, nameApplication(direction)]) : httpApplication(secrets),
        services: false,
      };
      return fc
        .tuple(ciliumCluster, ciliumPolicies(grammar))
        .filter(([, policies]) => httpRulesIn(policies).length > 0)
        .map(([base, policies]) => ({ cluster: base, policies: configured(policies, own) }));
    });
  return withFlows(dialect, objects, flows, (space) => {
    const rules = httpRulesIn(space.policies);
    return fc
      .tuple(flowOf(space), requestNear(rules), rarely(8), rarely(20), fc.constantFrom("a.io", "x.a.io"), rarely(2))
      .map(([flow, http, bare, secured, serverName, alone]): Flow => {
        if (flow.protocol !== "TCP" || bare) return flow;
        if (!secured) return { ...flow, http };
        return { ...flow, ...(alone ? {} : { http }), tls: { serverName } };
      });
  });
}

/** Scenes in which names are resolved, dialled and sent. */
export function namesScene(dialect: Dialect, flows: number): fc.Arbitrary<Scene> {
  const grammar: Grammar = {
    release: releaseOf(dialect),
    nodes: false,
    planted: undefined,
    application: nameApplication,
    names: nameItem,
    services: false,
  };
  const objects = fc
    .tuple(ciliumCluster, nameServer, ciliumPolicies(grammar).chain(withLookUps))
    .filter(([, , policies]) => /"(toFQDNs|dns|serverNames)"/.test(JSON.stringify(policies)))
    .map(([base, server, policies]) => ({ cluster: [...base, ...server], policies }));
  const scenes = withFlows(dialect, objects, flows, (space) =>
    fc.tuple(flowOf(space), dialled).map(([flow, { to, serverName }]): Flow => {
      const named: Flow = to === undefined || /^(ip|cidr):/.test(flow.from) ? flow : { ...flow, to };
      return serverName === undefined || named.protocol !== "TCP" ? named : { ...named, tls: { serverName } };
    }),
  );
  return fc
    .tuple(scenes, sometimes(80, resolutions))
    .map(([scene, names]) => (names === undefined ? scene : { ...scene, names }));
}
