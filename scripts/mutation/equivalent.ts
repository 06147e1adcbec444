/** Mutants that change nothing that anybody could see, each with the reason; they do not count. */
export const EQUIVALENT: readonly { readonly file: string; readonly change: string; readonly why: string }[] = [
  {
    file: "src/reach/side.ts",
    change: "(mask & (1 << i)) !== 0 → ===",
    why: "the masks go through every subset, and so do their complements",
  },
  {
    file: "src/reach/identity-index.ts",
    change: "matches.limit < this.identities.length → true",
    why: "with no identity to add, extending does nothing",
  },
  {
    file: "src/reach/identity-index.ts",
    change: "matches.limit - limit → +",
    why: "whether the index or a scan finds the matches decides the time alone",
  },
  {
    file: "src/reach/identity-index.ts",
    change: "size < bestSize → false",
    why: "without lists every identity is judged, with the same outcome",
  },
  {
    file: "src/reach/identity-index.ts",
    change: "bestSize = size; → left out",
    why: "the lists of every term hold every match; the shortest only cost less",
  },
  { file: "src/reach/identity-index.ts", change: "this.open.size > 0 → true", why: "looks into a map that is empty" },
  { file: "src/reach/hairpin.ts", change: "sides === undefined → true", why: "what is kept is made again" },
  { file: "src/reach/hairpin.ts", change: "this.variants.set(reading, sides); → left out", why: "it is made again" },
  {
    file: "src/policy/selector.ts",
    change: 'typeof value === "string" → false',
    why: "a text goes the way of the other values, with the same outcome",
  },
];
