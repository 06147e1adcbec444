/** Custom objects whose operators make pods: what they make is missing from the answers, and that is said. */
import { describe, expect, test } from "vitest";
import { codesOf, lintOf, netpol, workload } from "../lint/codes.ts";
import { inputOf } from "../questions/inputs.ts";
import { idlePolicies } from "../../src/reach/idle-policies.ts";
import { findings } from "./input.ts";

const custom = (kind: string, spec: string, group = "monitoring.coreos.com/v1"): string =>
  `---\napiVersion: ${group}\nkind: ${kind}\nmetadata: {name: main, namespace: shop, labels: {app: ${kind.toLowerCase()}}}\nspec: ${spec}\n`;

describe("a custom object that makes pods", () => {
  test.each([
    ["replicas", custom("Prometheus", "{replicas: 2}")],
    ["labels for pods", custom("Alertmanager", "{podMetadata: {labels: {a: b}}}")],
    ["a template of a pod", custom("Rollout", "{template: {spec: {containers: []}}}", "argoproj.io/v1alpha1")],
    ["instances", custom("Cluster", "{instances: 3}", "postgresql.cnpg.io/v1")],
  ])("is told by its %s", (_, text) => {
    expect(findings(text, "BH318")).toHaveLength(1);
  });

  test.each([
    ["speaks of no pods", custom("ServiceMonitor", "{selector: {}}")],
    ["has replicas that are machines", custom("MachineDeployment", "{replicas: 3}", "cluster.x-k8s.io/v1beta1")],
    ["is Kubernetes' own", custom("Scale", "{replicas: 3}", "autoscaling/v1")],
    [
      "has its workload beside it",
      custom("Prometheus", "{replicas: 2}") + workload("prometheus-main", "app: prometheus"),
    ],
  ])("is not told where it %s", (_, text) => {
    expect(findings(text, "BH318")).toEqual([]);
  });

  const policies =
    netpol("podSelector: {matchLabels: {app: prometheus}}, ingress: [{from: [{podSelector: {}}]}]") +
    netpol(
      "podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: prometheus}}}]}]",
      "q",
    ) +
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: shop}\nspec: {selector: {app: prometheus}, ports: [{port: 80}]}\n";

  test("is the one finding about what would mean its pods", () => {
    const web = workload("web", "app: web");
    expect(codesOf("kubernetes", [web, policies])).toEqual(["BH140", "BH164", "BH304"]);
    expect(codesOf("kubernetes", [web, policies, custom("Prometheus", "{replicas: 2}")])).toEqual(["BH164", "BH318"]);
  });

  test("hides nothing that means other pods", () => {
    const other = netpol("podSelector: {matchLabels: {app: gone}}", "r");
    const { engine } = inputOf("kubernetes", policies, other, custom("Prometheus", "{replicas: 2}"));
    expect(idlePolicies(engine).map(({ message }) => message)).toEqual([
      "NetworkPolicy shop/q selects nothing in the input",
      "NetworkPolicy shop/r selects nothing in the input",
    ]);
  });
});

test("a policy that means pods of the host's network is told once", () => {
  const host = workload("agent", "app: agent", "", "hostNetwork: true");
  const texts = [host, netpol("podSelector: {matchLabels: {app: agent}}")];
  expect(lintOf("kubernetes", texts).findings.map(({ code }) => code)).toEqual(["BH163"]);
  expect(idlePolicies(inputOf("kubernetes", ...texts).engine).map(({ code }) => code)).toEqual(["BH163"]);
});
