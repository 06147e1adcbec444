/** The page of a finding. */

/** One finding explained. */
export interface Page {
  /** Why it matters, in a few sentences. */
  readonly explanation: string;
  /** YAML that has the finding; the part that matters. */
  readonly example: string;
  /** The same, put right. */
  readonly fix: string;
}
