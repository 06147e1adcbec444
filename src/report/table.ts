/** Tables of a terminal: columns as wide as their widest cell, two spaces between them, no lines drawn. */
import { padEnd, textWidth } from "./text-width.ts";

/** Lays rows out in columns. Takes rows of cells, all on one line each. Returns a line a row, without trailing spaces. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, textWidth(cell));
  }
  return rows.map((row) => {
    const cells = row.map((cell, i) => (i === row.length - 1 ? cell : padEnd(cell, widths[i] ?? 0)));
    return cells.join("  ").trimEnd();
  });
}
