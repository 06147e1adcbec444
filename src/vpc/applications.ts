/** To which application a thing of a VPC belongs: by tags, a load balancer also by its targets. */

import { canonical } from "./decide/match.ts";
import type { Network, Owner } from "./model.ts";

/** Tags that tell to which application a machine belongs. */
export const APPLICATION_TAGS: readonly string[] = [
  "app",
  "application",
  "Application",
  "App",
  "org",
  "project",
  "Project",
];

export function applicationOf(tags: ReadonlyMap<string, string>): string | undefined {
  for (const key of APPLICATION_TAGS) {
    const value = tags.get(key);
    if (value !== undefined && value !== "") return value;
  }
  return undefined;
}

/** The application of a machine by its tags; of a load balancer also by its targets. */
export function ownerApplication(network: Network, owner: Owner): string | undefined {
  const own = applicationOf(owner.tags);
  if (own !== undefined) return own;
  const balancer = network.balancers.get(owner.name);
  if (balancer === undefined) return undefined;
  const groups = balancer.listeners
    .flatMap((l) => [...l.rules.map((r) => r.action), l.otherwise])
    .flatMap((a) => a.forwards);
  const targets = groups.flatMap((g) => network.targetGroups.get(g)?.targets ?? []);
  const found = new Set(
    targets.flatMap((t) => applicationOf(network.owners.get(canonical(network, t.id))?.tags ?? new Map()) ?? []),
  );
  const [only] = found;
  return found.size === 1 ? only : undefined;
}
