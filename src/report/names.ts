/** Long lists of names, made short. */

/** `a, b, c and 12 more`; all of them where `wide`. */
export function someOf(names: readonly string[], most: number, wide = false): string {
  if (wide || names.length <= most + 1) return names.join(", ");
  return `${names.slice(0, most).join(", ")} and ${names.length - most} more`;
}

/** `1 endpoint`, `2 endpoints`. */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}

/** Names as a reader sees them: without the kind in the middle, where that leaves every name different. */
export function shortNames(names: readonly string[]): ReadonlyMap<string, string> {
  const short = (name: string): string => {
    const parts = name.split("/");
    return parts.length === 3 ? `${parts[0]}/${parts[2]}` : name;
  };
  const counts = new Map<string, number>();
  for (const name of names) counts.set(short(name), (counts.get(short(name)) ?? 0) + 1);
  return new Map(names.map((name) => [name, counts.get(short(name)) === 1 ? short(name) : name]));
}

/** Wraps a list of words to a width, later lines indented. */
export function wrapped(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = `${indent}${word}`;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}
