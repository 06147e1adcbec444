import { describe, expect, test } from "vitest";
import { conflicts } from "../../../src/policy/cilium/conflicts.ts";
import type { Release } from "../../../src/policy/cilium/dialect.ts";
import { policiesOf } from "./judge.ts";
import { ccnp, cnp } from "./world.ts";

const PORT = '{port: "80", protocol: TCP}';

/** Two rules of one endpoint: what each `toPorts` item says besides the port, and whom each is for. */
function between(a: string, b: string, release: Release = "1.19", peers: readonly [string, string] = ["", ""]): string {
  const entry = (item: string, peer: string): string =>
    `egress: [{${peer}toPorts: [{ports: [${PORT}]${item === "" ? "" : `, ${item}`}}]}]`;
  const documents = [cnp(entry(a, peers[0])), ccnp(entry(b, peers[1]))];
  return conflicts(policiesOf(documents, { release }), release)
    .map((one) => one.kind)
    .join(",");
}

const HTTP = "rules: {http: [{method: GET}]}";
const KAFKA = "rules: {kafka: [{topic: t}]}";
const SNI = "serverNames: [a.io]";
const tls = (name: string, slot = "terminatingTLS"): string => `${slot}: {secret: {name: ${name}}}`;
const listener = (name: string, more = ""): string =>
  `listener: {envoyConfig: {kind: CiliumClusterwideEnvoyConfig, name: e}, name: ${name}${more}}`;

describe("rules that cannot be merged", () => {
  test.each([
    ["[R4.5.2] with and without L7 rules", HTTP, "", ""],
    ["[R4.5.3] two of one protocol", HTTP, "rules: {http: [{method: POST}]}", ""],
    ["[R4.5.4] two protocols", HTTP, KAFKA, "parser"],
    ["[R4.5.4] DNS beside HTTP", HTTP, "rules: {dns: [{matchPattern: '*'}]}", "parser"],
    ["[R4.5.4] TLS becomes HTTP", `${HTTP}, ${tls("s")}`, tls("s"), ""],
    ["[R4.5.4] TLS does not become DNS", tls("s"), "rules: {dns: [{matchPattern: '*'}]}", "parser"],
    ["[R4.5.5] one secret", tls("s"), tls("s"), ""],
    ["[R4.5.5] two terminating secrets", tls("s"), tls("t"), "terminatingTLS"],
    ["[R4.5.5] two originating secrets", tls("s", "originatingTLS"), tls("t", "originatingTLS"), "originatingTLS"],
    ["[R4.5.5] two listeners", listener("l"), listener("m"), "listener"],
    [
      "[R4.5.5] two listeners of one priority",
      listener("l", ", priority: 1"),
      listener("m", ", priority: 1"),
      "listener",
    ],
    ["[R4.5.5] two listeners of two priorities", listener("l", ", priority: 1"), listener("m", ", priority: 2"), ""],
    ["[R4.5.5] server names unite", SNI, "serverNames: [b.io]", ""],
    ["[R4.5.5] server names beside HTTP", SNI, HTTP, "server-names"],
    ["[R4.5.5] server names beside HTTP with termination", SNI, `${HTTP}, ${tls("s")}`, ""],
  ])("%s", (_, a, b, want) => {
    expect(between(a, b)).toBe(want);
  });

  test("[R4.5.5] two explicit authentication modes", () => {
    const entry = (mode: string): string => `ingress: [{fromEntities: [cluster]${mode}}]`;
    const found = (a: string, b: string): number =>
      conflicts(policiesOf([cnp(entry(a)), ccnp(entry(b))]), "1.19").filter((one) => one.kind === "authentication")
        .length;
    expect(found(", authentication: {mode: required}", ", authentication: {mode: disabled}")).toBeGreaterThan(0);
    expect(found(", authentication: {mode: required}", "")).toBe(0);
  });

  test("[R4.5.4, R4.5.6] different selectors meet in 1.17 alone", () => {
    const peers = ["toEntities: [world], ", "toEntities: [host], "] as const;
    expect(between(HTTP, KAFKA, "1.17", peers)).toBe("parser");
    expect(between(HTTP, KAFKA, "1.18", peers)).toBe("");
    expect(between(HTTP, "", "1.17", peers)).toBe("");
  });

  test("[R4.5.1] a deny of the selector takes its allows away", () => {
    const deny = ccnp(
      `egress: [{toPorts: [{ports: [${PORT}], ${KAFKA}}]}], egressDeny: [{toPorts: [{ports: [${PORT}]}]}]`,
    );
    const allow = cnp(`egress: [{toPorts: [{ports: [${PORT}], ${HTTP}}]}]`);
    expect(conflicts(policiesOf([allow, deny]), "1.19")).toEqual([]);
  });

  test("[V13, R4.3.10] a namespaced listener of a clusterwide policy fails by itself", () => {
    const item = (kind: string): string =>
      `egress: [{toPorts: [{ports: [${PORT}], listener: {envoyConfig: {kind: ${kind}, name: e}, name: l}}]}]`;
    const found = (kind: string): number => conflicts(policiesOf([ccnp(item(kind))]), "1.19").length;
    expect([found("CiliumEnvoyConfig"), found("CiliumClusterwideEnvoyConfig")]).toEqual([1, 0]);
  });

  test("ports and protocols part filters, and the rules are named", () => {
    const other = cnp(`egress: [{toPorts: [{ports: [{port: "81", protocol: TCP}], ${HTTP}}]}]`);
    const kafka = ccnp(`egress: [{}, {toPorts: [{ports: [${PORT}], ${KAFKA}}]}]`);
    const http = cnp(`egress: [{toPorts: [{ports: [${PORT}], ${HTTP}}]}]`);
    expect(conflicts(policiesOf([other, kafka]), "1.19")).toEqual([]);
    expect(conflicts(policiesOf([http, kafka]), "1.19")).toMatchObject([
      {
        direction: "egress",
        ports: "80/TCP",
        message: "cannot merge conflicting L7 parsers (http/kafka)",
        rules: [
          { kind: "CiliumNetworkPolicy", index: 0 },
          { kind: "CiliumClusterwideNetworkPolicy", index: 1 },
        ],
      },
    ]);
  });
});
