/** Who is not governed: host-network pods, namespaces and applications without a policy, policies that nobody enforces. */
import { type Diagnostic, diagnostic } from "../base/diagnostic.ts";
import { BUCKETS, flowsEmpty } from "../net/flow-set.ts";
import { matchesSelector } from "../policy/selector.ts";
import type { Unit } from "../questions/network.ts";
import { applicationName } from "../reach/grouping.ts";
import { hostNetworkFinding } from "../reach/pods-apart.ts";
import { few, type LintContext, objectText, placeOfPolicy, placeOfRule, ruleText } from "./context.ts";

/** BH163: policies on pods that seem to select pods of the host's network. */
export function* hostNetworkPods({ engine }: LintContext): Iterable<Diagnostic> {
  for (const policy of engine.policies.policies) {
    const finding = hostNetworkFinding(engine, policy);
    if (finding !== undefined) yield finding;
  }
}

/** BH164: namespaces in which a pod without labels is open. */
export function* openNamespaces(context: LintContext): Iterable<Diagnostic> {
  const { dialect } = context.engine.options;
  const { world, policies } = context.engine;
  if (policies.enforcement === "always") return;
  const byNamespace = new Map<string, Unit[]>();
  for (const unit of context.units) {
    if (unit.endpoint.kind !== "pod") continue;
    const { namespace } = unit.group.workload;
    byNamespace.set(namespace, [...(byNamespace.get(namespace) ?? []), unit]);
  }
  for (const [namespace, units] of byNamespace) {
    const [sample] = units;
    const pod = sample?.group.workload.pods[0];
    if (sample === undefined || pod === undefined) continue;
    const labels = dialect.identify(
      { kind: "pod", workload: sample.group.workload, pod: { ...pod, labels: new Map() } },
      world,
    );
    const closed = policies.policies.some(
      (policy) =>
        policy.subject.target === "endpoint" &&
        policy.isolation.ingress === "closed" &&
        matchesSelector(policy.subject.selector, labels) === "yes",
    );
    if (closed) continue;
    const declared = world.namespaces.get(namespace)?.document;
    const place = (declared ?? sample.group.workload.document)?.locate(["metadata"]);
    yield diagnostic(
      "BH164",
      `namespace ${namespace}: a pod that no policy selects is open to everybody (${units.length === 1 ? "1 workload" : `${units.length} workloads`} here)`,
      place,
    );
  }
}

/** BH165: applications that no policy selects, where the input has policies. */
export function* ungoverned(context: LintContext): Iterable<Diagnostic> {
  const { policies, connections } = context.engine;
  if (!policies.policies.some((policy) => policy.document !== undefined)) return;
  const groups = new Map<string, Unit[]>();
  const governed = new Set<string>();
  for (const unit of context.units) {
    if (unit.endpoint.kind !== "pod") continue;
    const application = applicationName(unit.group.workload);
    groups.set(application, [...(groups.get(application) ?? []), unit]);
    if (connections.sides.subject(context.viewOf(unit.endpoint)).selections.length > 0) governed.add(application);
  }
  for (const [application, units] of groups) {
    if (governed.has(application)) continue;
    const place = units[0]?.group.workload.document?.locate(["metadata", "name"]);
    yield diagnostic(
      "BH165",
      `no policy selects application ${application}: ${few(units.map((unit) => unit.name))}`,
      place,
    );
  }
}

/** BH170: endpoints whose policies cannot be merged. */
export function* conflicts(context: LintContext): Iterable<Diagnostic> {
  const seen = new Set<string>();
  for (const unit of context.units) {
    const subject = context.engine.connections.sides.subject(context.viewOf(unit.endpoint));
    for (const { direction, message } of subject.conflicts) {
      if (seen.has(message)) continue;
      seen.add(message);
      const policy = subject.selections[0]?.policy;
      yield diagnostic(
        "BH170",
        `${unit.name}: ${message}; it keeps the ${direction} policy that it had before`,
        policy === undefined ? undefined : placeOfPolicy(policy),
      );
    }
  }
}

/** BH171: policies for nodes that wait for the host firewall. */
export function* idleNodePolicies(context: LintContext): Iterable<Diagnostic> {
  if (context.engine.policies.hostFirewall) return;
  for (const policy of context.engine.policies.policies) {
    if (policy.subject.target !== "node" || policy.document === undefined) continue;
    yield diagnostic(
      "BH171",
      `${objectText(policy)} is for nodes, and the host firewall is not switched on`,
      placeOfPolicy(policy),
    );
  }
}

/** BH173: endpoints that nobody can ping although ports are open; said once for the input. */
export function* noPing(context: LintContext): Iterable<Diagnostic> {
  if (!context.isCilium) return;
  const { sides } = context.engine.connections;
  const silent = context.units.filter((unit) => {
    if (unit.endpoint.kind !== "pod") return false;
    const self = context.viewOf(unit.endpoint);
    const { selections } = sides.subject(self);
    if (!selections.some(({ policy }) => policy.isolation.ingress === "closed")) return false;
    const passing = context.others
      .filter((other) => other.kind === "pod")
      .map((other) => sides.evaluate("ingress", self, context.viewOf(other)).may);
    const pings = passing.some((flows) =>
      BUCKETS.some((b) => (b.protocol === "ICMP" || b.protocol === "ICMPv6") && (flows[b.index] ?? []).length > 0),
    );
    return !pings && passing.some((flows) => !flowsEmpty(flows));
  });
  const [first] = silent;
  if (first === undefined) return;
  const policy = sides
    .subject(context.viewOf(first.endpoint))
    .selections.find((s) => s.policy.isolation.ingress === "closed")?.policy;
  yield diagnostic(
    "BH173",
    `no pod can ping ${few(silent.map((unit) => unit.name))}: only ports are allowed, and ICMP is none`,
    policy === undefined ? undefined : placeOfPolicy(policy),
  );
}

const CLUSTER = "io.cilium.k8s.policy.cluster";

/** BH174: peers that mean the local cluster alone where clusters are joined. */
export function* localClusterPeers(context: LintContext): Iterable<Diagnostic> {
  const config = context.engine.world.ciliumConfig;
  const id = config?.get("cluster-id");
  if (!context.isCilium || id === undefined || id === "0" || config?.get("policy-default-local-cluster") === "false")
    return;
  if (context.engine.options.dialect.name !== "cilium@1.19" && config?.get("policy-default-local-cluster") !== "true")
    return;
  for (const { rule } of context.rules()) {
    const local = rule.peers.some(
      (peer) =>
        peer.kind === "labels" &&
        !writesCluster(rule.origin.document?.value) &&
        peer.selector.some((term) => term.source !== "reserved"),
    );
    if (local)
      yield diagnostic(
        "BH174",
        `${ruleText(rule.origin)} means pods of this cluster alone: no peer names a cluster`,
        placeOfRule(rule.origin),
      );
  }
}

function writesCluster(value: unknown): boolean {
  return JSON.stringify(value ?? null).includes(CLUSTER);
}
