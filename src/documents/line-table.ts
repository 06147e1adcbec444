/** Lines and columns of a text. */

/** Where each line of a text begins. */
export type LineTable = readonly number[];

/** Makes the table of a text. Lines end as editors have it: with a line feed, a carriage return, or both. */
export function lineTable(text: string): LineTable {
  const starts = [0];
  const lineBreak = /\r\n|\n|\r/g;
  while (lineBreak.exec(text) !== null) starts.push(lineBreak.lastIndex);
  return starts;
}

/** Finds line and column, both from 1, of an offset. */
export function lineAndColumn(table: LineTable, offset: number): { line: number; column: number } {
  let low = 0;
  let high = table.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((table[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (table[low] ?? 0) + 1 };
}
