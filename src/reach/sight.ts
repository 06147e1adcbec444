import type { Because } from "../base/because.ts";
import type { View } from "./matching.ts";

/** Both ends as they see each other. Several where the input does not tell whether they share a node. */
export interface Sight {
  readonly from: View;
  readonly to: View;
  /** Each end as the subject of its own policies: there a node is always the local one. */
  readonly fromSelf: View;
  readonly toSelf: View;
}

export const UNKNOWN_NODE: readonly Because[] = [
  { code: "unknown-node", detail: "whether both ends run on one node is not known" },
];
