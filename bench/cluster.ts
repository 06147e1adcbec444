/**
 * Clusters of any size for benchmarks, the same for the same seed. Shaped like real ones: many namespaces with a few
 * applications each (a namespace for 100 pods, 4 applications in each, every tenth namespace shares 40 application
 * names), or a shared cluster with 200 sets of labels whatever its size; policies per application, per namespace and
 * cluster-wide, and a prefix list with 2,000 entries. About 500 bytes a pod, policies included.
 */

export interface ClusterShape {
  readonly pods: number;
  readonly policies: number;
  readonly seed: number;
  /** A shared cluster: 20 namespaces with 10 applications each, however many pods there are. */
  readonly isShared?: true;
}

/** The seed of every published figure. */
export const SEED = 1;

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
const PREFIXES = 2000;
const ROLES = ["web", "api", "db", "cache"];
const PORTS = [8080, 9090, 5432, 6379];

function namespacesOf({ pods, isShared }: ClusterShape): number {
  return isShared === true ? 20 : Math.max(4, Math.round(pods / PODS_PER_NAMESPACE));
}

function appsOf({ isShared }: ClusterShape): number {
  return isShared === true ? 10 : 4;
}

function app(ns: number, i: number): string {
  return ns % 10 === 0 ? `shared-${(ns * 7 + i) % 40}` : `app-${i}`;
}

/** A namespace; `stage` instead of its own, where given. */
export function namespaceText(ns: number, stage = ns % 3 === 0 ? "prod" : "test"): string {
  return `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ns-${ns}\n  labels:\n    team: team-${ns % 37}\n    stage: ${stage}`;
}

/** A pod; it belongs to the application `i` of its namespace instead of its own, where given. */
export function podText(shape: ClusterShape, p: number, i = ownApp(shape, p)): string {
  const ns = p % namespacesOf(shape);
  const own = ownApp(shape, p);
  const [role, port] = [ROLES[own % 4] ?? "web", PORTS[own % 4] ?? 80];
  return `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${podName(shape, p)}\n  namespace: ns-${ns}\n  labels:\n    app: ${app(ns, i)}\n    role: ${role}\n    pod-template-hash: h${ns}x${own}\n  ownerReferences:\n  - apiVersion: apps/v1\n    kind: ReplicaSet\n    name: ${app(ns, own)}-${role}\n    controller: true\nspec:\n  nodeName: node-${p % nodesOf(shape)}\n  serviceAccountName: default\n  containers:\n  - name: main\n    image: registry.example/${role}:1.0\n    ports:\n    - name: ${role}\n      containerPort: ${port}\nstatus:\n  podIP: 10.${16 + (p >> 16)}.${(p >> 8) & 255}.${p & 255}`;
}

/** The name of a pod, and that of its namespace. */
export function podName(shape: ClusterShape, p: number): string {
  const own = ownApp(shape, p);
  return `${app(p % namespacesOf(shape), own)}-${ROLES[own % 4] ?? "web"}-${p}`;
}

export function podNamespace(shape: ClusterShape, p: number): string {
  return `ns-${p % namespacesOf(shape)}`;
}

function ownApp(shape: ClusterShape, p: number): number {
  return Math.floor(p / namespacesOf(shape)) % appsOf(shape);
}

function nodesOf({ pods }: ClusterShape): number {
  return Math.max(3, Math.round(pods / 50));
}

/** Writes the objects one by one as YAML documents (without the separator). */
export function* clusterObjects(shape: ClusterShape): Iterable<string> {
  const random = randomOf(shape.seed);
  for (let ns = 0; ns < namespacesOf(shape); ns++) yield namespaceText(ns);
  for (let n = 0; n < nodesOf(shape); n++) {
    yield `apiVersion: v1\nkind: Node\nmetadata:\n  name: node-${n}\nstatus:\n  addresses:\n  - type: InternalIP\n    address: 192.168.${n >> 8}.${n & 255}`;
  }
  for (let p = 0; p < shape.pods; p++) yield podText(shape, p);
  yield `apiVersion: cilium.io/v2\nkind: CiliumCIDRGroup\nmetadata:\n  name: partners\nspec:\n  externalCIDRs:\n${Array.from({ length: PREFIXES }, (_, i) => `  - 203.${(i >> 6) & 255}.${(i & 63) * 4}.0/24`).join("\n")}`;
  for (let n = 0; n < shape.policies; n++) yield policyText(shape, n, random);
}

/** A policy: most are of one application, some of a namespace, a few of the whole cluster. */
export function policyText(shape: ClusterShape, n: number, random: () => number): string {
  const pick = (count: number): number => Math.floor(random() * count);
  const ns = n % namespacesOf(shape);
  const i = pick(appsOf(shape));
  const from = pick(appsOf(shape));
  const port = PORTS[i % 4] ?? 80;
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
    return `${head("NetworkPolicy")}  podSelector:\n    matchLabels:\n      app: ${app(ns, i)}\n  ingress:\n  - from:\n    - podSelector:\n        matchLabels:\n          app: ${app(ns, from)}\n    ports:\n    - port: ${port}`;
  }
  return `${head("CiliumNetworkPolicy")}  endpointSelector:\n    matchLabels:\n      app: ${app(ns, i)}\n  ingress:\n  - fromEndpoints:\n    - matchLabels:\n        app: ${app(ns, from)}\n    toPorts:\n    - ports:\n      - port: "${port}"\n        protocol: TCP\n  - fromEntities: [ingress]`;
}

/** The whole cluster as one YAML text. */
export function clusterText(shape: ClusterShape): string {
  return `${[...clusterObjects(shape)].join("\n---\n")}\n`;
}
