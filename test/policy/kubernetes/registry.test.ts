import { describe, expect, test } from "vitest";
import { chooseDialect, DIALECT_NAMES, openDialect } from "../../../src/policy/registry.ts";
import { documents } from "./world.ts";

const NP = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: np, namespace: shop}}";
const CLUSTER_NP = "{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: c}}";
const CNP = "{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: cnp, namespace: shop}}";
const CCNP = "{apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, metadata: {name: ccnp}}";
const CONFIG = "{apiVersion: v1, kind: ConfigMap, metadata: {name: cilium-config, namespace: kube-system}}";
const OTHER_CONFIG = "{apiVersion: v1, kind: ConfigMap, metadata: {name: cilium-config, namespace: shop}}";
const CALICO = "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: cal, namespace: shop}}";
const CALICO_CRD = "{apiVersion: crd.projectcalico.org/v1, kind: IPPool, metadata: {name: pool}}";

/** The dialect's name, or the codes of the errors. */
function choose(objects: readonly string[], flag?: string): string {
  const choice = chooseDialect(documents(objects.join("\n---\n")), flag);
  return choice.dialect?.name ?? choice.diagnostics?.map(({ code }) => code).join(" ") ?? "";
}

describe("the input tells", () => {
  test.each([
    ["nothing at all", [], "kubernetes"],
    ["a NetworkPolicy", [NP], "kubernetes"],
    ["a ClusterNetworkPolicy", [NP, CLUSTER_NP], "kubernetes"],
    ["a CiliumNetworkPolicy", [NP, CNP], "cilium@1.19"],
    ["a CiliumClusterwideNetworkPolicy", [CCNP], "cilium@1.19"],
    ["the ConfigMap of Cilium", [NP, CONFIG], "cilium@1.19"],
    ["a ConfigMap of that name elsewhere", [NP, OTHER_CONFIG], "kubernetes"],
    ["an object of Calico", [NP, CALICO], "BH042"],
    ["an object of Calico's other group", [CALICO_CRD], "BH042"],
    ["objects of both", [CALICO, CNP], "BH041"],
    ["the ConfigMap of Cilium and an object of Calico", [CONFIG, CALICO_CRD], "BH041"],
  ])("%s", (_, objects, want) => {
    expect(choose(objects)).toBe(want);
  });

  test("the error names both objects with their places", () => {
    const [error] = chooseDialect(documents([CALICO, CNP].join("\n---\n"))).diagnostics ?? [];
    expect(error).toMatchObject({ severity: "error", file: "policy.yaml" });
    expect(error?.message).toContain("CiliumNetworkPolicy shop/cnp");
    expect(error?.message).toContain("NetworkPolicy shop/cal");
    expect(error?.help).toContain("--dialect");
  });
});

describe("the flag decides over the input", () => {
  test.each([
    ["kubernetes", [CNP], "kubernetes"],
    ["kubernetes", [CALICO, CNP], "kubernetes"],
    ["cilium", [NP], "cilium@1.19"],
    ["cilium@1.17", [NP], "cilium@1.17"],
    ["cilium@1.18", [CALICO], "cilium@1.18"],
    ["cilium@1.19", [], "cilium@1.19"],
    ["cilium@1.16", [CNP], "BH040"],
    ["calico", [CALICO], "BH040"],
    ["kubernetes@1.30", [NP], "BH040"],
    ["", [NP], "BH040"],
  ])("%s", (flag, objects, want) => {
    expect(choose(objects, flag)).toBe(want);
  });

  test("a dialect that does not exist: what was meant, or what there is", () => {
    const help = (flag: string) => chooseDialect([], flag).diagnostics?.[0]?.help;
    expect(help("kubernets")).toBe("Did you mean kubernetes?");
    expect(help("weave")).toBe(`The dialects are ${DIALECT_NAMES.join(", ")}.`);
  });
});

test("every name opens a dialect that bears it, with its release", () => {
  for (const name of DIALECT_NAMES) expect(openDialect(name)?.name).toMatch(new RegExp(`^${name}(@|$)`));
  expect(openDialect("toString")).toBeUndefined();
});
