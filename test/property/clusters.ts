/** Clusters at random: namespaces, nodes, pods and Services, with every address told. */
import fc from "fast-check";
import { type Fields, fields, list, rarely, someOf, sometimes, weighted, withoutAbsent } from "./arbitraries.ts";
import {
  CIDR_GROUP_LABELS,
  CIDR_GROUPS,
  CROWDED_NAMESPACES,
  NAMESPACE_LABELS,
  NAMESPACES,
  NODE_ADDRESSES,
  NODE_LABELS,
  NODES,
  OUTSIDE_PREFIXES,
  POD_LABELS,
  podAddresses,
  PORT_NAMES,
  PORT_NUMBERS,
  SERVICE_ACCOUNTS,
  SERVICE_LABELS,
  SERVICE_NAMES,
} from "./pools.ts";

const namespaceObjects = fc
  .tuple(...NAMESPACES.map(() => someOf(NAMESPACE_LABELS, 2)))
  .map((labels) =>
    NAMESPACES.map((name, i) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels: labels[i] ?? {} } })),
  );

const nodeObjects = fc.tuple(...NODES.map(() => someOf(NODE_LABELS, 2))).map((labels) =>
  NODES.map((name, i) => ({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: labels[i] ?? {} },
    status: { addresses: (NODE_ADDRESSES[name] ?? []).map((address) => ({ type: "InternalIP", address })) },
  })),
);

/** The numbers that names mostly have: where each had several, Cilium would allow nothing at egress (R5.6). */
const USUAL_NUMBERS: Readonly<Record<string, number>> = { web: 8080, dns: 53, metrics: 9090, admin: 81 };

const namedPort = fc
  .tuple(fc.constantFrom(...PORT_NAMES), fc.constantFrom(...PORT_NUMBERS), rarely(8))
  .map(([name, other, odd]): Fields => ({ name, containerPort: odd ? other : USUAL_NUMBERS[name] }));

const anyPort: fc.Arbitrary<Fields> = weighted<Fields>(
  [4, namedPort],
  [1, fc.constantFrom(...PORT_NUMBERS).map((number) => ({ containerPort: number }))],
);

const containerPort = fields({
  drawn: anyPort,
  protocol: sometimes(60, weighted([4, fc.constant("TCP")], [2, fc.constant("UDP")], [1, fc.constant("SCTP")])),
}).map(({ drawn, protocol }) => {
  const port: Fields = typeof drawn === "object" && drawn !== null ? { ...drawn } : {};
  return protocol === undefined ? port : { ...port, protocol };
});

/** A name is unique within a container; a repeat across containers is allowed (WL-14). */
const container = list(containerPort, 1, 3).map((ports) => {
  const seen = new Set<unknown>();
  const own = ports.filter((port) => {
    const repeated = port["name"] !== undefined && seen.has(port["name"]);
    seen.add(port["name"]);
    return !repeated;
  });
  return own;
});

const podSpec = fields({
  node: fc.constantFrom(...NODES),
  hostNetwork: weighted([6, fc.constant(undefined)], [1, fc.constant(true)]),
  serviceAccountName: sometimes(30, fc.constantFrom(...SERVICE_ACCOUNTS)),
  containers: weighted([4, list(container, 1, 1)], [1, list(container, 2, 2)]),
  labels: someOf(POD_LABELS, 3),
  families: weighted([6, fc.constant("both")], [1, fc.constant("v4")], [1, fc.constant("v6")]),
  finished: weighted([40, fc.constant(undefined)], [1, fc.constantFrom("Succeeded", "Failed")]),
});

interface Owner {
  readonly kind: string;
  readonly name: string;
}

function podObject(
  namespace: string,
  name: string,
  index: number,
  spec: Fields,
  labels: unknown,
  owner?: Owner,
): Fields {
  const node = String(spec["node"]);
  const host = spec["hostNetwork"] === true;
  const [v4, v6] = host ? (NODE_ADDRESSES[node] ?? ["", ""]) : podAddresses(node, index);
  const families = host ? "both" : spec["families"];
  const addresses = [...(families === "v6" ? [] : [v4]), ...(families === "v4" ? [] : [v6])];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace,
      labels,
      ...(owner === undefined
        ? {}
        : {
            ownerReferences: [
              { apiVersion: "apps/v1", kind: owner.kind, name: owner.name, uid: "u", controller: true },
            ],
          }),
    },
    spec: withoutAbsent([
      ["nodeName", node],
      ["hostNetwork", spec["hostNetwork"]],
      ["serviceAccountName", spec["serviceAccountName"]],
      ["containers", containersOf(spec)],
    ]),
    status: withoutAbsent([
      ["podIP", addresses[0]],
      ["podIPs", addresses.map((ip) => ({ ip }))],
      ["phase", spec["finished"]],
    ]),
  };
}

function containersOf(spec: Fields): readonly Fields[] {
  const containers = Array.isArray(spec["containers"]) ? spec["containers"] : [];
  return containers.map((ports: unknown, i) => ({ name: `c${i}`, image: "i", ports }));
}

const lonePods = list(fc.tuple(fc.constantFrom(...CROWDED_NAMESPACES), podSpec), 4, 7).map((pods) =>
  pods.map(([namespace, spec], i) => podObject(namespace, `p${i}`, i, spec, spec["labels"])),
);

/** A StatefulSet with its two pods: one workload of several ends. */
const statefulSet = fc
  .tuple(fc.constantFrom(...CROWDED_NAMESPACES), podSpec, fc.constantFrom(...NODES), fc.constantFrom(...NODES))
  .map(([namespace, drawn, first, second]) => {
    const spec: Fields = { ...drawn, hostNetwork: undefined, finished: undefined };
    const own = { ...labelsOf(spec), set: "s" };
    const pods = [first, second].map((node, i) =>
      podObject(
        namespace,
        `s-${i}`,
        20 + i,
        { ...spec, node },
        { ...own, "statefulset.kubernetes.io/pod-name": `s-${i}`, "apps.kubernetes.io/pod-index": String(i) },
        { kind: "StatefulSet", name: "s" },
      ),
    );
    return [
      {
        apiVersion: "apps/v1",
        kind: "StatefulSet",
        metadata: { name: "s", namespace },
        spec: {
          replicas: 2,
          selector: { matchLabels: { set: "s" } },
          template: {
            metadata: { labels: own },
            spec: withoutAbsent([
              ["serviceAccountName", spec["serviceAccountName"]],
              ["containers", containersOf(spec)],
            ]),
          },
        },
      },
      ...pods,
    ];
  });

/** A Deployment of which the input has no pods: its address is not told, which only matters where addresses are judged. */
const deployment = fc.tuple(fc.constantFrom(...NAMESPACES), podSpec).map(([namespace, spec]) => {
  const labels = { ...labelsOf(spec), deploy: "d" };
  return [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "d", namespace },
      spec: {
        selector: { matchLabels: { deploy: "d" } },
        template: {
          metadata: { labels },
          spec: withoutAbsent([
            ["nodeName", spec["node"]],
            ["hostNetwork", spec["hostNetwork"]],
            ["serviceAccountName", spec["serviceAccountName"]],
            ["containers", containersOf(spec)],
          ]),
        },
      },
    },
  ];
});

function labelsOf(spec: Fields): Readonly<Record<string, unknown>> {
  const { labels } = spec;
  return typeof labels === "object" && labels !== null ? { ...labels } : {};
}

const servicePort = fields({
  name: fc.constantFrom("one", "two"),
  port: fc.constantFrom(80, 8000),
  targetPort: sometimes(60, fc.oneof(fc.constantFrom(...PORT_NUMBERS), fc.constantFrom(...PORT_NAMES))),
  protocol: weighted([4, fc.constant("TCP")], [1, fc.constant("UDP")]),
});

const service = fc
  .tuple(
    fc.constantFrom(...SERVICE_NAMES),
    fc.constantFrom(...NAMESPACES),
    someOf(SERVICE_LABELS, 1),
    weighted([3, someOf(POD_LABELS, 1, 1)], [1, fc.constant(undefined)]),
    list(servicePort, 1, 2),
    weighted([4, fc.constant("10.96.0.")], [1, fc.constant("None")]),
    fc.constantFrom("203.0.113.9", "203.0.113.10", "10.244.1.10", "192.0.2.7"),
  )
  .map(([name, namespace, labels, selector, ports, ip, endpoint]): readonly Fields[] => {
    const unique = ports.filter(
      (port, i) => ports.findIndex((p) => p["name"] === port["name"] || p["port"] === port["port"]) === i,
    );
    const index = SERVICE_NAMES.indexOf(name) * NAMESPACES.length + NAMESPACES.indexOf(namespace);
    const own = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace, labels },
      spec: withoutAbsent([
        ["clusterIP", ip === "None" ? "None" : `${ip}${index + 1}`],
        ["selector", selector],
        ["ports", unique],
      ]),
    };
    if (selector !== undefined) return [own];
    const slice = {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: `${name}-1`, namespace, labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      endpoints: [{ addresses: [endpoint] }],
      ports: unique.map((port) => ({
        name: port["name"],
        protocol: port["protocol"],
        port: typeof port["targetPort"] === "number" ? port["targetPort"] : port["port"],
      })),
    };
    return [own, slice];
  });

const services = list(service, 0, 2).map((found) => {
  const seen = new Set<string>();
  return found.filter(([object]) => {
    const { metadata } = object ?? {};
    const key = JSON.stringify(metadata).replace(/"labels".*/, "");
    return seen.has(key) ? false : seen.add(key);
  });
});

/** Namespaces, nodes, pods and Services. */
export const cluster: fc.Arbitrary<readonly Fields[]> = fc
  .tuple(namespaceObjects, nodeObjects, lonePods, sometimes(35, statefulSet), services)
  .map(([namespaces, nodes, pods, set, found]) => [...namespaces, ...nodes, ...pods, ...(set ?? []), ...found.flat()]);

/** The same with a Deployment whose pods the input does not have. */
export const ciliumCluster: fc.Arbitrary<readonly Fields[]> = fc
  .tuple(cluster, sometimes(20, deployment))
  .map(([objects, found]) => [...objects, ...(found ?? [])]);

const prefix = fc.constantFrom(...OUTSIDE_PREFIXES.map((p) => p.outer));

const cidrGroup = (apiVersion: string, name: string): fc.Arbitrary<Fields> =>
  fc
    .tuple(
      weighted([1, fc.constant({})], [9, someOf(CIDR_GROUP_LABELS, 1, 1)]),
      weighted([1, list(prefix, 0, 0)], [9, list(prefix, 1, 2)]),
    )
    .map(([labels, externalCIDRs]) => ({
      apiVersion,
      kind: "CiliumCIDRGroup",
      metadata: { name, labels },
      spec: { externalCIDRs },
    }));

/** CIDR groups; since 1.18 they are served as `v2` (1.1). */
export function cidrGroups(release: string): fc.Arbitrary<readonly Fields[]> {
  const apiVersion = release === "1.17" ? "cilium.io/v2alpha1" : "cilium.io/v2";
  return fc.tuple(...CIDR_GROUPS.map((name) => cidrGroup(apiVersion, name)));
}
