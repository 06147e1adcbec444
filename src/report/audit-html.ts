/** `report -o html`: the same page for a browser and a printer, in one file. */
import { auditSections } from "./audit-markdown.ts";
import type { AuditReport } from "./audit-report.ts";
import { escapeMarkup } from "./escape.ts";

const STYLE = `
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; border-bottom: 1px solid #8886; }
table { border-collapse: collapse; width: 100%; margin-top: .5rem; }
th, td { text-align: left; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #8884; vertical-align: top; overflow-wrap: anywhere; }
th { white-space: nowrap; } td { font-size: .85rem; } code { font-family: ui-monospace, monospace; font-size: .85rem; }
@media print { body { margin: 0; max-width: none; font-size: 10pt; } tr { break-inside: avoid; } h2 { break-after: avoid; } }
`;

export function* auditHtml(report: AuditReport): Iterable<string> {
  yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n';
  yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n";
  yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n';
  yield `<title>Network segregation: evidence</title>\n<style>${STYLE}</style>\n</head>\n<body>\n<main>\n<h1>Network segregation: evidence</h1>\n`;
  for (const { title, text, head, rows } of auditSections(report)) {
    yield `<section>\n<h2>${title}</h2>\n`;
    if (title === "Asked")
      yield `<ul>${text.map((line) => `<li><code>${escapeMarkup(line)}</code></li>`).join("")}</ul>\n`;
    else for (const line of text) yield `<p>${escapeMarkup(line)}</p>\n`;
    if (rows.length > 0) {
      yield `<table>\n<thead><tr>${head.map((cell) => `<th scope="col">${escapeMarkup(cell)}</th>`).join("")}</tr></thead>\n<tbody>\n`;
      for (const row of rows) yield `<tr>${row.map((cell) => `<td>${escapeMarkup(cell)}</td>`).join("")}</tr>\n`;
      yield "</tbody>\n</table>\n";
    }
    yield "</section>\n";
  }
  yield "</main>\n</body>\n</html>\n";
}
