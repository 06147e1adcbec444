/** Reading plain YAML values: an absent field and `null` are the same thing (R2.4.1). */

export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A mapping; anything else reads as the empty one. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** A sequence; absent, `null` and anything else read as the empty one. */
export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** True when the field is there; `null` counts as absent. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

export function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function wholeOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) ? value : undefined;
}

export function textsOf(value: unknown): readonly string[] {
  return itemsOf(value).filter((item) => typeof item === "string");
}

/** A map from text to text, as labels are; numbers and booleans are read as their text. */
export function labelsOf(value: unknown): ReadonlyMap<string, string> {
  const labels = new Map<string, string>();
  for (const [key, item] of Object.entries(fieldsOf(value))) {
    if (typeof item === "string") labels.set(key, item);
    else if (typeof item === "number" || typeof item === "boolean") labels.set(key, String(item));
    else if (item === null) labels.set(key, "");
  }
  return labels;
}
