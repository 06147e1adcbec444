/** Rules that the lab must refuse, for left out or taken as written they would mean something else to packets. */
import { expect, test } from "vitest";
import { openCluster } from "./opened.ts";

const POD = { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "a", labels: { app: "p" } }, spec: {} };

function refusals(spec: Readonly<Record<string, unknown>>): readonly string[] {
  const policy = {
    apiVersion: "cilium.io/v2",
    kind: "CiliumNetworkPolicy",
    metadata: { name: "one", namespace: "a" },
    spec: { endpointSelector: {}, ...spec },
  };
  return openCluster("cilium@1.19", [POD, policy]).compiled.unsupported.map(({ why }) => why);
}

// Found by comparing random policies with packets: without default deny the ports of such a rule stayed open.
test.each(["required", "test-always-fail"])("[R4.6.2] authentication %s, with default deny or without", (mode) => {
  const ingress = [{ toPorts: [{ ports: [{ port: "9090", protocol: "SCTP" }] }], authentication: { mode } }];
  expect(refusals({ ingress })).toEqual(["authentication"]);
  expect(refusals({ ingress, enableDefaultDeny: { ingress: false } })).toEqual(["authentication"]);
  expect(refusals({ ingress: [...ingress, { fromEndpoints: [{}] }] })).toEqual(["authentication"]);
});

test("[R4.6.2] authentication disabled is none", () => {
  expect(refusals({ ingress: [{ authentication: { mode: "disabled" }, fromEndpoints: [{}] }] })).toEqual([]);
});
