import { describe, expect, test } from "vitest";
import { decodeNetworkPolicy, type NetworkPolicyObject } from "../../../src/policy/kubernetes/network-policy.ts";
import { document, inW, networkPolicy } from "./world.ts";

/** What the API server says: `accepted`, or its errors by place, without the object's name. */
function server(text: ReturnType<typeof networkPolicy>): string {
  const { value, diagnostics, refused } = decodeNetworkPolicy(text);
  expect(value === undefined).toBe(refused);
  const errors = diagnostics.filter((finding) => finding.severity === "error");
  return errors.map((finding) => finding.message.replace(/^NetworkPolicy \S+: /, "")).join("; ") || "accepted";
}

function decodedOf(spec: string): NetworkPolicyObject {
  const { value } = decodeNetworkPolicy(networkPolicy(spec));
  if (value === undefined) throw new Error(`refused: ${spec}`);
  return value;
}

describe("the API server refuses", () => {
  const PORT = "spec.ingress[0].ports[0]";
  const PEER = "spec.ingress[0].from[0]";
  const ports = (port: string): string => `[{ports: [${port}]}]`;
  const from = (peer: string): string => `[{from: [${peer}]}]`;
  const block = (body: string): string => from(`{ipBlock: {${body}}}`);

  test.each([
    [
      "[K8-46] a protocol of no ports",
      ports("{protocol: ICMP}"),
      ports("{protocol: SCTP}"),
      `${PORT}.protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"`,
    ],
    [
      "[K8-46] a protocol in small letters",
      ports("{protocol: tcp}"),
      ports("{protocol: TCP}"),
      `${PORT}.protocol: Unsupported value: "tcp": supported values: "TCP", "UDP", "SCTP"`,
    ],
    [
      "[K8-47] port 0",
      ports("{port: 0}"),
      ports("{port: 1}"),
      `${PORT}.port: Invalid value: 0: must be between 1 and 65535, inclusive`,
    ],
    [
      "[K8-47] a port beyond 16 bits",
      ports("{port: 65536}"),
      ports("{port: 65535}"),
      `${PORT}.port: Invalid value: 65536: must be between 1 and 65535, inclusive`,
    ],
    [
      "[K8-48] a number in quotes",
      ports('{port: "80"}'),
      ports("{port: 80}"),
      `${PORT}.port: Invalid value: "80": must contain at least one letter (a-z)`,
    ],
    [
      "[K8-49] capitals in a name",
      ports("{port: My_Port}"),
      ports("{port: my-port}"),
      `${PORT}.port: Invalid value: "My_Port": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)`,
    ],
    [
      "[K8-50] a long name",
      ports("{port: a-name-of-16-chr}"),
      ports("{port: a-name-of-15-ch}"),
      `${PORT}.port: Invalid value: "a-name-of-16-chr": must be no more than 15 characters`,
    ],
    [
      "[K8-50] two hyphens",
      ports("{port: a--b}"),
      ports("{port: a-b}"),
      `${PORT}.port: Invalid value: "a--b": must not contain consecutive hyphens`,
    ],
    [
      "[K8-50] a hyphen at the end",
      ports("{port: ab-}"),
      ports("{port: ab}"),
      `${PORT}.port: Invalid value: "ab-": must not begin or end with a hyphen`,
    ],
    [
      "[K8-51] a range that runs backwards",
      ports("{port: 8080, endPort: 8079}"),
      ports("{port: 8080, endPort: 8080}"),
      `${PORT}.endPort: Invalid value: 8079: must be greater than or equal to \`port\``,
    ],
    [
      "[K8-52] an end beyond 16 bits",
      ports("{port: 65000, endPort: 65536}"),
      ports("{port: 65000, endPort: 65535}"),
      `${PORT}.endPort: Invalid value: 65536: must be between 1 and 65535, inclusive`,
    ],
    [
      "[K8-53] an end after a name",
      ports("{port: http, endPort: 9000}"),
      ports("{port: http}"),
      `${PORT}.endPort: Invalid value: 9000: may not be specified when \`port\` is non-numeric`,
    ],
    [
      "[K8-54] an end without a port",
      ports("{endPort: 9000}"),
      ports("{port: 1, endPort: 9000}"),
      `${PORT}.endPort: Invalid value: 9000: may not be specified when \`port\` is not specified`,
    ],
    ["[K8-55] an empty peer", from("{}"), from("{podSelector: {}}"), `${PEER}: Required value: must specify a peer`],
    ["[K8-55] a peer that is null", from("null"), "[{from: null}]", `${PEER}: Required value: must specify a peer`],
    [
      "[K8-56] an ipBlock beside a selector",
      from("{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}"),
      from("{ipBlock: {cidr: 10.0.0.0/8}}, {podSelector: {}}"),
      `${PEER}: Forbidden: may not specify both ipBlock and another peer`,
    ],
    ["[K8-57] an ipBlock without cidr", block(""), block("cidr: 10.0.0.0/8"), `${PEER}.ipBlock.cidr: Required value`],
    ["[K8-57] an empty cidr", block('cidr: ""'), block("cidr: 0.0.0.0/0"), `${PEER}.ipBlock.cidr: Required value`],
    [
      "[K8-58] an address for a cidr",
      block("cidr: 203.0.113.9"),
      block("cidr: 203.0.113.9/32"),
      `${PEER}.ipBlock.cidr: Invalid value: "203.0.113.9": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)`,
    ],
    [
      "[K8-58] a word for an except",
      block("cidr: 10.0.0.0/8, except: [foo/8]"),
      block("cidr: 10.0.0.0/8, except: [10.1.0.0/16]"),
      `${PEER}.ipBlock.except[0]: Invalid value: "foo/8": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)`,
    ],
    [
      "[K8-59] an except equal to the cidr",
      block("cidr: 10.0.0.0/24, except: [10.0.0.0/24]"),
      block("cidr: 10.0.0.0/24, except: [10.0.0.0/25]"),
      `${PEER}.ipBlock.except[0]: Invalid value: "10.0.0.0/24": must be a strict subset of \`cidr\``,
    ],
    [
      "[K8-59] an except wider than the cidr",
      block("cidr: 10.0.0.0/24, except: [10.0.0.0/16]"),
      block("cidr: 10.0.0.0/16, except: [10.0.0.0/24]"),
      `${PEER}.ipBlock.except[0]: Invalid value: "10.0.0.0/16": must be a strict subset of \`cidr\``,
    ],
    [
      "[K8-59] an except of the other family",
      block('cidr: 10.0.0.0/24, except: ["2001:db8::/64"]'),
      block('cidr: "2001:db8::/32", except: ["2001:db8::/64"]'),
      `${PEER}.ipBlock.except[0]: Invalid value: "2001:db8::/64": must be a strict subset of \`cidr\``,
    ],
    [
      "[K8-59] an except that differs only in host bits",
      block("cidr: 10.0.0.7/8, except: [10.1.2.3/8]"),
      block("cidr: 10.0.0.7/8, except: [10.1.2.3/16]"),
      `${PEER}.ipBlock.except[0]: Invalid value: "10.1.2.3/8": must be a strict subset of \`cidr\``,
    ],
  ])("%s", (_, refused, accepted, message) => {
    expect(server(inW(refused))).toBe(message);
    expect(server(inW(accepted))).toBe("accepted");
  });

  test.each([
    [
      "[K8-61] three policyTypes, whatever they are",
      "{policyTypes: [Ingress, Egress, ingress]}",
      "{policyTypes: [Ingress, Ingress]}",
      'spec.policyTypes: Invalid value: "[Ingress, Egress, ingress]": may not specify more than two policyTypes',
    ],
    [
      "[K8-62] a policyType in small letters",
      "{policyTypes: [ingress]}",
      "{policyTypes: [Ingress]}",
      'spec.policyTypes[0]: Unsupported value: "ingress": supported values: "Ingress", "Egress"',
    ],
    [
      "[K8-63] In without values",
      "{podSelector: {matchExpressions: [{key: a, operator: In, values: []}]}}",
      "{podSelector: {matchExpressions: [{key: a, operator: In, values: [b]}]}}",
      "spec.podSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    ],
    [
      "[K8-64] Exists with values",
      "{podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}",
      "{podSelector: {matchExpressions: [{key: a, operator: Exists}]}}",
      "spec.podSelector.matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
    ],
    [
      "[K8-65] another operator",
      "{podSelector: {matchExpressions: [{key: a, operator: exists}]}}",
      "{podSelector: {matchExpressions: [{key: a, operator: DoesNotExist}]}}",
      'spec.podSelector.matchExpressions[0].operator: Invalid value: "exists": not a valid selector operator',
    ],
    [
      "[K8-66] a label key with two slashes",
      "{podSelector: {matchLabels: {a/b/c: d}}}",
      "{podSelector: {matchLabels: {a/b: d}}}",
      /^spec\.podSelector\.matchLabels\["a\/b\/c"\]: Invalid value: "a\/b\/c": /,
    ],
    [
      "[K8-66] a label value with a blank",
      "{podSelector: {matchLabels: {a: b c}}}",
      "{podSelector: {matchLabels: {a: b.c}}}",
      /^spec\.podSelector\.matchLabels\.a: Invalid value: "b c": /,
    ],
    [
      "[K8-66] a bad value in an expression",
      "{podSelector: {matchExpressions: [{key: a, operator: In, values: [b, -c]}]}}",
      "{podSelector: {matchExpressions: [{key: a, operator: In, values: [b, c]}]}}",
      /^spec\.podSelector\.matchExpressions\[0\]\.values\[1\]: Invalid value: "-c": /,
    ],
    [
      "[K8-68] a list for an object",
      "{podSelector: []}",
      "{podSelector: {}}",
      "spec.podSelector must be an object, not a list",
    ],
    [
      "[K8-68] a text for a list",
      "{policyTypes: Ingress}",
      "{policyTypes: null}",
      'spec.policyTypes must be a list, not "Ingress"',
    ],
  ])("%s", (_, refused, accepted, message) => {
    if (typeof message === "string") expect(server(networkPolicy(refused))).toBe(message);
    else expect(server(networkPolicy(refused))).toMatch(message);
    expect(server(networkPolicy(accepted))).toBe("accepted");
  });

  test.each([
    ["[K8-67] a name with capitals", "Web", "web"],
    ["[K8-67] a name of 254 characters", "w".repeat(254), "w".repeat(253)],
    ["[K8-67] a name that ends in a dot", "web.", "web.a"],
  ])("%s", (_, refused, accepted) => {
    expect(server(networkPolicy("{}", refused))).toMatch(/^metadata\.name: Invalid value: /);
    expect(server(networkPolicy("{}", accepted))).toBe("accepted");
  });

  test("every complaint of an object, not the first alone [K8-73]", () => {
    const text = server(inW("[{ports: [{port: 0}, {port: 70000}], from: [{}]}]"));
    expect(text.split("; ")).toHaveLength(3);
  });
});

describe("the API server accepts", () => {
  test.each([
    ["an object without spec", "null"],
    ["an empty spec", "{}"],
    ["rules of a direction that policyTypes leaves out", "{policyTypes: [Egress], ingress: [{}]}"],
    ["the same peer twice", "{ingress: [{from: [{podSelector: {}}, {podSelector: {}}]}]}"],
    ["overlapping excepts", "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16, 10.1.1.0/24]}}]}]}"],
    ["both families", '{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}, {ipBlock: {cidr: "::/0"}}]}]}'],
    ["ranges that overlap", "{ingress: [{ports: [{port: 1, endPort: 9}, {port: 5, endPort: 7}]}]}"],
    ["a port that no container has", "{ingress: [{ports: [{port: nobody}]}]}"],
  ])("[K8-69] %s", (_, spec) => {
    expect(server(networkPolicy(spec))).toBe("accepted");
  });

  test("[K8-68] an unknown field, which it drops; it is an error all the same", () => {
    const { value, diagnostics, refused } = decodeNetworkPolicy(
      networkPolicy("{podSelector: {}, ingres: [{}], ingress: [{ports: [{port: 80, name: x}]}]}"),
    );
    expect(refused).toBe(false);
    expect(diagnostics.map(({ code, severity }) => [code, severity])).toEqual([
      ["BH201", "error"],
      ["BH201", "error"],
    ]);
    expect(value?.ingress?.[0]?.ports?.[0]?.port).toBe(80);
  });

  test("[K8-68] but a peer of an unknown field alone is empty once that is dropped", () => {
    expect(server(inW("[{from: [{podSelctor: {}}]}]"))).toContain("must specify a peer");
  });

  test.each([
    ["host bits", "10.0.0.7/8", "10.0.0.0/8", 1],
    ["leading zeros", "010.000.0.0/08", "10.0.0.0/8", 1],
    ["both", "010.0.0.7/8", "10.0.0.0/8", 2],
    ["a mapped address", "::ffff:10.0.0.0/104", "::ffff:10.0.0.0/104", 1],
    ["a clean prefix", "10.0.0.0/8", "10.0.0.0/8", 0],
    ["a clean prefix of zeros", "2001:0db8::/32", "2001:db8::/32", 0],
  ])("[K8-60] a cidr with %s, with a warning", (_, cidr, meant, warnings) => {
    const both = [cidr, meant].map((text) => decodeNetworkPolicy(inW(`[{from: [{ipBlock: {cidr: "${text}"}}]}]`)));
    const peers = both.map(({ value }) => value?.ingress?.[0]?.peers?.[0]);
    expect(peers[0]).toEqual(peers[1]);
    expect(both[0]?.diagnostics.map(({ code, severity }) => [code, severity])).toEqual(
      Array.from({ length: warnings }, () => ["BH106", "warning"]),
    );
  });
});

describe("the decoded form keeps what was written", () => {
  test.each([
    ["absent", "{}", undefined],
    ["null", "{policyTypes: null}", undefined],
    ["empty", "{policyTypes: []}", undefined],
    ["written", "{policyTypes: [Egress]}", ["Egress"]],
    ["doubled", "{policyTypes: [Ingress, Ingress]}", ["Ingress", "Ingress"]],
  ])("[K8-05] [K8-07] policyTypes %s", (_, spec, types) => {
    expect(decodedOf(spec).policyTypes).toEqual(types);
  });

  test.each([
    ["absent", "{}", undefined],
    ["null", "{ingress: null}", undefined],
    ["empty", "{ingress: []}", 0],
    ["of one empty rule", "{ingress: [{}]}", 1],
    ["of one null rule", "{ingress: [null]}", 1],
  ])("[K8-09] ingress %s", (_, spec, count) => {
    expect(decodedOf(spec).ingress?.length).toBe(count);
  });

  test("[K8-01] an empty selector is not an absent one", () => {
    const { ingress } = decodedOf("{ingress: [{from: [{podSelector: {}}, {namespaceSelector: {}}]}]}");
    const [pods, namespaces] = ingress?.[0]?.peers ?? [];
    expect(pods).toMatchObject({ kind: "selectors", podSelector: { requirements: [] } });
    expect(pods).not.toHaveProperty("namespaceSelector");
    expect(namespaces).not.toHaveProperty("podSelector");
  });

  test("[K8-02] matchLabels and matchExpressions together", () => {
    const { podSelector } = decodedOf(
      "{podSelector: {matchLabels: {a: b}, matchExpressions: [{key: c, operator: NotIn, values: [d, e]}]}}",
    );
    expect(podSelector.requirements).toEqual([
      { key: "a", operator: "In", values: ["b"] },
      { key: "c", operator: "NotIn", values: ["d", "e"] },
    ]);
  });

  test("[K8-12] a port of nothing is TCP, without a number", () => {
    const { ingress } = decodedOf("{ingress: [{ports: [{}, null, {protocol: UDP}]}]}");
    expect(ingress?.[0]?.ports?.map(({ protocol, port }) => [protocol, port])).toEqual([
      ["TCP", undefined],
      ["TCP", undefined],
      ["UDP", undefined],
    ]);
  });

  test("paths lead to the parts", () => {
    const { egress } = decodedOf("{egress: [{}, {to: [{podSelector: {}}], ports: [{port: 1}]}]}");
    expect(egress?.[1]?.path).toEqual(["spec", "egress", 1]);
    expect(egress?.[1]?.peers?.[0]?.path).toEqual(["spec", "egress", 1, "to", 0]);
    expect(egress?.[1]?.ports?.[0]?.path).toEqual(["spec", "egress", 1, "ports", 0]);
  });

  test("the namespace of an object that names none", () => {
    const plain = document("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: np}, spec: {}}");
    expect(decodeNetworkPolicy(plain).value?.namespace).toBe("default");
    expect(decodeNetworkPolicy(plain, "shop").value?.namespace).toBe("shop");
  });
});
