/** Tells what became of each request: predicted, observed, and what the flow log of the lab says of it. */
import type { Flow, FlowPolicy } from "../../lab/answers.ts";
import type { Style } from "../../report/style.ts";
import { table } from "../../report/table.ts";
import type { PlayedRequest } from "./requests.ts";
import { dropText, type Names, verdictText } from "./words.ts";

export function* tellRequests(
  requests: readonly PlayedRequest[],
  names: Names,
  packets: boolean,
  style: Style,
): Iterable<string> {
  const [first] = requests;
  if (first === undefined) return;
  const head = ["", style("strong", `→ ${names.target(first.pair.target)}`), "", ""];
  const rows = [head, ["", style("faint", "predicted"), ...(packets ? [style("faint", "observed"), ""] : [])]];
  for (const { pair, request, predicted, observed, answer, drop } of requests) {
    const seen = observed === null ? "? nothing" : verdictText(observed, style);
    const said =
      answer === null ? (drop === null ? "" : "the kernel drops it") : `${answer.status} ${saidText(answer)}`;
    rows.push([
      `${names.of(pair.asker.name)}  ${request.method} ${request.path}`,
      verdictText(predicted.verdict, style),
      ...(packets ? [seen, said.trim()] : []),
    ]);
  }
  yield "\n";
  for (const line of table(rows)) yield `  ${line}`.trimEnd().concat("\n");
  for (const { pair, request, predicted, observed, agrees, drop } of requests) {
    if (agrees) continue;
    const what = `${names.of(pair.asker.name)} → ${names.target(pair.target)} ${request.method} ${request.path}`;
    yield `\n  ${style("deny", "DISAGREE")} ${what}: predicted ${predicted.verdict} (${predicted.why}), observed ${observed}\n`;
    if (drop !== null) yield `  ${dropText(drop)}\n`;
  }
  const lines = requests.flatMap(({ flow }) => (flow === null ? [] : [flowText(flow)]));
  if (lines.length === 0) return;
  yield "\n  What the flow log of the lab says of them:\n";
  for (const line of lines) yield `    ${line}\n`;
}

/** A short answer of the proxy itself; what a service says is its own. */
function saidText({ status, body }: { readonly status: number; readonly body: string }): string {
  return status < 400 ? "" : body.trim();
}

function flowText({ source, destination, verdict, Summary, ...flow }: Flow): string {
  const by = verdict === "DROPPED" ? flow.ingress_denied_by : flow.ingress_allowed_by;
  const policies = [...new Set((by ?? []).map(policyText))].join(", ");
  const ends = `${source.pod_name ?? ""} → ${destination.pod_name ?? ""}`;
  return `${verdict.padEnd(9)} ${ends}  ${Summary}${policies === "" ? "" : `  by ${policies}`}`;
}

function policyText({ kind, namespace, name }: FlowPolicy): string {
  return [kind, namespace, name].filter((part) => part !== undefined).join("/");
}
