/** A drop in answers: what the kernel said, without the numbers that differ from run to run. */
import type { Drop } from "../../lab/answers.ts";

export function dropJson(drop: Drop): Record<string, unknown> {
  const { direction, reason, policies, source, destination, destinationPort } = drop;
  return { direction, reason, policies, source, destination, destinationPort };
}
