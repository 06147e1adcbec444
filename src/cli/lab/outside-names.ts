/** Names outside that a lab answers for, as they are declared. */
import type { LabPlan } from "../../lab/compile/plan-of.ts";
import type { Plan } from "../../lab/plan.ts";
import { formatAddress, parseAddress } from "../../net/address.ts";
import { readNames, type SessionOptions } from "../session.ts";

/** The same lab, whose name server answers for the names of the file; undefined: for none outside. */
export function withNames(lab: LabPlan, path: string | undefined): LabPlan {
  if (path === undefined) return lab;
  const outside = [...readNames(path)].map(([name, addresses]) => ({
    name: name.replace(/\.$/, ""),
    addresses: addresses.map(formatAddress),
  }));
  return { ...lab, plan: { ...lab.plan, outside } };
}

/** The names of a lab, as an engine takes them; nothing where it has none. */
export function namesOf({ outside }: Plan): Pick<SessionOptions, "resolutions"> {
  if (outside.length === 0) return {};
  const names = outside.map(
    ({ name, addresses }) => [`${name.toLowerCase()}.`, addresses.flatMap((text) => parseAddress(text) ?? [])] as const,
  );
  return { resolutions: new Map(names) };
}
