/** Small edits of an object: a part left out, put in twice, or another value in its place. */
import { type Fields, fieldsOf } from "../../reference/values.ts";

export interface Edit {
  /** `spec.ingress[0].toPorts` */
  readonly path: string;
  /** What is done there. */
  readonly change: string;
  readonly object: Fields;
}

type Key = string | number;

/** Without null, which equals what is absent (cilium.md R2.4.1). */
const OTHERS: readonly unknown[] = ["", "x", -1, 70_000, true, [], {}, { x: "y" }];

/** The edits of an object, by their place in it. */
export function editsByPath(object: Fields): ReadonlyMap<string, readonly Edit[]> {
  const out = new Map<string, Edit[]>();
  for (const edit of editsOf(object)) {
    const list = out.get(edit.path);
    if (list === undefined) out.set(edit.path, [edit]);
    else list.push(edit);
  }
  return out;
}

/** Every edit of everything below `spec` or `specs`, and of these themselves. */
function* editsOf(object: Fields): Iterable<Edit> {
  for (const part of ["spec", "specs"]) if (part in object) yield* below(object, [part], object[part]);
}

function* below(object: Fields, path: readonly Key[], value: unknown): Iterable<Edit> {
  const at = pathText(path);
  yield { path: at, change: "left out", object: replaced(object, path, undefined) };
  for (const other of [...OTHERS, ...near(value)])
    if (JSON.stringify(other) !== JSON.stringify(value))
      yield { path: at, change: changeText(other), object: replaced(object, path, other) };
  if (Array.isArray(value)) for (const [i, item] of value.entries()) yield* below(object, [...path, i], item);
  else if (typeof value === "object" && value !== null)
    for (const [key, item] of Object.entries(value)) yield* below(object, [...path, key], item);
}

/** What is there instead, shortened. */
function changeText(other: unknown): string {
  const text = JSON.stringify(other);
  return text.length <= 40 ? `is ${text}` : `is ${text.slice(0, 20)}…${text.slice(-15)}`;
}

/** Values like it. */
function near(value: unknown): readonly unknown[] {
  if (typeof value === "number") return [value + 1, value - 1, String(value)];
  if (typeof value === "string") return [`${value}x`, value.toUpperCase(), value.slice(0, -1)];
  if (Array.isArray(value)) return [[...value, ...value.slice(0, 1)], value.slice(1)];
  if (typeof value === "object" && value !== null) return [{ ...value, surplus: 1 }];
  return [];
}

function pathText(path: readonly Key[]): string {
  return path.map((key, i) => (typeof key === "number" ? `[${key}]` : i === 0 ? key : `.${key}`)).join("");
}

function replaced(object: Fields, path: readonly Key[], other: unknown): Fields {
  const copy: unknown = structuredClone(object);
  let at: unknown = copy;
  for (const key of path.slice(0, -1)) at = typeof at === "object" && at !== null ? Reflect.get(at, key) : undefined;
  const last = path.at(-1);
  if (typeof at === "object" && at !== null && last !== undefined) {
    if (other !== undefined) Reflect.set(at, last, other);
    else if (Array.isArray(at)) at.splice(Number(last), 1);
    else Reflect.deleteProperty(at, last);
  }
  return fieldsOf(copy);
}
