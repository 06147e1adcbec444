/** What every writer of `report` starts from: evidence for an audit. */
import type { Diagnostic } from "../base/diagnostic.ts";
import type { Suppressed } from "../lint/suppression.ts";
import type { ExposureCounts, Exposure } from "../questions/exposure.ts";
import type { Impact, ImpactSummary } from "../questions/impact.ts";
import type { VerifiedRow } from "./verify-report.ts";

export interface AuditReport {
  readonly version: string;
  readonly dialect: string;
  readonly complete: boolean;
  /** Settings that the input holds and that change answers. */
  readonly settings: readonly (readonly [key: string, value: string])[];
  readonly inputs: readonly { readonly name: string; readonly sha256: string }[];
  /** What was asked, as one would ask it again. */
  readonly asked: readonly string[];
  readonly counts: { readonly workloads: number; readonly policies: number; readonly namespaces: number };
  readonly exposure: Exposure;
  readonly exposureWithout: ExposureCounts;
  readonly impact: ImpactSummary;
  /** Those whose fall takes most with it, first. */
  readonly worst: readonly Impact[];
  readonly rows: readonly VerifiedRow[];
  readonly findings: readonly Diagnostic[];
  /** Exceptions with their reasons. */
  readonly suppressed: readonly Suppressed[];
}
