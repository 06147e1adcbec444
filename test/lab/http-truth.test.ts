/**
 * Three witnesses over random HTTP rules and requests near what they match: the reference, the engine, and what the
 * proxy of a lab lets through. One lab lives through all sets; egress rules of the client and ingress rules of the server.
 */

import { describeWithPackets, uniqueName } from "./unprivileged.ts";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ProbeResult } from "../../src/lab/answers.ts";
import { labApply, labDown, labProbe, labUp } from "../../src/lab/client.ts";
import { openCluster } from "../lab-compile/opened.ts";
import { type Fields, few, sometimes } from "../property/arbitraries.ts";
import type { HttpRequest } from "../property/flows.ts";
import { httpApplication, httpRulesIn, requestNear } from "../property/http-rules.ts";
import { openReference } from "../property/witnesses.ts";
import { isWhole } from "../whole.ts";

const name = uniqueName();
/** Sets of rules, over the three releases. */
const SETS = Number(process.env["BULKHEAD_FUZZ"] ?? (isWhole ? 1000 : 100));
const REQUESTS = 8;
const RELEASES = ["cilium@1.17", "cilium@1.18", "cilium@1.19"] as const;

const pod = (own: string, address: string): Fields => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: own, namespace: "default", labels: { app: own } },
  spec: { nodeName: "n1", containers: [{ name: "c", image: "i", ports: [{ containerPort: 80, protocol: "TCP" }] }] },
  status: { podIP: address, podIPs: [{ ip: address }] },
});

const CLUSTER: readonly Fields[] = [
  {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "n1" },
    status: { addresses: [{ type: "InternalIP", address: "10.0.0.2" }] },
  },
  { apiVersion: "v1", kind: "Namespace", metadata: { name: "default", labels: {} } },
  pod("client", "10.244.1.10"),
  pod("web", "10.244.1.20"),
];

const port = (protocol: string): Fields => ({ ports: [{ port: "80", protocol }] });

function policy(side: "ingress" | "egress"): fc.Arbitrary<Fields> {
  const peers = side === "ingress" ? "fromEndpoints" : "toEndpoints";
  const [subject, other] = side === "ingress" ? ["web", "client"] : ["client", "web"];
  const peer = fc.constantFrom<Fields>({ [peers]: [{}] }, { [peers]: [{ matchLabels: { app: other } }] }, {});
  const rule = fc
    .tuple(peer, sometimes(92, httpApplication(false)))
    .map(([from, application]) => ({ ...from, toPorts: [{ ...port("TCP"), ...application }] }));
  return few(rule, 3).map((rules) => ({
    apiVersion: "cilium.io/v2",
    kind: "CiliumNetworkPolicy",
    spec: { endpointSelector: { matchLabels: { app: subject } }, [side]: rules.length === 0 ? [{}] : rules },
  }));
}

interface Case {
  readonly dialect: (typeof RELEASES)[number];
  readonly policies: readonly Fields[];
  readonly requests: readonly HttpRequest[];
}

const cases: fc.Arbitrary<Case> = fc
  .tuple(
    fc.constantFrom(...RELEASES),
    policy("ingress"),
    sometimes(40, policy("egress")),
    sometimes(30, policy("ingress")),
  )
  .chain(([dialect, first, second, third]) => {
    const policies = [first, second, third].flatMap((one, index) =>
      one === undefined ? [] : [{ ...one, metadata: { name: `p${index}`, namespace: "default" } }],
    );
    const requests = fc.array(requestNear(httpRulesIn(policies)), { minLength: REQUESTS, maxLength: REQUESTS });
    return requests.map((list) => ({ dialect, policies, requests: list }));
  });

/** Not asked: methods that no parser of HTTP/1.1 here knows, and paths with escaped slashes, which are sent elsewhere. */
function isAsked({ method, path, headers }: HttpRequest): boolean {
  if (/%2f|%5c/i.test(path)) return false;
  return method === method.toUpperCase() && Object.values(headers).every((value) => value === value.trim());
}

const tally = new Map<string, number>();

async function send(requests: readonly HttpRequest[]): Promise<readonly ProbeResult[]> {
  const probes = requests.map(({ method, path, host, headers }) => ({
    from: "default/client",
    to: "default/web",
    protocol: "TCP" as const,
    port: 80,
    http: { method, path, ...(host === undefined ? {} : { host }), headers },
  }));
  return labProbe(probes, { name });
}

function wordOf({ outcome, http, answeredBy, detail }: ProbeResult): string {
  if (outcome === "deny") return "deny";
  if (http === null) return `${outcome}: ${detail ?? ""}`;
  // The proxy's own: the rules for requests refuse it, or the target's side lets no connection through.
  if ((http.status === 403 || http.status === 503) && answeredBy === null) return "deny";
  return http.status === 200 && answeredBy === "default/web" ? "allow" : `status ${http.status}`;
}

/** Everything in which the witnesses of a case differ. */
async function disagreements(one: Case): Promise<readonly string[]> {
  const documents = [...CLUSTER, ...one.policies];
  const { engine, lab, compiled } = openCluster(one.dialect, documents);
  if (compiled.unsupported.length > 0) return [];
  const reference = openReference({ dialect: one.dialect, documents });
  await labApply({ plan: lab.plan, ruleset: compiled.ruleset }, { name });
  const requests = one.requests.filter(isAsked);
  const seen = await send(requests);
  const out: string[] = [];
  for (const [index, request] of requests.entries()) {
    const result = seen[index];
    const packets = result === undefined ? "none" : wordOf(result);
    const { method, path, host } = request;
    const headers = new Map(Object.entries(request.headers).map(([key, value]) => [key.toLowerCase(), value]));
    const http = { method, path, ...(host === undefined ? {} : { host }), headers };
    const ends = { from: "default/client", to: "default/web", protocol: "TCP", port: 80 } as const;
    const byEngine = engine.why({ ...ends, application: { http } }).verdict;
    const reply = reference.ask({ ...ends, http: request });
    const byReference = "problem" in reply ? "unsure" : reply.verdict;
    tally.set(packets, (tally.get(packets) ?? 0) + 1);
    const said = [packets, byEngine, byReference].filter((word) => word !== "unsure" && word !== "mixed");
    if (new Set(said).size > 1)
      out.push(`${JSON.stringify(request)}: packets ${packets}, engine ${byEngine}, reference ${byReference}`);
  }
  return out;
}

describeWithPackets("three witnesses of HTTP rules", () => {
  beforeAll(async () => {
    const { lab, compiled } = openCluster("cilium@1.19", CLUSTER);
    await labUp(lab.plan, compiled.ruleset, { name, attached: true });
  }, 60_000);

  afterAll(async () => {
    await labDown({ name });
  });

  test(`agree over ${SETS} sets of rules`, { timeout: 3_600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        expect(await disagreements(one), JSON.stringify(one.policies)).toEqual([]);
      }),
      { numRuns: SETS, endOnFailure: true },
    );
    for (const word of ["allow", "deny"]) expect(tally.get(word) ?? 0, word).toBeGreaterThan(SETS);
  });
});
