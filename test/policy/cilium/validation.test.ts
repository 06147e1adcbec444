import { describe, expect, test } from "vitest";
import type { Document } from "../../../src/documents/document.ts";
import { ccnp, cnp, compile, errorsOf, fate, nodes, type Options, policy, world } from "./world.ts";

/** `code line:column` of every error. */
function places(document: Document, options: Options = {}): readonly string[] {
  return errorsOf(compile(document, options).diagnostics).map((one) => `${one.code} ${one.line}:${one.column}`);
}

const P = "{matchLabels: {app: p}}";
const ingress = (entry: string): Document => cnp(`ingress: [${entry}]`);
const egress = (entry: string): Document => cnp(`egress: [${entry}]`);
const ports = (item: string): Document => ingress(`{toPorts: [${item}]}`);
const out = (item: string): Document => egress(`{toPorts: [${item}]}`);
const tcp = (port: string): string => `ports: [{port: "${port}", protocol: TCP}]`;

describe("the object", () => {
  test("[R1.2.1] spec and specs count both, spec first, and indices go on", () => {
    const document = policy(`spec: {endpointSelector: ${P}, ingress: [{}, {}]}
specs:
- {endpointSelector: ${P}, ingress: [{}], egress: [{}]}
- {endpointSelector: ${P}, ingress: [{}], egressDeny: [{}]}`);
    const { policies } = compile(document);
    expect(policies.map((one) => one.path)).toEqual([["spec"], ["specs", 0], ["specs", 1]]);
    const origins = policies.flatMap((one) => one.rules.map((rule) => `${rule.origin.section}[${rule.origin.index}]`));
    expect(origins).toEqual(["ingress[0]", "ingress[1]", "ingress[2]", "egress[0]", "ingress[3]", "egressDeny[0]"]);
    expect(policies[2]?.rules[0]?.origin.path).toEqual(["specs", 1, "ingress", 0]);
  });

  test("[R1.2.1] neither spec nor specs is refused", () => {
    expect(fate(policy("status: {}"))).toBe("refused BH215");
    expect(fate(policy("specs: []"))).toBe("refused BH215");
    expect(fate(policy(`specs: [{endpointSelector: ${P}, ingress: [{}]}]`))).toBe("accepted");
  });

  test("[R1.2.1] the name is a DNS name", () => {
    const document = cnp("ingress: [{}]");
    expect(fate({ ...document, name: "Rule" })).toBe("refused BH206");
  });

  test("[R1.2.2] one invalid rule refuses the object", () => {
    const good = `{endpointSelector: ${P}, ingress: [{}]}`;
    const bad = `{endpointSelector: ${P}, ingress: [{icmps: [{fields: [{type: Ping}]}]}]}`;
    expect(fate(policy(`spec: ${good}\nspecs: [${bad}]`))).toBe("refused BH228");
    expect(compile(policy(`spec: ${good}\nspecs: [${good}]`)).policies).toHaveLength(2);
  });

  test("[R1.2.3] only a clusterwide policy selects nodes", () => {
    const body = "spec: {nodeSelector: {}, ingress: [{}]}";
    expect(fate(policy(body))).toBe("refused BH216");
    expect(fate(policy(body, "CiliumClusterwideNetworkPolicy"))).toBe("accepted");
  });

  test("an unknown field is an error that the API server prunes", () => {
    const document = cnp("ingres: [], ingress: [{fromEndpoints: [{}], toPort: []}]");
    expect(fate(document)).toBe("pruned");
    expect(places(document)).toEqual(["BH201 4:51", "BH201 4:95"]);
    expect(compile(document).diagnostics[0]?.help).toBe("Did you mean ingress?");
  });

  test("fields of later releases are unknown to earlier ones", () => {
    const log = cnp("ingress: [{}], log: {value: x}");
    expect(fate(log, { release: "1.17" })).toBe("pruned");
    expect(fate(log, { release: "1.18" })).toBe("accepted");
    const groups = ingress("{fromGroups: [{aws: {region: r}}]}");
    expect(fate(groups, { release: "1.17" })).toBe("pruned");
    expect(fate(groups, { release: "1.18" })).toBe("accepted");
  });

  test("a null in a list is refused, a null field is absent", () => {
    expect(fate(cnp("ingress: [null]"))).toBe("refused BH203");
    expect(fate(cnp("ingress: [{fromEndpoints: null}]"))).toBe("accepted");
  });
});

describe("what is refused, beside what is not", () => {
  const rows: readonly (readonly [title: string, bad: Document, code: string, good: Document])[] = [
    // V1, V2
    ["[V1] no subject", policy("spec: {ingress: [{}]}"), "BH210", cnp("ingress: [{}]")],
    [
      "[V1] two subjects",
      policy(`spec: {endpointSelector: ${P}, nodeSelector: {}, ingress: [{}]}`, "CiliumClusterwideNetworkPolicy"),
      "BH210",
      nodes("ingress: [{}]"),
    ],
    ["[V2] no section", policy(`spec: {endpointSelector: ${P}}`), "BH211", cnp("ingressDeny: [{}]")],
    ["[V2] an empty section alone", cnp("ingress: []"), "BH211", cnp("ingress: [], egress: [{}]")],
    // V3
    [
      "[V3] two kinds of peer",
      egress("{toEndpoints: [{}], toCIDR: [10.0.0.0/8]}"),
      "BH212",
      egress("{toEndpoints: [], toCIDR: [10.0.0.0/8]}"),
    ],
    [
      "[V3] names beside entities",
      egress("{toFQDNs: [{matchName: a.io}], toEntities: [world]}"),
      "BH212",
      egress("{toFQDNs: [], toEntities: [world]}"),
    ],
    [
      "[V3] Services beside endpoints",
      egress("{toServices: [{k8sService: {serviceName: s}}], toEndpoints: [{}]}"),
      "BH212",
      egress(`{toServices: [{k8sService: {serviceName: s}}], toPorts: [{${tcp("80")}}]}`),
    ],
    [
      "[V3] in deny entries too",
      cnp("ingressDeny: [{fromEntities: [world], fromEndpoints: [{}]}]"),
      "BH212",
      cnp("ingressDeny: [{fromEntities: [world, host]}]"),
    ],
    // V4
    [
      "[V4] ICMP beside ports",
      ingress(`{icmps: [{fields: [{type: 8}]}], toPorts: [{${tcp("80")}}]}`),
      "BH213",
      ingress("{icmps: [{fields: [{type: 8}]}], toPorts: []}"),
    ],
    // V5
    ["[V5] an unknown entity", ingress("{fromEntities: [World]}"), "BH205", ingress("{fromEntities: [world]}")],
    [
      "[V5, V19] an entity that the schema lacks",
      ingress("{fromEntities: [world-ipv4]}"),
      "BH205",
      ingress("{fromEntities: [none]}"),
    ],
    [
      "[V5] a key with two slashes",
      ingress("{fromEndpoints: [{matchLabels: {a/b/c: x}}]}"),
      "BH240",
      ingress("{fromEndpoints: [{matchLabels: {k8s:a.b/c: x}}]}"),
    ],
    [
      "[V5] a value with a space",
      ingress("{fromEndpoints: [{matchLabels: {a: x y}}]}"),
      "BH240",
      ingress("{fromEndpoints: [{matchLabels: {a: ''}}]}"),
    ],
    [
      "[V5] In without values",
      ingress("{fromEndpoints: [{matchExpressions: [{key: a, operator: In}]}]}"),
      "BH248",
      ingress("{fromEndpoints: [{matchExpressions: [{key: a, operator: In, values: [b]}]}]}"),
    ],
    [
      "[V5] Exists with values",
      ingress("{fromEndpoints: [{matchExpressions: [{key: a, operator: Exists, values: [b]}]}]}"),
      "BH248",
      ingress("{fromEndpoints: [{matchExpressions: [{key: a, operator: Exists, values: []}]}]}"),
    ],
    [
      "[V5] an unknown operator",
      ingress("{fromEndpoints: [{matchExpressions: [{key: a, operator: Gt, values: [b]}]}]}"),
      "BH205",
      ingress("{fromEndpoints: [{matchExpressions: [{key: a, operator: NotIn, values: [b]}]}]}"),
    ],
    ["[V5] an empty CIDR", ingress("{fromCIDR: ['']}"), "BH217", ingress("{fromCIDR: [10.0.0.1]}")],
    [
      "[V5] a CIDR that is none",
      ingress("{fromCIDR: [10.0.0.0/33]}"),
      "BH217",
      ingress("{fromCIDR: ['2001:db8::/32']}"),
    ],
    [
      "[V5] a bare address in a set",
      ingress("{fromCIDRSet: [{cidr: 10.0.0.1}]}"),
      "BH217",
      ingress("{fromCIDRSet: [{cidr: 10.0.0.1/32}]}"),
    ],
    [
      "[V5, EX-05] an exception outside",
      egress("{toCIDRSet: [{cidr: 10.0.0.0/8, except: [192.168.0.0/16]}]}"),
      "BH217",
      egress("{toCIDRSet: [{cidr: 10.0.0.0/8, except: [10.96.0.0/12]}]}"),
    ],
    [
      "[V5] an exception of the other family",
      egress("{toCIDRSet: [{cidr: 10.0.0.0/8, except: ['::/0']}]}"),
      "BH217",
      egress("{toCIDRSet: [{cidr: 10.0.0.0/16, except: [10.0.0.0/8]}]}"),
    ],
    [
      "[V5] an empty item of a set",
      egress("{toCIDRSet: [{except: []}]}"),
      "BH217",
      egress("{toCIDRSet: [{cidrGroupRef: g}]}"),
    ],
    [
      "[V5] a prefix and a group",
      egress("{toCIDRSet: [{cidr: 10.0.0.0/8, cidrGroupRef: g}]}"),
      "BH217",
      egress("{toCIDRSet: [{cidrGroupSelector: {}}]}"),
    ],
    // V6
    [
      "[V6, R5.8] 41 ports",
      ports(`{ports: [${Array.from({ length: 41 }, (_, i) => `{port: "${i + 1}"}`).join(", ")}]}`),
      "BH208",
      ports(`{ports: [${Array.from({ length: 40 }, (_, i) => `{port: "${i + 1}"}`).join(", ")}]}`),
    ],
    [
      "[V6] 41 ICMP types",
      ingress(`{icmps: [{fields: [${Array.from({ length: 41 }, (_, i) => `{type: ${i}}`).join(", ")}]}]}`),
      "BH208",
      ingress(`{icmps: [{fields: [${Array.from({ length: 40 }, (_, i) => `{type: ${i}}`).join(", ")}]}]}`),
    ],
    [
      "[V6] another family",
      ingress("{icmps: [{fields: [{family: IPv5, type: 8}]}]}"),
      "BH205",
      ingress("{icmps: [{fields: [{family: IPv6, type: 128}]}]}"),
    ],
    [
      "[V6] a name of the other family",
      ingress("{icmps: [{fields: [{family: IPv4, type: PacketTooBig}]}]}"),
      "BH228",
      ingress("{icmps: [{fields: [{family: IPv6, type: PacketTooBig}]}]}"),
    ],
    [
      "[V6] no type",
      ingress("{icmps: [{fields: [{family: IPv4}]}]}"),
      "BH202",
      ingress("{icmps: [{fields: [{type: '8'}]}]}"),
    ],
    // V7
    ["[V7] no port", ports("{ports: [{protocol: TCP}]}"), "BH218", ports('{ports: [{port: "0", protocol: TCP}]}')],
    ["[V7] a port beyond 16 bits", ports(`{${tcp("65536")}}`), "BH218", ports(`{${tcp("65535")}}`)],
    ["[V7] eight is no octal digit", ports(`{${tcp("08")}}`), "BH218", ports(`{${tcp("07")}}`)],
    ["[V7] a name of 16 letters", ports(`{${tcp("abcdefghijklmnop")}}`), "BH218", ports(`{${tcp("abcdefghijklmno")}}`)],
    ["[V7] a name with two hyphens", ports(`{${tcp("a--b")}}`), "BH218", ports(`{${tcp("a-b")}}`)],
    ["[V7] a number that is no text", ports("{ports: [{port: 80}]}"), "BH203", ports('{ports: [{port: "80"}]}')],
    [
      "[V7, V19] an unknown protocol",
      ports('{ports: [{port: "80", protocol: tcp}]}'),
      "BH205",
      ports('{ports: [{port: "80", protocol: ANY}]}'),
    ],
    [
      "[V7] VRRP without the setting",
      ports('{ports: [{port: "0", protocol: VRRP}]}'),
      "BH205",
      ports('{ports: [{port: "0", protocol: SCTP}]}'),
    ],
    // V8, V9
    [
      "[V8, EX-02] HTTP on any protocol",
      ports('{ports: [{port: "80"}], rules: {http: [{}]}}'),
      "BH219",
      ports(`{${tcp("80")}, rules: {http: [{}]}}`),
    ],
    [
      "[V8] an empty HTTP list counts",
      ports('{ports: [{port: "80"}], rules: {http: []}}'),
      "BH219",
      ports(`{${tcp("80")}, rules: {http: []}}`),
    ],
    [
      "[V8] an empty DNS list on UDP",
      out('{ports: [{port: "53", protocol: UDP}], rules: {dns: []}}'),
      "BH219",
      out(`{${tcp("53")}, rules: {dns: []}}`),
    ],
    [
      "[V8] Kafka on UDP",
      out('{ports: [{port: "53", protocol: UDP}], rules: {kafka: [{}]}}'),
      "BH219",
      out('{ports: [{port: "53"}], rules: {dns: [{matchPattern: "*"}]}}'),
    ],
    [
      "[V8] DNS rules on SCTP",
      out('{ports: [{port: "53", protocol: SCTP}], rules: {dns: [{matchPattern: "*"}]}}'),
      "BH219",
      out('{ports: [{port: "53", protocol: UDP}], rules: {dns: [{matchPattern: "*"}]}}'),
    ],
    [
      "[V9, EX-03] HTTP with port 0",
      ports(`{${tcp("0")}, rules: {http: [{}]}}`),
      "BH219",
      ports(`{${tcp("web")}, rules: {http: [{}]}}`),
    ],
    // V10
    [
      "[V10] DNS rules at ingress",
      ports('{ports: [{port: "53"}], rules: {dns: [{matchPattern: "*"}]}}'),
      "BH220",
      out('{ports: [{port: "53"}], rules: {dns: [{matchPattern: "*"}]}}'),
    ],
    [
      "[V10] DNS rules at ingress on TCP",
      ports(`{${tcp("53")}, rules: {dns: [{}]}}`),
      "BH220",
      ports(`{${tcp("53")}, rules: {dns: []}}`),
    ],
    [
      "[V10] DNS rules without ports",
      out('{rules: {dns: [{matchPattern: "*"}]}}'),
      "BH220",
      out('{ports: [{port: dns}], rules: {dns: [{matchPattern: "*"}]}}'),
    ],
    [
      "[V10] DNS rules on a range",
      out('{ports: [{port: "53", endPort: 54}], rules: {dns: [{matchPattern: "*"}]}}'),
      "BH220",
      out('{ports: [{port: "53", endPort: 53}], rules: {dns: [{matchPattern: "*"}]}}'),
    ],
    // V11
    [
      "[V11] two protocols",
      out(`{${tcp("80")}, rules: {http: [], kafka: []}}`),
      "BH221",
      out(`{${tcp("80")}, rules: {kafka: []}}`),
    ],
    [
      "[V11] l7 without l7proto",
      out(`{${tcp("80")}, rules: {l7: [{}]}}`),
      "BH221",
      out(`{${tcp("80")}, rules: {l7proto: x, l7: [{}]}}`),
    ],
    // V12, V13
    [
      "[V12] server names beside HTTP",
      out(`{${tcp("443")}, serverNames: [a.io], rules: {http: [{}]}}`),
      "BH222",
      out(`{${tcp("443")}, serverNames: [a.io], rules: {http: [{}]}, terminatingTLS: {secret: {name: s}}}`),
    ],
    [
      "[V12] an empty server name",
      out(`{${tcp("443")}, serverNames: ['']}`),
      "BH222",
      out(`{${tcp("443")}, serverNames: [a.io]}`),
    ],
    [
      "[V12] a wildcard within a server name",
      out(`{${tcp("443")}, serverNames: ["a.*.io"]}`),
      "BH222",
      out(`{${tcp("443")}, serverNames: ["**.a.io"]}`),
    ],
    [
      "[V13] a listener at ingress",
      ports(`{${tcp("80")}, listener: {envoyConfig: {name: e}, name: l}}`),
      "BH223",
      out(`{${tcp("80")}, listener: {envoyConfig: {name: e}, name: l}}`),
    ],
    [
      "[V13] a listener beside HTTP",
      out(`{${tcp("80")}, rules: {http: []}, listener: {envoyConfig: {name: e}, name: l}}`),
      "BH223",
      out(`{${tcp("80")}, listener: {envoyConfig: {name: e}, name: l, priority: 100}}`),
    ],
    // V14
    [
      "[V14] HTTP on nodes at ingress",
      nodes(`ingress: [{toPorts: [{${tcp("80")}, rules: {http: []}}]}]`),
      "BH224",
      nodes(`ingress: [{toPorts: [{${tcp("80")}}]}]`),
    ],
    [
      "[V14] HTTP on nodes at egress",
      nodes(`egress: [{toPorts: [{${tcp("80")}, rules: {http: [{}]}}]}]`),
      "BH224",
      nodes('egress: [{toPorts: [{ports: [{port: "53"}], rules: {dns: [{matchPattern: "*"}]}}]}]'),
    ],
    // V16
    [
      "[V16, R6.1.3] look-around",
      ports(`{${tcp("80")}, rules: {http: [{path: "/(?=a)"}]}}`),
      "BH225",
      ports(`{${tcp("80")}, rules: {http: [{path: "/(?i)a"}]}}`),
    ],
    [
      "[V16] an open bracket in the method",
      ports(`{${tcp("80")}, rules: {http: [{method: "[G"}]}}`),
      "BH225",
      ports(`{${tcp("80")}, rules: {http: [{method: "[G]"}]}}`),
    ],
    [
      "[V16] a back-reference in the host",
      ports(`{${tcp("80")}, rules: {http: [{host: '(a)\\1'}]}}`),
      "BH225",
      ports(`{${tcp("80")}, rules: {http: [{host: '(a)'}]}}`),
    ],
    [
      "[V16] a header match without a name",
      ports(`{${tcp("80")}, rules: {http: [{headerMatches: [{value: x}]}]}}`),
      "BH202",
      ports(`{${tcp("80")}, rules: {http: [{headerMatches: [{name: x}]}]}}`),
    ],
    [
      "[V16] a header match with an empty name",
      ports(`{${tcp("80")}, rules: {http: [{headerMatches: [{name: ''}]}]}}`),
      "BH225",
      ports(`{${tcp("80")}, rules: {http: [{headerMatches: [{name: x, value: ''}]}]}}`),
    ],
    [
      "[V16] a mismatch action that is none",
      ports(`{${tcp("80")}, rules: {http: [{headerMatches: [{name: x, mismatch: DROP}]}]}}`),
      "BH205",
      ports(`{${tcp("80")}, rules: {http: [{headerMatches: [{name: x, mismatch: ADD}]}]}}`),
    ],
    [
      "[V16] a secret without a name",
      ports(`{${tcp("80")}, rules: {http: [{headerMatches: [{name: x, secret: {name: ''}}]}]}}`),
      "BH225",
      ports(`{${tcp("80")}, rules: {http: [{headerMatches: [{name: x, secret: {name: s}}]}]}}`),
    ],
    // V17
    [
      "[V17, EX-58] a wildcard in matchName",
      egress("{toFQDNs: [{matchName: '*.a.io'}]}"),
      "BH226",
      egress("{toFQDNs: [{matchPattern: '*.a.io'}]}"),
    ],
    [
      "[V17, EX-58] a plus in matchPattern",
      egress("{toFQDNs: [{matchPattern: 'a+.io'}]}"),
      "BH226",
      egress("{toFQDNs: [{matchPattern: 'a_.io'}]}"),
    ],
    [
      "[V17] 256 characters",
      egress(`{toFQDNs: [{matchName: ${"a.".repeat(128)}}]}`),
      "BH226",
      egress(`{toFQDNs: [{matchName: ${"a.".repeat(127)}}]}`),
    ],
    [
      "[V17] in a DNS rule",
      out('{ports: [{port: "53"}], rules: {dns: [{matchName: "a b"}]}}'),
      "BH226",
      out('{ports: [{port: "53"}], rules: {dns: [{matchName: "a-b"}]}}'),
    ],
    // V18, V19
    ["[V18] requirements in 1.19", ingress("{fromRequires: [{}]}"), "BH227", ingress("{fromRequires: []}")],
    [
      "[V19] an authentication mode that is none",
      ingress("{authentication: {mode: always}}"),
      "BH205",
      ingress("{authentication: {mode: required}}"),
    ],
    [
      "[V19] authentication without a mode",
      ingress("{authentication: {}}"),
      "BH202",
      ingress("{authentication: {mode: disabled}}"),
    ],
    [
      "[V19] an end beyond the ports",
      ports('{ports: [{port: "1", endPort: 65536}]}'),
      "BH204",
      ports('{ports: [{port: "1", endPort: 65535}]}'),
    ],
  ];

  test.each(rows)("%s", (_, bad, code, good) => {
    expect(fate(bad)).toBe(`refused ${code}`);
    expect(fate(good)).toBe("accepted");
  });

  test("[EX-01] the whole policy is refused", () => {
    expect(fate(egress("{toEndpoints: [{}], toCIDR: [10.0.0.0/8]}"))).toBe("refused BH212");
  });

  test("[EX-04] names with HTTP are accepted", () => {
    expect(
      fate(egress(`{toFQDNs: [{matchName: a.io}], toPorts: [{${tcp("443")}, rules: {http: [{method: GET}]}}]}`)),
    ).toBe("accepted");
  });

  test("[V13] a namespaced listener of a clusterwide policy is accepted, and an error all the same", () => {
    const listener = (kind: string): Document =>
      ccnp(`egress: [{toPorts: [{${tcp("80")}, listener: {envoyConfig: {kind: ${kind}, name: e}, name: l}}]}]`);
    const { policies, refused, diagnostics } = compile(listener("CiliumEnvoyConfig"));
    expect([policies.length, refused, errorsOf(diagnostics).map((one) => one.code)]).toEqual([1, false, ["BH229"]]);
    expect(fate(listener("CiliumClusterwideEnvoyConfig"))).toBe("accepted");
  });

  test("[V18] requirements are known up to 1.18", () => {
    const document = ingress("{fromRequires: [{}]}");
    expect(
      ["1.17", "1.18"].map((release) => fate(document, { release: release === "1.17" ? "1.17" : "1.18" })),
    ).toEqual(["accepted", "accepted"]);
  });
});

describe("settings decide", () => {
  const rows: readonly (readonly [title: string, document: Document, setting: string, bad: string, code: string])[] = [
    ["[V4] ICMP rules", ingress("{icmps: [{fields: [{type: 8}]}]}"), "enable-icmp-rules", "false", "BH214"],
    ["[V14] L7 rules", ports(`{${tcp("80")}, rules: {http: []}}`), "enable-l7-proxy", "false", "BH214"],
    ["[V15] nodes as peers", ingress("{fromNodes: [{}]}"), "enable-node-selector-labels", "false", "BH214"],
    ["[V7] ports left out", ports("{ports: [{protocol: TCP}]}"), "enable-extended-ip-protocols", "false", "BH218"],
    ["[V7] IGMP", ports('{ports: [{port: "0", protocol: IGMP}]}'), "enable-extended-ip-protocols", "false", "BH205"],
  ];

  test.each(rows)("%s", (_, document, setting, bad, code) => {
    const good = bad === "false" ? "true" : "false";
    expect(fate(document, { world: world("", { [setting]: bad }) })).toBe(`refused ${code}`);
    expect(fate(document, { world: world("", { [setting]: good }) })).toBe("accepted");
  });

  test("[V15] an empty list of nodes is no use of nodes", () => {
    expect(fate(ingress("{fromNodes: []}"))).toBe("accepted");
  });

  test("[V7] VRRP and IGMP have no ports", () => {
    const options = { world: world("", { "enable-extended-ip-protocols": "true" }) };
    expect(fate(ports('{ports: [{port: "1", protocol: IGMP}]}'), options)).toBe("refused BH218");
    expect(fate(ports('{ports: [{port: "0", protocol: IGMP}]}'), options)).toBe("accepted");
  });
});

test("every complaint stands at its place", () => {
  const document = policy(`spec:
  endpointSelector: ${P}
  ingress:
  - fromEntities: [world, moon]
    toPorts:
    - ports:
      - {port: "70000", protocol: TCP}
      - {port: "80", protocol: Tcp}`);
  expect(places(document)).toEqual(["BH205 7:27", "BH218 10:16", "BH205 11:32"]);
  const [first, second] = compile(document).diagnostics;
  expect(first?.message).toMatch(/^CiliumNetworkPolicy a\/rule: spec\.ingress\[0\]\.fromEntities\[1\] must be one of/);
  expect(second?.message).toBe(
    'CiliumNetworkPolicy a/rule: spec.ingress[0].toPorts[0].ports[0].port: unable to parse port "70000"',
  );
});
