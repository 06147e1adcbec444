/** What holds in every cluster that Cilium runs, whatever its policies (cilium.md 4.3, 9). */
import type { Frame } from "../dialect.ts";
import { exists, reserved } from "./keys.ts";
import { TIER } from "./policy.ts";
import type { Rule } from "../rule.ts";
import { type Settings, since } from "./settings.ts";

/** Everything on a pod's own node may reach it; an ordinary allow, which a deny beats (R9.1). */
const ALLOW_LOCALHOST: Rule = {
  direction: "ingress",
  action: "allow",
  peers: [{ kind: "labels", selector: [reserved("host")] }],
  traffic: [{ match: { kind: "any" } }],
  origin: { kind: "always-allowed", name: "allow-localhost", section: "ingress", index: 0 },
};

/** The frame that the settings make. */
export function frameOf(settings: Settings): Frame {
  return {
    tiers: [{ name: TIER, mode: "union" }],
    alwaysAllowed: settings.allowLocalhost ? [ALLOW_LOCALHOST] : [],
    enforcement: settings.enforcement,
    hostFirewall: settings.hostFirewall,
    // An endpoint without labels yet is enforced in both directions (R4.3.2).
    alwaysClosed: [[exists("reserved", "init")]],
    audit: settings.audit,
    learnsNames: true,
    fragmentationPasses: true,
    ...(settings.normalizePaths ? {} : { pathsAsSent: true as const }),
    ...(settings.minimumTtl === 0 ? {} : { minimumTtl: settings.minimumTtl }),
    ...(settings.lookupRefusal === "refused" ? {} : { refusesAsNameError: true as const }),
    takes: since(settings.release, "1.18") ? "preferred-parser" : "narrowest-ports",
    // A match-all rule joins the rules of a policy without default deny since 1.18; 1.17 enforces DNS, and for HTTP its
    // code and its documentation disagree (R4.3.7, U7).
    openApplication: since(settings.release, "1.18")
      ? { http: "lifted", dns: "lifted" }
      : { http: "unsure", dns: "enforced" },
  };
}
