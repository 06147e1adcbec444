import type { CiliumSettings } from "./cilium-settings.ts";

/** What one rule is checked against. */
export interface RuleContext {
  readonly settings: CiliumSettings;
  readonly direction: "ingress" | "egress";
  readonly isDeny: boolean;
  readonly isForNodes: boolean;
}
