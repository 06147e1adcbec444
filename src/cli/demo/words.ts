/** How the story speaks of endpoints, verdicts and drops. */
import type { Drop } from "../../lab/answers.ts";
import type { World } from "../../model/world.ts";
import type { Style, Tone } from "../../report/style.ts";
import { INGRESS_NAME, type Target } from "../lab/comparison.ts";

/** Names as short as they can be: without the namespace where there is only one, without the kind. */
export class Names {
  private readonly short: boolean;

  constructor(world: World) {
    this.short = new Set(world.workloads.map((workload) => workload.namespace)).size === 1;
  }

  of(name: string): string {
    if (name === INGRESS_NAME) return "outside, through the Ingress";
    const [namespace = "", , last] = name.split("/");
    if (last === undefined) return name;
    return this.short ? last : `${namespace}/${last}`;
  }

  target({ name, port, protocol }: Target): string {
    return `${this.of(name)}:${port}${protocol === "TCP" ? "" : `/${protocol}`}`;
  }
}

const TONES: Readonly<Record<string, Tone>> = { allow: "allow", deny: "deny" };
const MARKS: Readonly<Record<string, string>> = { allow: "✓ allow", deny: "✗ deny" };

export function verdictText(text: string, style: Style): string {
  return style(TONES[text] ?? "unsure", MARKS[text] ?? `? ${text}`);
}

export function dropText(drop: Drop): string {
  const by = drop.policies.length === 0 ? "" : ` by ${drop.policies.join(", ")}`;
  const side = drop.direction === null ? "" : ` on ${drop.direction}`;
  return `the kernel dropped ${drop.source} → ${drop.destination}:${drop.destinationPort}${side}: ${drop.reason}${by}`;
}
