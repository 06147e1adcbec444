import { expect, test } from "vitest";
import { formatDiagnostic } from "../../../src/base/diagnostic.ts";
import { openKubernetes } from "../../../src/policy/kubernetes/dialect.ts";
import { documents, world } from "./world.ts";

const TEXT = `# a comment
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: np, namespace: shop}
spec:
  podSelector:
    matchLabels:
      app web: x
  ingres: []
  ingress:
  - from:
    - ipBlock:
        except: [10.0.0.0/8]
    - {}
    ports:
    - port: 80
      endPort: 79
    - {protocol: icmp}
---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: cnp}
spec:
  tier: Admin
  subject: {}
  egress:
  - action: Deny
    to:
    - networks:
      - 10.0.0.0/8
      - 10.0.0.1
`;

test("every complaint stands at its place [K8-73]", () => {
  const dialect = openKubernetes();
  const found = documents(TEXT).flatMap((document) => dialect.compile(document, world()).diagnostics);
  const heads = found.map((finding) =>
    formatDiagnostic(finding).replace(/^(\S+) error (BH\d+): \S+ (\S+): (\S+).*$/s, "$1 $2 $4"),
  );
  expect(heads).toEqual([
    "policy.yaml:9:3: BH201 spec",
    'policy.yaml:8:7: BH206 spec.podSelector.matchLabels["app',
    "policy.yaml:13:9: BH202 spec.ingress[0].from[0].ipBlock.cidr:",
    "policy.yaml:14:7: BH202 spec.ingress[0].from[1]:",
    "policy.yaml:17:16: BH204 spec.ingress[0].ports[0].endPort:",
    "policy.yaml:18:18: BH205 spec.ingress[0].ports[1].protocol:",
    "policy.yaml:24:3: BH202 spec.priority:",
    "policy.yaml:25:12: BH208 spec.subject:",
    "policy.yaml:31:9: BH206 spec.egress[0].to[0].networks[1]:",
  ]);
});
