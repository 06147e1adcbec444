import { describe, expect, test } from "vitest";
import { parsePortNumber } from "../../../src/policy/cilium/ports.ts";
import { judge, type Verdict } from "./judge.ts";
import { cnp, compile, compiled, ruleOf, type Options, world } from "./world.ts";

function ask(entry: string, port: string, options: Options = {}): Verdict {
  return judge([cnp(`ingress: [${entry}]`)], "ingress", "a/p", "a/x", port, options);
}

const item = (port: string): string => `{toPorts: [{ports: [${port}]}]}`;

describe("ports and protocols", () => {
  test.each([
    ["[R5.1] TCP", '{port: "80", protocol: TCP}', "80/TCP", "80/UDP"],
    ["[R5.1] UDP", '{port: "80", protocol: UDP}', "80/UDP", "80/TCP"],
    ["[R5.1] SCTP", '{port: "80", protocol: SCTP}', "80/SCTP", "80/TCP"],
    ["[R5.1, R5.2, EX-29] no protocol is any that has ports", '{port: "53"}', "53/SCTP", "8/ICMP"],
    ["[R5.1, R5.2] ANY too", '{port: "53", protocol: ANY}', "53/UDP", "53/OTHER"],
    ["[R5.2, R5.3] port 0 of ANY: every port, no ICMP", '{port: "0", protocol: ANY}', "65535/TCP", "8/ICMP"],
    ["[R5.3] port 0 of one protocol", '{port: "0", protocol: UDP}', "1/UDP", "1/TCP"],
    ["[R5.3] a single port", '{port: "80", protocol: TCP}', "80/TCP", "81/TCP"],
    ["[R5.3, EX-64] a range has its end", '{port: "8000", endPort: 8100, protocol: TCP}', "8100/TCP", "8101/TCP"],
    ["[R5.3] and its start", '{port: "8000", endPort: 8100, protocol: TCP}', "8000/TCP", "7999/TCP"],
    [
      "[R5.3, EX-64] an end below the start is none",
      '{port: "8000", endPort: 7000, protocol: TCP}',
      "8000/TCP",
      "7500/TCP",
    ],
    ["[R5.3] an end of 0 is none", '{port: "8000", endPort: 0, protocol: TCP}', "8000/TCP", "8001/TCP"],
    ["[R4.2.1] from 0 to an end", '{port: "0", endPort: 100, protocol: TCP}', "100/TCP", "101/TCP"],
    ["[V7] a leading zero is octal", '{port: "010", protocol: TCP}', "8/TCP", "10/TCP"],
    ["[R5.1] ICMP as a protocol", '{port: "8", protocol: ICMP}', "8/ICMP", "9/ICMP"],
    ["[R5.1] every ICMPv6 type", '{port: "0", protocol: ICMPv6}', "128/ICMPv6", "8/ICMP"],
  ] as const)("%s", (_, port, yes, no) => {
    expect([ask(item(port), yes), ask(item(port), no)]).toEqual(["allow", "deny"]);
  });

  test("[R5.3] from 0 to 65535 is every port", () => {
    expect(ask(item('{port: "0", endPort: 65535, protocol: TCP}'), "1/TCP")).toBe("allow");
  });

  test("[R5.1] VRRP and IGMP with the setting", () => {
    const options = { world: world("", { "enable-extended-ip-protocols": "true" }) };
    expect(ask(item('{port: "0", protocol: VRRP}'), "0/VRRP", options)).toBe("allow");
    expect(ask(item('{port: "0", protocol: VRRP}'), "0/IGMP", options)).toBe("deny");
  });

  test.each([
    ["[R5.4] without ports: everything", "{fromEndpoints: [{}]}", "allow", "allow", "allow"],
    ["[R5.4] with ports: no ICMP", `{fromEndpoints: [{}], toPorts: [{ports: [{port: "0"}]}]}`, "allow", "deny", "deny"],
    [
      "[R5.4] with ICMP: only its types",
      "{fromEndpoints: [{}], icmps: [{fields: [{type: 8}]}]}",
      "deny",
      "allow",
      "deny",
    ],
  ] as const)("%s", (_, entry, ...wants) => {
    expect(["80/TCP", "8/ICMP", "0/OTHER"].map((port) => ask(entry, port))).toEqual(wants);
  });

  test.each([
    ["80", 80],
    ["0", 0],
    ["00", 0],
    ["010", 8],
    ["0777", 511],
    ["1_000", 1000],
    ["65535", 65535],
    ["65536", undefined],
    ["08", undefined],
    ["1__0", undefined],
    ["-1", undefined],
    ["+1", undefined],
    [" 1", undefined],
  ])("[V7] Go reads %j as %j", (text, want) => {
    expect(parsePortNumber(text)).toBe(want);
  });
});

describe("names of ports", () => {
  const options: Options = {
    world: world(`
kind: Pod
apiVersion: v1
metadata: {name: q, namespace: a, labels: {app: p}}
spec:
  containers:
  - {name: one, image: none, ports: [{name: web, containerPort: 8081}, {name: http, containerPort: 80}]}
  - {name: two, image: none, ports: [{name: metrics, containerPort: 9090}]}
`),
  };
  const ingress = (port: string, number: string): Verdict =>
    judge([cnp(`ingress: [${item(port)}]`)], "ingress", "a/q", "a/x", number, options);
  const egress = (port: string, other: string, number: string): Verdict =>
    judge([cnp(`egress: [${item(port)}]`)], "egress", "a/q", other, number, options);

  test.each([
    ["[R5.6, EX-59] at ingress the pod's own", "{port: metrics}", "9090/TCP", "allow"],
    ["[R5.6, EX-59] and no other port", "{port: metrics}", "8081/TCP", "deny"],
    ["[R5.6, EX-59] of the declared protocol", "{port: metrics}", "9090/UDP", "deny"],
    ["[R5.6, EX-59] another protocol never", "{port: metrics, protocol: UDP}", "9090/UDP", "deny"],
    ["[R5.6, EX-59] in any case", "{port: WEB}", "8081/TCP", "allow"],
    ["[R5.6, EX-59] an unknown name is nothing", "{port: admin}", "9090/TCP", "deny"],
    ["[R5.6, EX-31] whatever others call so", "{port: web}", "8081/TCP", "allow"],
    ["[R5.6] a hexadecimal number is a name", "{port: '0x10'}", "16/TCP", "deny"],
    ["[R5.6] an end beside a name is ignored", "{port: metrics, endPort: 9100}", "9091/TCP", "deny"],
  ] as const)("%s", (_, port, number, want) => {
    expect(ingress(port, number)).toBe(want);
  });

  test.each([
    ["[R5.6] at egress the cluster's only number", "{port: http}", "b/x", "80/TCP", "allow"],
    ["[R5.6] whoever the destination is", "{port: http}", "8.8.8.8", "80/TCP", "allow"],
    ["[R5.6, EX-30] two numbers are nothing", "{port: web}", "b/x", "8080/TCP", "deny"],
    ["[R5.6, EX-30] neither of them", "{port: web}", "b/x", "8081/TCP", "deny"],
  ] as const)("%s", (_, port, other, number, want) => {
    expect(egress(port, other, number)).toBe(want);
  });

  test("[R5.6] the form tells where a name is looked up", () => {
    expect(ruleOf(cnp(`ingress: [${item("{port: web, protocol: TCP}")}]`)).traffic).toEqual([
      { match: { kind: "named", name: "web", protocol: "TCP", resolve: "destination", single: true } },
    ]);
    const path = ["spec", "egress", 0, "toPorts", 0, "ports", 0, "port"];
    expect(ruleOf(cnp(`egress: [${item("{port: Web}")}]`)).traffic).toEqual(
      ["TCP", "UDP", "SCTP"].map((protocol) => ({
        match: { kind: "named", name: "web", protocol, resolve: "cluster", path },
      })),
    );
  });
});

describe("ICMP", () => {
  const icmp = (field: string): string => `{icmps: [{fields: [${field}]}]}`;

  test.each([
    ["[R5.5, EX-32] by name", "{type: EchoRequest}", "8/ICMP", "13/ICMP"],
    ["[R5.5] by number", "{type: 8}", "8/ICMP", "8/ICMPv6"],
    ["[R5.5] by a number in quotes", "{type: '13'}", "13/ICMP", "8/ICMP"],
    ["[R5.5] of the other family", "{family: IPv6, type: EchoRequest}", "128/ICMPv6", "128/ICMP"],
    ["[R5.5, EX-60] type 0 is every type of the family", "{type: 0}", "13/ICMP", "128/ICMPv6"],
    ["[R5.5, EX-60] so is EchoReply", "{type: EchoReply}", "8/ICMP", "0/ICMPv6"],
    ["[R5.5] EchoReply of IPv6 is not", "{family: IPv6, type: EchoReply}", "129/ICMPv6", "128/ICMPv6"],
  ] as const)("%s", (_, field, yes, no) => {
    expect([ask(icmp(field), yes), ask(icmp(field), no)]).toEqual(["allow", "deny"]);
  });

  test("[R5.5] type 0 denies every type too", () => {
    const document = cnp("ingress: [{fromEndpoints: [{}]}], ingressDeny: [{icmps: [{fields: [{type: 0}]}]}]");
    expect(judge([document], "ingress", "a/p", "a/x", "8/ICMP")).toBe("deny");
  });

  test("[EX-60] ping and HTTP in two entries", () => {
    const entries = '{icmps: [{fields: [{type: 8}]}]}, {toPorts: [{ports: [{port: "80", protocol: TCP}]}]}';
    expect(["8/ICMP", "80/TCP", "81/TCP", "80/UDP"].map((port) => ask(entries, port))).toEqual([
      "allow",
      "allow",
      "deny",
      "deny",
    ]);
  });

  test("a number beyond the types matches nothing, and that is said", () => {
    const document = cnp(`ingress: [${icmp("{type: 300}")}]`);
    expect(compiled(document).rules[0]?.traffic).toEqual([]);
    expect(compile(document).diagnostics).toMatchObject([{ severity: "warning", code: "BH127" }]);
  });
});
