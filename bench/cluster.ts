/**
 * Clusters of any size for benchmarks, the same for the same seed. Shaped like real ones: many namespaces with a few
 * applications each, a shared part with some dozens of label sets, policies per application, per namespace and
 * cluster-wide, and prefix lists with thousands of entries.
 */

export interface ClusterShape {
  readonly pods: number;
  readonly policies: number;
  readonly seed: number;
}

/** A small generator of pseudo-random numbers (mulberry32): deterministic, good enough to vary shapes. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const PODS_PER_NAMESPACE = 100;
const APPS_PER_NAMESPACE = 4;
const PREFIXES = 2000;

/** Writes the objects one by one as YAML documents (without the separator). */
export function* clusterObjects(shape: ClusterShape): Iterable<string> {
  const random = randomOf(shape.seed);
  const pick = (n: number): number => Math.floor(random() * n);
  const namespaces = Math.max(4, Math.round(shape.pods / PODS_PER_NAMESPACE));
  const nodes = Math.max(3, Math.round(shape.pods / 50));
  const app = (ns: number, i: number): string => (ns % 10 === 0 ? `shared-${(ns * 7 + i) % 40}` : `app-${i}`);
  for (let ns = 0; ns < namespaces; ns++) {
    yield `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ns-${ns}\n  labels:\n    team: team-${ns % 37}\n    stage: ${ns % 3 === 0 ? "prod" : "test"}`;
  }
  for (let n = 0; n < nodes; n++) {
    yield `apiVersion: v1\nkind: Node\nmetadata:\n  name: node-${n}\nstatus:\n  addresses:\n  - type: InternalIP\n    address: 192.168.${n >> 8}.${n & 255}`;
  }
  for (let p = 0; p < shape.pods; p++) {
    const ns = p % namespaces;
    const i = Math.floor(p / namespaces) % APPS_PER_NAMESPACE;
    const role = ["web", "api", "db", "cache"][i] ?? "web";
    const port = [8080, 9090, 5432, 6379][i] ?? 80;
    yield `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${app(ns, i)}-${role}-${p}\n  namespace: ns-${ns}\n  labels:\n    app: ${app(ns, i)}\n    role: ${role}\n    pod-template-hash: h${ns}x${i}\n  ownerReferences:\n  - apiVersion: apps/v1\n    kind: ReplicaSet\n    name: ${app(ns, i)}-${role}\n    controller: true\nspec:\n  nodeName: node-${p % nodes}\n  serviceAccountName: default\n  containers:\n  - name: main\n    image: registry.example/${role}:1.0\n    ports:\n    - name: ${role}\n      containerPort: ${port}\nstatus:\n  podIP: 10.${16 + (p >> 16)}.${(p >> 8) & 255}.${p & 255}`;
  }
  yield `apiVersion: cilium.io/v2\nkind: CiliumCIDRGroup\nmetadata:\n  name: partners\nspec:\n  externalCIDRs:\n${Array.from({ length: PREFIXES }, (_, i) => `  - 203.${(i >> 6) & 255}.${(i & 63) * 4}.0/24`).join("\n")}`;
  for (let n = 0; n < shape.policies; n++) yield policy(n, namespaces, pick, app);
}

function policy(
  n: number,
  namespaces: number,
  pick: (n: number) => number,
  app: (ns: number, i: number) => string,
): string {
  const ns = n % namespaces;
  const i = pick(APPS_PER_NAMESPACE);
  const from = pick(APPS_PER_NAMESPACE);
  const head = (kind: string): string =>
    `apiVersion: ${kind === "NetworkPolicy" ? "networking.k8s.io/v1" : "cilium.io/v2"}\nkind: ${kind}\nmetadata:\n  name: p-${n}\n${kind === "CiliumClusterwideNetworkPolicy" ? "" : `  namespace: ns-${ns}\n`}spec:\n`;
  if (n % 500 === 499) {
    return `${head("CiliumClusterwideNetworkPolicy")}  endpointSelector:\n    matchLabels:\n      k8s:io.cilium.k8s.namespace.labels.stage: prod\n  enableDefaultDeny:\n    egress: false\n  egressDeny:\n  - toCIDR: ["169.254.169.254/32"]`;
  }
  if (n % 50 === 49) {
    return `${head("CiliumNetworkPolicy")}  endpointSelector:\n    matchLabels:\n      app: ${app(ns, i)}\n  egress:\n  - toCIDRSet:\n    - cidrGroupRef: partners\n    toPorts:\n    - ports:\n      - port: "443"\n        protocol: TCP\n  - toEndpoints:\n    - matchLabels:\n        k8s:io.kubernetes.pod.namespace: kube-system\n        k8s-app: kube-dns`;
  }
  if (n % 7 === 0) {
    return `${head("NetworkPolicy")}  podSelector: {}\n  policyTypes: [Ingress]\n  ingress:\n  - from:\n    - podSelector: {}\n  - from:\n    - namespaceSelector:\n        matchLabels:\n          team: team-${pick(37)}`;
  }
  if (n % 2 === 0) {
    return `${head("NetworkPolicy")}  podSelector:\n    matchLabels:\n      app: ${app(ns, i)}\n  ingress:\n  - from:\n    - podSelector:\n        matchLabels:\n          app: ${app(ns, from)}\n    ports:\n    - port: ${[8080, 9090, 5432, 6379][i]}`;
  }
  return `${head("CiliumNetworkPolicy")}  endpointSelector:\n    matchLabels:\n      app: ${app(ns, i)}\n  ingress:\n  - fromEndpoints:\n    - matchLabels:\n        app: ${app(ns, from)}\n    toPorts:\n    - ports:\n      - port: "${[8080, 9090, 5432, 6379][i]}"\n        protocol: TCP\n  - fromEntities: [ingress]`;
}

/** The whole cluster as one YAML text. */
export function clusterText(shape: ClusterShape): string {
  return `${[...clusterObjects(shape)].join("\n---\n")}\n`;
}
