/**
 * A page in one file that needs nothing else: a picture, tables that can be searched, messages. It reads without a script
 * and without the picture, and prints.
 */
import { escapeMarkup } from "./escape.ts";

export interface PageCell {
  readonly text: string;
  /** A class of the style sheet: how good or bad it is. */
  readonly tone?: string;
}

export interface PageTable {
  readonly title: string;
  readonly head: readonly string[];
  /** The first cell of each names its row. */
  readonly rows: Iterable<readonly (string | PageCell)[]>;
}

export interface Page {
  readonly title: string;
  /** Sentences under the title. */
  readonly lead: readonly string[];
  /** The picture as SVG; the tables say the same. */
  readonly picture?: Iterable<string>;
  readonly tables: readonly PageTable[];
  /** Messages about the input. */
  readonly messages?: readonly string[];
}

const STYLE = `
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 90rem; padding: 0 1rem; color: #1f2328; background: #fff; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.skip { position: absolute; left: -999rem; } .skip:focus { position: static; }
:focus-visible { outline: 3px solid #0969da; outline-offset: 2px; }
.picture { overflow: auto; border: 1px solid #818b98; border-radius: 6px; }
label { display: block; margin: 1rem 0 .5rem; } input { font: inherit; padding: .3rem .6rem; width: min(32rem, 100%); border: 1px solid #818b98; border-radius: 6px; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #d0d7de; vertical-align: top; }
thead th { white-space: nowrap; position: sticky; top: 0; background: #fff; }
td, tbody th { font: .85rem/1.5 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; } tr[hidden], section[hidden] { display: none; }
.allow, .gained { color: #1a7f37; } .narrowed, .mixed { color: #0969da; } .unsure { color: #7d4e00; } .lost, .closed, .deny { color: #cf222e; }
pre { white-space: pre-wrap; }
@media print { body { margin: 0; max-width: none; font-size: 10pt; } .search, .skip { display: none; } .picture { border: 0; overflow: visible; } svg { max-width: 100%; height: auto; } thead th { position: static; } tr { break-inside: avoid; } h2 { break-after: avoid; } }
`;

/** Rows without the words are hidden; how many are left is said to those who cannot see it. */
const SCRIPT = `
const box = document.querySelector(".search");
const input = box.querySelector("input");
const rows = [...document.querySelectorAll("tbody tr")];
const texts = rows.map((row) => row.textContent.toLowerCase());
const count = box.querySelector("output");
const search = () => {
  const words = input.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let shown = 0;
  rows.forEach((row, i) => {
    row.hidden = !words.every((word) => texts[i].includes(word));
    if (!row.hidden) shown++;
  });
  for (const section of document.querySelectorAll("section.table"))
    section.hidden = words.length > 0 && !section.querySelector("tbody tr:not([hidden])");
  count.value = shown + " of " + rows.length + " rows";
};
input.addEventListener("input", search);
box.hidden = false;
search();
`;

/** Writes the page a piece at a time. */
export function* htmlPage(page: Page): Iterable<string> {
  const title = escapeMarkup(page.title);
  yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n';
  yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n";
  yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n';
  yield `<title>${title}</title>\n<style>${STYLE}</style>\n</head>\n<body>\n<a class="skip" href="#tables">To the tables</a>\n<header>\n<h1>${title}</h1>\n`;
  for (const line of page.lead) yield `<p>${escapeMarkup(line)}</p>\n`;
  yield "</header>\n<main>\n";
  if (page.picture !== undefined) {
    yield '<section class="picture" tabindex="0" aria-label="Picture; the tables below say the same">\n';
    yield* page.picture;
    yield "</section>\n";
  }
  yield '<div id="tables" tabindex="-1">\n<div class="search" role="search" hidden><label>Search <input type="search" autocomplete="off"></label> <output aria-live="polite"></output></div>\n';
  for (const [i, table] of page.tables.entries()) yield* section(table, i);
  yield "</div>\n";
  if (page.messages !== undefined && page.messages.length > 0)
    yield `<section aria-labelledby="messages">\n<h2 id="messages">Messages</h2>\n<pre>${escapeMarkup(page.messages.join("\n"))}</pre>\n</section>\n`;
  yield `</main>\n<script>${SCRIPT}</script>\n</body>\n</html>\n`;
}

function* section({ title, head, rows }: PageTable, number: number): Iterable<string> {
  yield `<section class="table" aria-labelledby="table-${number}">\n<h2 id="table-${number}">${escapeMarkup(title)}</h2>\n`;
  yield `<table aria-labelledby="table-${number}">\n<thead><tr>${head.map((cell) => `<th scope="col">${escapeMarkup(cell)}</th>`).join("")}</tr></thead>\n<tbody>\n`;
  for (const row of rows) {
    const cells = row.map((cell, i) => {
      const { text, tone } = typeof cell === "string" ? { text: cell, tone: undefined } : cell;
      const named = tone === undefined ? "" : ` class="${tone}"`;
      return i === 0 ? `<th scope="row"${named}>${escapeMarkup(text)}</th>` : `<td${named}>${escapeMarkup(text)}</td>`;
    });
    yield `<tr>${cells.join("")}</tr>\n`;
  }
  yield "</tbody>\n</table>\n</section>\n";
}
