/** The dialect of Cilium 1.17, 1.18 and 1.19 (cilium.md). Every rule of Cilium stands in this folder. */
import { diagnostic } from "../../base/diagnostic.ts";
import type { Document } from "../../documents/document.ts";
import type { World } from "../../model/world.ts";
import type { CompiledObject, Dialect } from "../dialect.ts";
import { conflicts } from "./conflicts.ts";
import { frameOf } from "./frame.ts";
import { identify, subjectLabels } from "./identity.ts";
import { compileNetworkPolicy, NETWORK_POLICY, NETWORK_POLICY_API } from "./network-policy.ts";
import { CILIUM_API, CLUSTERWIDE, compilePolicy, NAMESPACED } from "./policy.ts";
import { serviceTraits } from "./service-traits.ts";
import { type Release, type Settings, settingProblems, settingsOf } from "./settings.ts";

export { type Release, RELEASES } from "./settings.ts";

/** Kinds with the setting that can switch each off. */
const KINDS: readonly {
  readonly apiVersion: string;
  readonly kind: string;
  readonly setting: string;
  readonly enabled: (settings: Settings) => boolean;
  readonly compile: (document: Document, world: World, settings: Settings) => CompiledObject;
}[] = [
  {
    apiVersion: CILIUM_API,
    kind: NAMESPACED,
    setting: "enable-cilium-network-policy",
    enabled: (settings) => settings.namespacedPolicies,
    compile: compilePolicy,
  },
  {
    apiVersion: CILIUM_API,
    kind: CLUSTERWIDE,
    setting: "enable-cilium-clusterwide-network-policy",
    enabled: (settings) => settings.clusterwidePolicies,
    compile: compilePolicy,
  },
  {
    apiVersion: NETWORK_POLICY_API,
    kind: NETWORK_POLICY,
    setting: "enable-k8s-networkpolicy",
    enabled: (settings) => settings.kubernetesPolicies,
    compile: compileNetworkPolicy,
  },
];

/**
 * Opens the dialect of one release.
 *
 * ClusterNetworkPolicy, AdminNetworkPolicy and BaselineAdminNetworkPolicy are not enforced up to 1.19 (10.3, 10.4).
 */
export function openCilium(release: Release): Dialect {
  return {
    name: `cilium@${release}`,
    enforces: (apiVersion, kind) => KINDS.some((one) => one.apiVersion === apiVersion && one.kind === kind),
    compile(document, world) {
      const found = KINDS.find((one) => one.apiVersion === document.apiVersion && one.kind === document.kind);
      if (found === undefined) return { policies: [], diagnostics: [], refused: false };
      const settings = settingsOf(release, world);
      const compiled = found.compile(document, world, settings);
      if (found.enabled(settings)) return compiled;
      const message = `${document.kind} ${document.name} is without effect: cilium-config sets ${found.setting} to false`;
      const finding = diagnostic("BH125", message, document.locate(["kind"]));
      return { ...compiled, policies: [], diagnostics: [...compiled.diagnostics, finding] };
    },
    frame: (world) => ({ ...frameOf(settingsOf(release, world)), services: serviceTraits(world) }),
    identify: (party, world) => identify(party, world, settingsOf(release, world)),
    subjectLabels: (party, world) => subjectLabels(party, world, settingsOf(release, world)),
    conflicts: (policies) => conflicts(policies, release),
    diagnose: (world) => settingProblems(release, world),
  };
}
