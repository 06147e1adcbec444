/** Yes, no, or not known: the truth value of a match over input that may lack a fact. */
export type Ternary = "yes" | "no" | "maybe";

export function ternaryAnd(a: Ternary, b: Ternary): Ternary {
  if (a === "no" || b === "no") return "no";
  return a === "maybe" || b === "maybe" ? "maybe" : "yes";
}

export function ternaryOr(a: Ternary, b: Ternary): Ternary {
  if (a === "yes" || b === "yes") return "yes";
  return a === "maybe" || b === "maybe" ? "maybe" : "no";
}

export function ternaryNot(a: Ternary): Ternary {
  if (a === "maybe") return "maybe";
  return a === "yes" ? "no" : "yes";
}

export function ternaryOf(value: boolean): Ternary {
  return value ? "yes" : "no";
}
