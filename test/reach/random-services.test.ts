/** Random Services of every type, asked on the engine and on the reference: where both are sure, they agree. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Reference } from "../../reference/index.ts";
import { engineOf, pod, policy, service } from "./scenes.ts";

type Fields = Readonly<Record<string, unknown>>;

const NODES = ["N1", "N2"] as const;
const APPS = ["web", "db"] as const;

interface Drawn {
  readonly pods: readonly { readonly node: (typeof NODES)[number]; readonly app: string; readonly named: boolean }[];
  readonly services: readonly {
    readonly type: string;
    readonly headless: boolean;
    readonly external: string;
    readonly internal: string;
    readonly app: string;
    readonly target: string | number;
  }[];
  readonly policies: readonly {
    readonly app: string;
    readonly direction: "Ingress" | "Egress";
    readonly peers: readonly Fields[];
    readonly port: number | undefined;
  }[];
  readonly entities: readonly { readonly app: string; readonly section: string; readonly entity: string }[];
  readonly routing: string;
}

const peer = fc.constantFrom<Fields>(
  { podSelector: {} },
  { podSelector: { matchLabels: { app: "db" } } },
  { ipBlock: { cidr: "203.0.113.0/24" } },
  { ipBlock: { cidr: "10.0.0.0/24" } },
  { ipBlock: { cidr: "10.0.0.2/32" } },
  { ipBlock: { cidr: "10.244.0.0/16" } },
);

const drawn: fc.Arbitrary<Drawn> = fc.record({
  pods: fc.array(fc.record({ node: fc.constantFrom(...NODES), app: fc.constantFrom(...APPS), named: fc.boolean() }), {
    minLength: 2,
    maxLength: 4,
  }),
  services: fc.array(
    fc.record({
      type: fc.constantFrom("ClusterIP", "NodePort", "LoadBalancer"),
      headless: fc.boolean(),
      external: fc.constantFrom("Cluster", "Local"),
      internal: fc.constantFrom("Cluster", "Cluster", "Local"),
      app: fc.constantFrom(...APPS),
      target: fc.constantFrom<string | number>(8080, "http"),
    }),
    { minLength: 1, maxLength: 2 },
  ),
  policies: fc.array(
    fc.record({
      app: fc.constantFrom(...APPS),
      direction: fc.constantFrom<"Ingress" | "Egress">("Ingress", "Egress"),
      peers: fc.array(peer, { maxLength: 2 }),
      port: fc.constantFrom(undefined, 8080, 80, 30080),
    }),
    { maxLength: 2 },
  ),
  entities: fc.array(
    fc.record({
      app: fc.constantFrom(...APPS),
      section: fc.constantFrom("ingress", "egress", "ingressDeny"),
      entity: fc.constantFrom("world", "host", "remote-node", "cluster", "all"),
    }),
    { maxLength: 2 },
  ),
  routing: fc.constantFrom("native", "tunnel"),
});

function objectsOf(scene: Drawn, cilium: boolean): readonly string[] {
  const nodes = NODES.map((name, i) =>
    JSON.stringify({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name },
      status: { addresses: [{ type: "InternalIP", address: `10.0.0.${i + 1}` }] },
    }),
  );
  const pods = scene.pods.map(({ node, app, named }, i) =>
    pod("shop", `p${i}`, node, `10.244.${NODES.indexOf(node) + 1}.${i + 10}`, { app }, [
      { ...(named ? { name: "http" } : {}), containerPort: 8080 },
    ]),
  );
  const services = scene.services.map(({ type, headless, external, internal, app, target }, i) => {
    const outer = type !== "ClusterIP";
    const spec = {
      type,
      selector: { app },
      clusterIP: headless && !outer ? "None" : `10.96.0.${i + 1}`,
      internalTrafficPolicy: internal,
      ports: [{ port: 80, targetPort: target, ...(outer ? { nodePort: 30080 + i } : {}) }],
      ...(outer ? { externalTrafficPolicy: external } : {}),
    };
    const balanced = { loadBalancer: { ingress: [{ ip: `198.51.100.${50 + i}` }] } };
    const text = service("shop", `s${i}`, spec);
    return type === "LoadBalancer" ? text.replace(/\}$/, `,"status":${JSON.stringify(balanced)}}`) : text;
  });
  const policies = scene.policies.map(({ app, direction, peers, port }, i) => {
    const rule = {
      ...(peers.length === 0 ? {} : { [direction === "Ingress" ? "from" : "to"]: peers }),
      ...(port === undefined ? {} : { ports: [{ port }] }),
    };
    const text = policy("shop", app, { policyTypes: [direction], [direction.toLowerCase()]: [rule] });
    return text.replace(`"for-${app}"`, `"np${i}"`);
  });
  if (!cilium) return [...nodes, ...pods, ...services, ...policies];
  const entities = scene.entities.map(({ app, section, entity }, i) =>
    JSON.stringify({
      apiVersion: "cilium.io/v2",
      kind: "CiliumNetworkPolicy",
      metadata: { name: `c${i}`, namespace: "shop" },
      spec: {
        endpointSelector: { matchLabels: { app } },
        [section]: [{ [section === "egress" ? "toEntities" : "fromEntities"]: [entity] }],
      },
    }),
  );
  const config = JSON.stringify({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "cilium-config", namespace: "kube-system" },
    data: { "kube-proxy-replacement": "true", "routing-mode": scene.routing },
  });
  return [...nodes, ...pods, ...services, ...policies, ...entities, config];
}

const SOURCES = ["ip:203.0.113.9", "ip:198.51.100.1", "shop/p0", "shop/p1"];
const TARGETS: readonly (readonly [to: string, port: number])[] = [
  ["shop/Service/s0", 80],
  ["ip:10.96.0.1", 80],
  ["ip:198.51.100.50", 80],
  ["ip:10.0.0.1", 30080],
  ["ip:10.0.0.2", 30080],
  ["host@N1", 30080],
];

interface Tally {
  asked: number;
  sure: number;
}

function compare(dialect: "kubernetes" | "cilium@1.19", scene: Drawn, tally: Tally): void {
  const texts = objectsOf(scene, dialect !== "kubernetes");
  const engine = engineOf(dialect, texts);
  const documents = texts.map((text): unknown => JSON.parse(text));
  const reference = new Reference(documents, { dialect });
  for (const from of SOURCES) {
    for (const [to, port] of TARGETS) {
      const flow = { from, to, protocol: "TCP", port } as const;
      const mine = engine.why(flow).verdict;
      const other = reference.ask(flow).verdict;
      tally.asked++;
      if (mine === "unsure" || other === "unsure") continue;
      tally.sure++;
      expect(`${from} > ${to} ${port}: ${mine}`, texts.join("\n")).toBe(`${from} > ${to} ${port}: ${other}`);
    }
  }
}

const RULES = "[SVC-01, SVC-02, SVC-03, SVC-04, SVC-08, SVC-10, SVC-11]";
const PARTS = 15;
const SCENES = 10;

describe(`${RULES} random Services: engine and reference do not contradict each other`, () => {
  for (const dialect of ["kubernetes", "cilium@1.19"] as const)
    for (let part = 0; part < PARTS; part++)
      test(`${dialect} ${part}`, () => {
        const tally: Tally = { asked: 0, sure: 0 };
        fc.assert(
          fc.property(drawn, (scene) => compare(dialect, scene, tally)),
          { seed: 11 + part, numRuns: SCENES },
        );
        // Most questions have an answer on both.
        expect(tally.sure / tally.asked).toBeGreaterThan(0.4);
      });
});
