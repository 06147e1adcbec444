/**
 * The syntax of names, labels and port names as the API server checks it (apimachinery `util/validation`). Each function
 * returns what is wrong in words that follow the offending text, or `undefined` when nothing is.
 */

const NAME_PART = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** A DNS-1123 subdomain of at most 253 characters. */
export function subdomainProblem(text: string): string | undefined {
  if (text.length > 253) return "must be no more than 253 characters";
  if (!SUBDOMAIN.test(text))
    return "must consist of lower case alphanumeric characters, '-' or '.', and begin and end with an alphanumeric character";
  return undefined;
}

/** A qualified name: an optional DNS prefix and a slash, then at most 63 characters (K8-66). */
export function labelKeyProblem(key: string): string | undefined {
  if (key.length <= 63 && NAME_PART.test(key)) return undefined;
  const parts = key.split("/");
  if (parts.length > 2) return "must be a name with at most one prefix and slash";
  const name = parts.at(-1) ?? "";
  if (parts.length === 2) {
    const prefix = parts[0] ?? "";
    if (prefix === "") return "has an empty prefix before the slash";
    const problem = subdomainProblem(prefix);
    if (problem !== undefined) return `has a prefix that ${problem}`;
  }
  if (name === "") return "must not have an empty name";
  if (name.length > 63) return "must have a name of no more than 63 characters";
  if (!NAME_PART.test(name))
    return "must consist of alphanumeric characters, '-', '_' or '.', and begin and end with an alphanumeric character";
  return undefined;
}

/** At most 63 characters, or empty (K8-66). */
export function labelValueProblem(value: string): string | undefined {
  if (value.length > 63) return "must be no more than 63 characters";
  if (value !== "" && !NAME_PART.test(value))
    return "must be empty or consist of alphanumeric characters, '-', '_' or '.', and begin and end with an alphanumeric character";
  return undefined;
}

/** The IANA service name of a port: K8-48 to K8-50. */
export function portNameProblem(name: string): string | undefined {
  if (name.length > 15) return "must be no more than 15 characters";
  if (!/^[-a-z0-9]+$/.test(name)) return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
  if (!/[a-z]/.test(name)) return "must contain at least one letter (a-z)";
  if (name.includes("--")) return "must not contain consecutive hyphens";
  if (name.startsWith("-") || name.endsWith("-")) return "must not begin or end with a hyphen";
  return undefined;
}
