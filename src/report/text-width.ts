/** How many columns a text takes in a terminal. */

// oxlint-disable-next-line no-control-regex -- a colour is an escape sequence, and it takes no column
const COLOUR = /\u001b\[[0-9;]*m/g;
/** Combining marks, joiners and variation selectors take no column of their own. */
const NO_COLUMN = /\p{Mn}|\p{Me}|[\u200b-\u200f]|\u2060|[\ufe00-\ufe0f]/u;
/** Scripts and pictures that take two columns (East Asian wide and fullwidth, emoji). */
const TWO_COLUMNS =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;

/** Columns of a line; colours take none. */
export function textWidth(text: string): number {
  const plain = text.includes("\u001b") ? text.replace(COLOUR, "") : text;
  let width = 0;
  for (const character of plain) {
    if (character >= " " && character <= "~") width += 1;
    else if (NO_COLUMN.test(character)) continue;
    else width += TWO_COLUMNS.test(character) ? 2 : 1;
  }
  return width;
}

/** The text with spaces after it, up to the width. */
export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - textWidth(text)));
}

/** The text in the middle of the width. */
export function centre(text: string, width: number): string {
  const free = Math.max(0, width - textWidth(text));
  const left = Math.floor(free / 2);
  return " ".repeat(left) + text + " ".repeat(free - left);
}
