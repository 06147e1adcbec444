/** CiliumCIDRGroup: a named list of prefixes (cilium.md 1.1). */
import type { Cursor } from "../documents/cursor.ts";
import { decodePrefix } from "./address-text.ts";
import { decodeLabels } from "./metadata.ts";
import type { CidrGroup } from "./world.ts";

/**
 * Decodes a CiliumCIDRGroup.
 *
 * Takes the cursor on the object. Returns its labels and prefixes.
 * Reports a missing list (BH202), unknown fields of the spec (BH201), labels that break the rules (BH240) and entries
 * that are no prefixes, bare addresses included (BH246).
 */
export function decodeCidrGroup(object: Cursor): CidrGroup {
  const spec = object.required("spec");
  spec.unknownFields(["externalCIDRs"]);
  const items = spec.required("externalCIDRs").list() ?? [];
  return {
    name: object.document.name,
    labels: decodeLabels(object.field("metadata").field("labels")),
    prefixes: items.flatMap((item) => {
      if (item.isAbsent || item.value === "") item.error("BH246", `${item.describe()} is empty`);
      return decodePrefix(item) ?? [];
    }),
    document: object.document,
  };
}
