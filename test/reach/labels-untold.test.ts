/** Which end a reason names where labels are compared that the input does not tell. */
import { expect, test } from "vitest";
import { engineOf } from "./scenes.ts";

test("a comparison of labels names the end whose labels are not told, once", () => {
  const engine = engineOf("kubernetes", [
    `{apiVersion: v1, kind: Namespace, metadata: {name: told, labels: {tenant: a}}}`,
    `{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: told}, spec: {containers: [{name: m}]}}`,
    `{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: untold}, spec: {containers: [{name: m}]}}`,
    `{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {name: same}, spec: {priority: 10, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {notSameLabels: [tenant]}}]}]}}`,
  ]);
  for (const [from, to] of [
    ["told/p", "untold/p"],
    ["untold/p", "told/p"],
  ] as const) {
    const { verdict, because } = engine.why({ from, to, protocol: "TCP", port: 80 });
    expect(verdict).toBe("unsure");
    expect(because).toEqual([{ code: "unknown-label", detail: "untold/Pod/p" }]);
  }
});
