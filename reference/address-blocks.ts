import { areDisjoint, type Family, isInside, isWithin, type Prefix } from "./addresses.ts";
import { declared, type ReferenceOptions } from "./options.ts";
import { addressIn, type Party, showParty } from "./parties.ts";
import type { Unknowns } from "./unknowns.ts";
import type { Because } from "./reasons.ts";

/** `cidr` without the addresses of `except` (K8-20, K8-23, R3.2.3). */
export interface Block {
  readonly cidr: Prefix;
  readonly except: readonly Prefix[];
}

/** Whether the address that this party has in this family lies in the block (K8-20, K8-24, K8-25). */
export function isInBlock(
  party: Party,
  block: Block,
  family: Family,
  options: ReferenceOptions,
  unknowns: Unknowns,
): boolean {
  if (block.cidr.family !== family) return false;
  const except = block.except.filter((prefix) => prefix.family === family);
  const known = addressIn(party, family);
  if (known.length > 0) {
    const results = known.map(
      (address) => isInside(address, block.cidr) && !except.some((prefix) => isInside(address, prefix)),
    );
    if (new Set(results).size === 1) return results[0] ?? false;
    return unknowns.ask(`which address of ${showParty(party)}`, {
      code: "unknown-address",
      detail: showParty(party),
    });
  }
  return isUntoldInBlock(party, { cidr: block.cidr, except }, family, options, unknowns);
}

/** An address that nobody told lies somewhere in the ranges declared for its kind, or anywhere. */
function isUntoldInBlock(
  party: Party,
  block: Block,
  family: Family,
  options: ReferenceOptions,
  unknowns: Unknowns,
): boolean {
  if (block.cidr.length === 0 && block.except.length === 0) return true;
  const ranges = declared(
    party.kind === "pod" || party.kind === "reserved"
      ? options.podCIDRs
      : party.kind === "node"
        ? options.nodeCIDRs
        : [],
  ).filter((range) => range.family === family);
  const covers = (range: Prefix) =>
    isWithin(range, block.cidr) && block.except.every((prefix) => areDisjoint(range, prefix));
  const misses = (range: Prefix) =>
    areDisjoint(range, block.cidr) || block.except.some((prefix) => isWithin(range, prefix));
  if (ranges.length > 0 && ranges.every(covers)) return true;
  if (ranges.length > 0 && ranges.every(misses)) return false;
  const fact = `${family} address of ${showParty(party)}`;
  const because: Because = { code: "unknown-address", detail: showParty(party) };
  return (
    unknowns.inside(fact, block.cidr, because) && !block.except.some((prefix) => unknowns.inside(fact, prefix, because))
  );
}
