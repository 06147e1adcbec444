/** `reach -o html`: one page that needs nothing else: the picture, every pair in a table, the messages. */
import { formatDiagnostic } from "../base/diagnostic.ts";
import type { ReachPair } from "../reach/pairs.ts";
import { escapeMarkup } from "./escape.ts";
import { decidersText, flowText, type ReachReport } from "./reach-report.ts";
import { reachSvg } from "./reach-svg.ts";

const STYLE = `
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884; vertical-align: top; }
td { font-family: ui-monospace, monospace; font-size: .85rem; overflow-wrap: anywhere; }
.allow { color: #1a7f37; } .unsure { color: #9a6700; } .picture { overflow: auto; } pre { white-space: pre-wrap; }
`;

export function* reachHtml(report: ReachReport): Iterable<string> {
  const pairs = [...report.pairs];
  yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n';
  yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n";
  yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n';
  yield `<title>Who reaches whom</title>\n<style>${STYLE}</style>\n</head>\n<body>\n<h1>Who reaches whom</h1>\n`;
  yield `<p>${report.rows.length} endpoints, ${pairs.length} pairs connected, read as ${escapeMarkup(report.dialect)}.`;
  yield report.complete ? "</p>\n" : " <strong>Incomplete: policies were refused.</strong></p>\n";
  yield '<div class="picture">\n';
  yield* reachSvg({ ...report, pairs });
  yield "</div>\n<h2>Pairs</h2>\n<table>\n<thead><tr><th>From</th><th>To</th><th>May</th><th>Why</th></tr></thead>\n<tbody>\n";
  for (const pair of pairs) yield* rows(pair);
  yield "</tbody>\n</table>\n";
  if (report.diagnostics.length > 0) {
    const text = report.diagnostics.map(formatDiagnostic).join("\n");
    yield `<h2>Messages</h2>\n<pre>${escapeMarkup(text)}</pre>\n`;
  }
  yield "</body>\n</html>\n";
}

function* rows(pair: ReachPair): Iterable<string> {
  const row = (tone: string, may: string, why: string): string =>
    `<tr><td>${escapeMarkup(pair.from)}</td><td>${escapeMarkup(pair.to)}</td><td class="${tone}">${escapeMarkup(may)}</td><td>${escapeMarkup(why)}</td></tr>\n`;
  for (const entry of pair.allow) yield row("allow", flowText(entry), decidersText(entry.deciders));
  for (const entry of pair.mixed) yield row("unsure", `some: ${flowText(entry)}`, "differs between members");
  for (const entry of pair.unsure) {
    yield row("unsure", `unsure: ${flowText(entry)}`, entry.because.map((b) => `${b.code}: ${b.detail}`).join("; "));
  }
}
