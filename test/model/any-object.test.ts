/** Whatever an object holds, building the world neither throws nor loses it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { readDocuments } from "../../src/documents/reader.ts";
import { resolveService } from "../../src/model/backends.ts";
import { buildWorld } from "../../src/model/build.ts";

const KINDS: readonly (readonly [apiVersion: string, kind: string])[] = [
  ["v1", "Pod"],
  ["v1", "Namespace"],
  ["v1", "Node"],
  ["v1", "Service"],
  ["v1", "Endpoints"],
  ["v1", "ReplicationController"],
  ["v1", "ConfigMap"],
  ["v1", "Secret"],
  ["apps/v1", "Deployment"],
  ["apps/v1", "StatefulSet"],
  ["apps/v1", "DaemonSet"],
  ["apps/v1", "ReplicaSet"],
  ["batch/v1", "Job"],
  ["batch/v1", "CronJob"],
  ["discovery.k8s.io/v1", "EndpointSlice"],
  ["networking.k8s.io/v1", "Ingress"],
  ["networking.k8s.io/v1", "IngressClass"],
  ["networking.k8s.io/v1", "ServiceCIDR"],
  ["gateway.networking.k8s.io/v1", "Gateway"],
  ["gateway.networking.k8s.io/v1", "HTTPRoute"],
  ["gateway.networking.k8s.io/v1", "GRPCRoute"],
  ["gateway.networking.k8s.io/v1beta1", "ReferenceGrant"],
  ["cilium.io/v2", "CiliumCIDRGroup"],
  ["cilium.io/v2", "CiliumNode"],
  ["cilium.io/v2", "CiliumLocalRedirectPolicy"],
  ["security.istio.io/v1", "AuthorizationPolicy"],
  ["acme.io/v1", "Rocket"],
];

/** Words that decoders look for, so that random objects reach deep. */
// biome-ignore format: a list of words
const KEYS = [
  "spec", "status", "template", "metadata", "labels", "annotations", "selector", "matchLabels", "matchExpressions",
  "key", "operator", "values", "containers", "initContainers", "ports", "port", "containerPort", "name", "protocol",
  "targetPort", "nodePort", "type", "clusterIP", "clusterIPs", "externalIPs", "replicas", "ordinals", "start",
  "jobTemplate", "ownerReferences", "kind", "controller", "podIP", "podIPs", "ip", "nodeName", "hostNetwork",
  "rules", "http", "paths", "path", "pathType", "backend", "service", "number", "host", "listeners", "hostname",
  "allowedRoutes", "namespaces", "from", "to", "parentRefs", "backendRefs", "matches", "filters", "externalCIDRs",
  "addresses", "endpoints", "subsets", "data", "podCIDR", "cidrs", "defaultBackend", "conditions",
  "redirectFrontend", "__proto__", "constructor",
];
const WORDS = [
  "",
  "a",
  "80",
  "TCP",
  "None",
  "10.0.0.1",
  "10.0.0.0/8",
  "fd00::1",
  "Prefix",
  "/a",
  "In",
  "Exists",
  "NodePort",
  "Job",
];

const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    fc.constantFrom<unknown>(null, true, false, 0, 1, 80, -1, 1.5, 70000),
    fc.constantFrom(...WORDS),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie("value"), { maxKeys: 5 }),
  ),
})).value;

const anyObject = fc.record({
  identity: fc.constantFrom(...KINDS),
  name: fc.constantFrom("a", "b", "kubernetes", "cilium-config"),
  namespace: fc.constantFrom(undefined, "default", "kube-system"),
  metadata: fc.dictionary(fc.constantFrom("labels", "annotations", "ownerReferences", "uid"), value, { maxKeys: 2 }),
  spec: value,
  status: value,
});

test("any object is understood, irrelevant or refused with an error", () => {
  fc.assert(
    fc.property(fc.array(anyObject, { minLength: 1, maxLength: 6 }), (objects) => {
      const text = objects
        .map(({ identity: [apiVersion, kind], name, namespace, metadata, spec, status }) =>
          JSON.stringify({
            apiVersion,
            kind,
            metadata: { ...metadata, name, ...(namespace === undefined ? {} : { namespace }) },
            spec,
            status,
          }),
        )
        .join("\n---\n");
      const { documents } = readDocuments([{ name: "in.yaml", text }]);
      const { world, account, diagnostics } = buildWorld(documents);
      const aside = [...account.irrelevant.values()].reduce((sum, count) => sum + count, 0);
      expect(account.understood + aside + account.refused.length).toBe(documents.length);
      const wrong = diagnostics.filter(({ severity }) => severity === "error");
      expect(wrong.length >= account.refused.length).toBe(true);
      expect(wrong.length > 0).toBe(account.refused.length > 0);
      for (const workload of world.workloads) expect(workload.pods.length).toBeGreaterThan(0);
      for (const service of world.services) expect(resolveService(world, service)).toBeDefined();
    }),
    { numRuns: 2000, seed: 7 },
  );
});
