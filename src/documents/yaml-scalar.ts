/**
 * What a YAML 1.1 scalar means to Kubernetes' loader.
 *
 * The facts are those of `goyaml.v2/resolve.go` in kubernetes-sigs/yaml: `yes`, `on` and their opposites are truth values;
 * integers have base prefixes (`0x`, `0o`, `0b`, and a bare `0` for octal) and `_` between digits; there are no numbers of
 * base 60; a date stays the text that it is.
 *
 * One exception: a bare `y` or `n` stays text, where the loader makes it a truth value. A cluster then refuses it wherever
 * it is meant as a name or label, and nothing else is ever meant by it; other parsers leave it text. The reader warns.
 */

/** What a scalar may be. */
export type Scalar = string | number | boolean | null;

const WORDS = new Map<string, Scalar>([
  ...["yes", "true", "on"].flatMap((word) => spellings(word).map((one) => [one, true] as const)),
  ...["no", "false", "off"].flatMap((word) => spellings(word).map((one) => [one, false] as const)),
  ...spellings("null").map((one) => [one, null] as const),
  ["", null],
  ["~", null],
  ...[".nan", ".NaN", ".NAN"].map((one) => [one, Number.NaN] as const),
  ...[".inf", ".Inf", ".INF"].flatMap((one) => [
    [one, Number.POSITIVE_INFINITY] as const,
    [`+${one}`, Number.POSITIVE_INFINITY] as const,
    [`-${one}`, Number.NEGATIVE_INFINITY] as const,
  ]),
]);

/** Lower case, capitalised and upper case. */
function spellings(word: string): string[] {
  return [word, word.charAt(0).toUpperCase() + word.slice(1), word.toUpperCase()];
}

/** How a scalar may begin to be more than text: 1 a word of the table, 2 a digit or sign, 3 a point. */
const HINTS = new Uint8Array(128);
for (const char of "yYnNtTfFoO~") HINTS[char.charCodeAt(0)] = 1;
for (const char of "0123456789+-") HINTS[char.charCodeAt(0)] = 2;
HINTS[".".charCodeAt(0)] = 3;

/** Whether a scalar without quotes is one that the loader takes for a truth value and we for text. */
export function isBareLetter(text: string): boolean {
  return text === "y" || text === "n" || text === "Y" || text === "N";
}

const LONGEST_WORD = 5;

/** Whether a scalar without quotes that begins with this character is text for certain. */
export function beginsText(code: number): boolean {
  return code >= 128 || HINTS[code] === 0;
}

/**
 * Resolves a scalar without quotes and without tag.
 *
 * Takes the text. Returns its value; numbers that JSON cannot express are `NaN` and infinities, and integers beyond
 * 2^53 are rounded.
 */
export function resolvePlain(text: string): Scalar {
  const hint = text === "" ? 1 : (HINTS[text.charCodeAt(0)] ?? 0);
  if (hint === 0) return text;
  if (text.length <= LONGEST_WORD) {
    const word = WORDS.get(text);
    if (word !== undefined) return word;
  }
  if (hint === 2) return resolveNumber(text) ?? text;
  if (hint === 3) return resolvePointFloat(text) ?? text;
  return text;
}

/** An integer or float that begins with a digit or sign; `undefined` when the text is none. */
function resolveNumber(text: string): number | undefined {
  const decimal = plainDecimal(text);
  if (decimal !== undefined) return decimal;
  const digits = text.includes("_") ? text.replaceAll("_", "") : text;
  return resolveInteger(digits) ?? resolveFloat(digits) ?? resolveOddBinary(digits);
}

/** The common case without a regular expression: at most 15 digits, the first of them not 0. */
function plainDecimal(text: string): number | undefined {
  if (text.length > 15) return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9 || (digit === 0 && i === 0 && text.length > 1)) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

const INTEGER = /^([+-]?)(?:0[xX]([\da-fA-F]+)|0[oO]([0-7]+)|0[bB]([01]+)|0([0-7]+)|([1-9]\d*|0))$/;

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;

/** An integer of 64 bits in any base; beyond that a text is a float or nothing but text. */
function resolveInteger(digits: string): number | undefined {
  const value = integerOf(digits);
  return value === undefined ? undefined : Number(value);
}

/** The exact value of an integer: of 63 bits when it has a sign, of 64 when it has none. */
function integerOf(digits: string): bigint | undefined {
  const match = INTEGER.exec(digits);
  if (match === null) return undefined;
  const [, sign, hex, octal, binary, bareOctal, decimal] = match;
  const magnitude = BigInt(
    hex !== undefined
      ? `0x${hex}`
      : binary !== undefined
        ? `0b${binary}`
        : decimal !== undefined
          ? decimal
          : `0o${octal ?? bareOctal ?? ""}`,
  );
  const value = sign === "-" ? -magnitude : magnitude;
  return value >= MIN_INT64 && value <= (sign === "" ? MAX_UINT64 : MAX_INT64) ? value : undefined;
}

/** A sign within a binary number, which the loader lets pass: `0b-1`. */
function resolveOddBinary(digits: string): number | undefined {
  return isOddBinary(digits) ? Number.parseInt(digits.slice(2), 2) : undefined;
}

function isOddBinary(digits: string): boolean {
  return /^0b[+-][01]{1,63}$/.test(digits);
}

const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;

/** A decimal float, `010.5` and the integer `08` among them; beyond all bounds it stays text. */
function resolveFloat(digits: string): number | undefined {
  if (!FLOAT.test(digits)) return undefined;
  const value = Number(digits);
  return Number.isFinite(value) ? value : undefined;
}

/** A float that begins with its point; `_` stands between digits only. */
function resolvePointFloat(text: string): number | undefined {
  if (!/^\.\d+(?:_\d+)*(?:[eE][-+]?\d+(?:_\d+)*)?$/.test(text)) return undefined;
  const value = Number(text.replaceAll("_", ""));
  return Number.isFinite(value) ? value : undefined;
}

const PREFIX = "tag:yaml.org,2002:";

/** A tag that forbids the value, or one that is wrong for it. */
export interface TagProblem {
  readonly problem: string;
}

/**
 * Resolves a scalar that carries a tag.
 *
 * Takes the tag as written (`!!int`, `!local`, `!<uri>`), and the text. Returns its value, or what is wrong: a value that
 * does not fit its tag. Unknown tags leave the text as it is, as the loader does.
 */
export function resolveTagged(tag: string, text: string): Scalar | TagProblem {
  const name = tagName(tag);
  if (name === undefined) return text;
  switch (name) {
    case "str":
      return text;
    case "binary":
      return decodeBase64(text) ?? { problem: "!!binary needs base64" };
    case "timestamp":
      return /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt ]|$)/.test(text) ? text : { problem: `${text} is no timestamp` };
    case "null":
    case "bool":
    case "int":
    case "float": {
      if (name === "bool" && isBareLetter(text)) return text === "y" || text === "Y";
      const value = resolvePlain(text);
      const type = typeName(value, text);
      if (name === type) return value;
      if (name === "float" && type === "int" && (integerOf(text.replaceAll("_", "")) ?? 0n) <= MAX_INT64) return value;
      return { problem: `${JSON.stringify(text)} is no !!${name}` };
    }
    default:
      return text;
  }
}

/** The name of a tag of YAML itself; `undefined` for any other. */
export function tagName(tag: string): string | undefined {
  if (tag.startsWith("!!")) return tag.slice(2);
  if (tag.startsWith(`!<${PREFIX}`)) return tag.slice(2 + PREFIX.length, -1);
  return undefined;
}

function typeName(value: Scalar, text: string): string {
  if (value === null) return "null";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "str";
  return resolveFloat(text.replaceAll("_", "")) === undefined || integerOf(text.replaceAll("_", "")) !== undefined
    ? "int"
    : "float";
}

function decodeBase64(text: string): string | undefined {
  const digits = text.replaceAll(/[\r\n]/g, "");
  if (!/^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/.test(digits)) return undefined;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(atob(digits), (c) => c.charCodeAt(0)));
}

/**
 * The text of a key.
 *
 * Takes what the key resolved to. Returns how the loader writes it as text: `true` for `y`, `8` for `010`, floats with
 * the precision of 32 bits; `undefined` for null, which no JSON key can be.
 */
export function keyText(key: Scalar, text: string): string | undefined {
  if (typeof key === "string") return key;
  if (key === null) return undefined;
  if (typeof key === "boolean") return String(key);
  const integer = integerOf(text.replaceAll("_", ""));
  if (integer === undefined) return Number.isInteger(key) && isOddBinary(text) ? String(key) : float32Text(key);
  return integer <= MAX_INT64 ? integer.toString() : undefined;
}

/** Writes a float as Go's `FormatFloat(x, 'g', -1, 32)` does, with YAML's words for what is no number. */
function float32Text(value: number): string {
  if (Number.isNaN(value)) return ".nan";
  const single = Math.fround(value);
  if (!Number.isFinite(single)) return single > 0 ? ".inf" : "-.inf";
  if (single === 0) return Object.is(single, -0) ? "-0" : "0";
  let shortest = single.toExponential();
  for (let digits = 0; digits < 9; digits++) {
    const text = single.toExponential(digits);
    if (Math.fround(Number(text)) === single) {
      shortest = text;
      break;
    }
  }
  const [mantissa = "", exponent = "0"] = shortest.split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(Number(shortest));
  return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}
