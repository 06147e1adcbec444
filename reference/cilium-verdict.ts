import { NO_POLICY, type Decider, type Section, type Side, sideOf } from "./answers.ts";
import { conflictIn } from "./cilium-conflicts.ts";
import { type Grant, grantsOf, PLAIN_GRANT, type View } from "./cilium-grants.ts";
import { hostEndpointIdentity, type Identity, identityOf, selectsIdentity } from "./cilium-identities.ts";
import { judge } from "./cilium-l7.ts";
import { isTaught } from "./cilium-dns.ts";
import type { Entry, Rule } from "./cilium-rules.ts";
import type { SourcedSelector } from "./cilium-selectors.ts";
import type { CiliumSettings } from "./cilium-settings.ts";
import { isUnconditional } from "./http.ts";
import type { Direction, Scene } from "./network-policies.ts";
import type { KubeObject } from "./objects.ts";
import { type Party, showParty } from "./parties.ts";
import type { Because } from "./reasons.ts";

/** The accepted rules of a cluster under Cilium. */
export interface CiliumPolicies {
  readonly settings: CiliumSettings;
  readonly rules: readonly Rule[];
  /** Policies of other networks and meshes. */
  readonly foreign: readonly KubeObject[];
  /** CiliumLocalRedirectPolicies: they change the backend before policy (1.1). */
  readonly redirects: readonly KubeObject[];
}

/** What one endpoint's policy in one direction consists of. */
export interface Enforcement {
  readonly rules: readonly Rule[];
  /** Entries of this direction, of all these rules. */
  readonly entries: readonly Entry[];
  readonly defaultDeny: boolean;
}

/** The endpoint as policies select it; undefined where nothing is enforced (R4.1.5, R9.5 … R9.7). */
export function subjectIdentity(party: Party, policies: CiliumPolicies, scene: Scene): Identity | undefined {
  if (party.kind === "node")
    return policies.settings.hostFirewall ? hostEndpointIdentity(party, policies.settings) : undefined;
  if (party.kind === "reserved" && party.label === "unmanaged") return undefined;
  if (party.kind === "pod" || party.kind === "reserved" || party.kind === "stray")
    return identityOf(party, party, scene.family, scene.cluster, policies.settings, scene.unknowns);
  return undefined;
}

/** Whether a direction of an endpoint is enforced, and by what (4.3); undefined: R4.1.1, everything is allowed. */
export function enforcementOf(
  party: Party,
  direction: Direction,
  policies: CiliumPolicies,
  scene: Scene,
): Enforcement | undefined {
  const { settings } = policies;
  // R4.3.1: never.
  if (settings.enforcement === "never") return undefined;
  const identity = subjectIdentity(party, policies, scene);
  if (identity === undefined) return undefined;
  const selecting = selectingRules(party, identity, policies, scene);
  const rules = selecting.filter((rule) => rule.entries.some((entry) => entry.direction === direction));
  // R4.3.1, R4.3.2: always, and endpoints without identity yet, are enforced without any rule.
  const isAlways = settings.enforcement === "always" || (party.kind === "reserved" && party.label === "init");
  if (rules.length === 0 && !isAlways) return undefined;
  return {
    rules: selecting,
    entries: rules.flatMap((rule) => rule.entries).filter((entry) => entry.direction === direction),
    // R4.3.3.
    defaultDeny: isAlways || rules.some((rule) => rule.defaultDeny[direction]),
  };
}

/** Rules for nodes select only host endpoints, rules for endpoints never do (R2.3.5, R9.6). */
function selectingRules(party: Party, identity: Identity, policies: CiliumPolicies, scene: Scene): readonly Rule[] {
  const kind = party.kind === "node" ? "nodes" : "endpoints";
  return policies.rules.filter(
    (rule) => rule.subject === kind && selectsIdentity(rule.selector, identity, scene.unknowns),
  );
}

/** One side: deny, then allow, then default deny (R4.1.1 … R4.1.4, section 14 step 6). */
export function ciliumSide(
  direction: Direction,
  subject: Party,
  remote: Party,
  policies: CiliumPolicies,
  scene: Scene,
): Side {
  const enforcement = enforcementOf(subject, direction, policies, scene);
  if (enforcement === undefined) return NO_POLICY;
  const side = enforcedSide(direction, subject, remote, enforcement, policies, scene);
  const { protocol, port } = scene.traffic;
  // R4.4.3: fragmentation needed always passes; a question names the type alone.
  if (side.verdict !== "deny" || protocol !== "ICMP" || port !== 3) return side;
  const isNeeded = scene.unknowns.ask("fragmentation needed", { code: "icmp-code", detail: "ICMP type 3" });
  return { ...side, verdict: isNeeded ? "allow" : "deny" };
}

function enforcedSide(
  direction: Direction,
  subject: Party,
  remote: Party,
  enforcement: Enforcement,
  policies: CiliumPolicies,
  scene: Scene,
): Side {
  const { settings } = policies;
  const { entries, defaultDeny, rules } = enforcement;
  const conflict = conflictIn(
    rules.flatMap((rule) => rule.entries),
    settings.release,
  );
  // R4.3.10: the policy of before stays, whatever that was.
  if (conflict !== undefined) {
    const because: Because = { code: "conflicting-rules", detail: `${showParty(subject)}: ${conflict}` };
    const allowed = scene.unknowns.ask(`old policy of ${showParty(subject)} ${direction}`, because);
    return sideOf(
      allowed ? "allow" : "deny",
      "rule",
      entries.map((entry) => entry.decider),
    );
  }
  const view = viewOf(direction, subject, remote, rules, policies, scene);
  const denies = entries.filter((entry) => entry.action === "deny" && grantsOf(entry, view).length > 0);
  // R4.3.9: audit mode lets pass what policy would drop; a proxy still judges requests.
  const dropped = settings.audit ? "allow" : "deny";
  // R4.1.2.
  if (denies.length > 0)
    return sideOf(
      dropped,
      "rule",
      denies.map((entry) => entry.decider),
    );
  const own = entries.filter((entry) => entry.action === "allow").flatMap((entry) => grantsOf(entry, view));
  // R9.1: the local host may reach every endpoint; a normal allow.
  const isLocalHost =
    direction === "ingress" &&
    settings.allowLocalhost &&
    subject.kind !== "node" &&
    view.remote.party.kind === "node" &&
    view.remote.valuesOf("reserved", "host").length > 0;
  if (isLocalHost && own.length === 0) return sideOf("allow", "always-allowed", []);
  // R4.3.5: without default deny everything else is allowed.
  const grants = [...own, ...(isLocalHost || !defaultDeny ? [PLAIN_GRANT] : [])];
  // R4.1.4.
  if (grants.length === 0) return sideOf(dropped, "default-deny", isolationOf(enforcement, direction));
  const side = judgedSide(grants, own, { defaultDeny, exempt: isLocalHost }, view);
  // R6.6.1: the local host is exempt from HTTP rules.
  return isLocalHost && side.verdict === "allow" && side.deciders.length === 0
    ? { ...side, reason: "always-allowed" }
    : side;
}

/** Every policy that closes the direction. */
function isolationOf(enforcement: Enforcement, direction: Direction): readonly Decider[] {
  return enforcement.rules
    .filter((rule) => rule.defaultDeny[direction])
    .map(({ origin }) => ({
      kind: origin.kind,
      namespace: origin.namespace,
      name: origin.name,
      section: direction,
      index: -1,
    }));
}

/** Proxies and authentication over the matching allows (section 14 step 7). */
interface Standing {
  readonly defaultDeny: boolean;
  readonly exempt: boolean;
}

function judgedSide(grants: readonly Grant[], own: readonly Grant[], standing: Standing, view: View): Side {
  const { defaultDeny, exempt } = standing;
  const lifted = !defaultDeny && view.settings.release >= 18;
  const judgement = judge(grants, lifted, view);
  const deciders = decidersOf(own);
  const denied = sideOf("deny", "rule", deciders);
  if (judgement.passing.length === 0) return denied;
  const passingOwn = judgement.passing.filter((grant) => grant.entry !== undefined);
  if (!exempt && isDisputed(own, passingOwn, defaultDeny, view)) {
    const because: Because = { code: "default-deny-off-l7", detail: "HTTP rules without default deny in 1.17" };
    if (!view.scene.unknowns.ask("the allow-all lifts HTTP rules", because)) return denied;
  }
  // R4.3.9: in audit mode a packet that waits for authentication passes as well.
  if (!view.settings.audit && !isAuthenticated(judgement.passing, view)) return denied;
  return {
    ...sideOf("allow", passingOwn.length > 0 ? "rule" : "no-policy", decidersOf(passingOwn)),
    limited: judgement.limited || (!exempt && isPerhapsLimited(own, defaultDeny, view)),
  };
}

/** 1.17 without default deny: the redirects are set up, whatever becomes of requests behind them (R4.3.5, U7). */
function isPerhapsLimited(own: readonly Grant[], defaultDeny: boolean, view: View): boolean {
  return (
    !defaultDeny &&
    view.settings.release === 17 &&
    own.length > 0 &&
    own.every(({ proxy }) => proxy.http.length > 0 && !proxy.http.some(isUnconditional))
  );
}

/** 1.17 without default deny: whether the blanket allow lifts HTTP rules is disputed (R4.3.7, U7). */
function isDisputed(own: readonly Grant[], passingOwn: readonly Grant[], defaultDeny: boolean, view: View): boolean {
  return (
    !defaultDeny &&
    view.settings.release === 17 &&
    view.scene.traffic.http !== undefined &&
    passingOwn.length === 0 &&
    own.some((grant) => grant.proxy.http.length > 0)
  );
}

function decidersOf(grants: readonly Grant[]): readonly Decider[] {
  return grants.map((grant) => grant.entry?.decider).filter((decider) => decider !== undefined);
}

/**
 * 4.6: the mode of the most specific allow that names one; a requirement of a broader allow is inherited by those that
 * name none.
 */
function isAuthenticated(grants: readonly Grant[], view: View): boolean {
  const named = grants.filter((grant) => grant.entry?.authentication !== undefined);
  const best = Math.max(...named.map(specificityOf));
  const modes = [
    ...new Set(
      named.filter((grant) => specificityOf(grant) === best).map((grant) => grant.entry?.authentication ?? ""),
    ),
  ];
  const [first, ...others] = modes;
  if (first === undefined) return true;
  const mode = view.scene.unknowns.choose(`authentication of ${view.direction}`, [first, ...others], {
    code: "authentication",
    detail: modes.join(", "),
  });
  if (mode === "disabled") return true;
  // R4.6.2.
  if (mode === "test-always-fail") return false;
  // R4.6.1, U8.
  return view.scene.unknowns.ask(`authenticated ${view.direction}`, { code: "authentication", detail: mode });
}

/** Longer protocol and port prefix first, then a named selector before everybody (R4.2.2). */
function specificityOf(grant: Grant): number {
  const ports = grant.port;
  const length = ports === undefined ? 0 : 18 - Math.ceil(Math.log2(ports.last - ports.first + 1));
  return 2 * length + (grant.peer === "any" ? 0 : 1);
}

export function viewOf(
  direction: Direction,
  subject: Party,
  remote: Party,
  rules: readonly Rule[],
  policies: CiliumPolicies,
  scene: Scene,
): View {
  const { settings } = policies;
  return {
    scene,
    settings,
    direction,
    subject,
    remote: identityOf(remote, subject, scene.family, scene.cluster, settings, scene.unknowns),
    requires: {
      allow: requiredBy(rules, direction),
      deny: requiredBy(rules, direction === "ingress" ? "ingressDeny" : "egressDeny"),
    },
    isNamed: (item) => isTaught(item, subject, remote, policies, scene),
  };
}

/** R4.7.1: every requires selector of every rule that selects the endpoint. */
function requiredBy(rules: readonly Rule[], section: Section): SourcedSelector {
  return rules.flatMap((rule) => rule.requires.get(section) ?? []).flat();
}
