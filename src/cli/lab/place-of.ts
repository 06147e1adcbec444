/** Names that users write, as the lab knows them. */
import { planOf } from "../../lab/compile/plan-of.ts";
import { inputFailure } from "../exit.ts";
import { firstPod } from "./comparison.ts";
import type { RunningSession } from "./lab-flags.ts";

/** The lab's name for what the user names: a pod as it is, or the first pod of a workload. */
export function placeOf(name: string, { status, session }: RunningSession): string {
  if (name === "internet" || name.startsWith("host@") || status.pods.some((pod) => pod.name === name)) return name;
  const resolved = session.engine.inventory.resolve(name);
  if (resolved.kind === "problem") throw inputFailure(resolved.message, "`bulkhead lab status` lists the pods.");
  const lab = planOf(session.engine.world, session.dialect);
  const [member] = resolved.kind === "endpoints" ? resolved.members : [];
  const place =
    member?.kind === "pod" ? (lab.podsOf.get(member.pod)?.[0]?.name ?? firstPod(lab, member.workload)) : undefined;
  if (place === undefined) throw inputFailure(`${name} is no pod of the lab`, "`bulkhead lab status` lists the pods.");
  return place;
}
