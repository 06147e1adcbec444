/**
 * Rows as sentences: `FROM > TO PORT[/PROTOCOL] [METHOD PATH] [host=H] [sni=NAME] [family=IPv6] [Header=value]`. ICMP is
 * `TYPE/ICMP` or `TYPE/ICMPv6`; a protocol without ports stands alone. `sni=` is a client that sends no server name.
 *
 * An outcome is a verdict, then `limited` where the connection stands and a proxy judges each request, then `by` and what
 * decides: `[Kind/][ns/]name[#section[index]]` or a reason, with a comma between.
 */
import type { Flow } from "../../reference/index.ts";
import type { Question } from "../../src/reach/answer.ts";
import { protocolOf } from "../../src/verify/connection-text.ts";

export interface Outcome {
  readonly verdict: string;
  readonly limited: boolean;
  readonly deciders: readonly string[];
}

export function outcomeOf(text: string): Outcome {
  const [words = "", deciders = ""] = text.split(" by ");
  const [verdict = "", limited] = words.split(" ");
  return { verdict, limited: limited === "limited", deciders: deciders.split(/,\s*/).filter((name) => name !== "") };
}

/** The parts of a sentence, before either evaluator's form. */
interface Row {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port: number | undefined;
  readonly request: { readonly method: string; readonly path: string } | undefined;
  readonly options: ReadonlyMap<string, string>;
  readonly headers: Readonly<Record<string, string>>;
}

const OPTIONS = ["host", "sni", "family"];

function rowOf(sentence: string): Row {
  const [from = "", arrow, to = "", service = "", ...rest] = sentence.split(/\s+/);
  if (arrow !== ">") throw new Error(`no row: ${sentence}`);
  const numbered = /^(\d+)(?:\/(\w+))?$/.exec(service);
  const pairs = rest
    .filter((word) => /^[\w-]+=/.test(word))
    .map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)] as const);
  const [method, path = "/"] = rest.filter((word) => !/^[\w-]+=/.test(word));
  return {
    from,
    to,
    protocol: numbered === null ? service : (numbered[2] ?? "TCP"),
    port: numbered === null ? undefined : Number(numbered[1]),
    request: method === undefined ? undefined : { method, path },
    options: new Map(pairs.filter(([key]) => OPTIONS.includes(key))),
    headers: Object.fromEntries(pairs.filter(([key]) => !OPTIONS.includes(key))),
  };
}

function familyIn({ options }: Row): { family?: "IPv4" | "IPv6" } {
  const family = options.get("family");
  return family === "IPv4" || family === "IPv6" ? { family } : {};
}

/** The question to the engine. */
export function questionOf(sentence: string): Question {
  const row = rowOf(sentence);
  const { from, to, port, request, options, headers } = row;
  const host = options.get("host");
  const serverName = options.get("sni");
  const application = {
    ...(request === undefined
      ? {}
      : {
          http: {
            ...request,
            ...(host === undefined ? {} : { host }),
            headers: new Map(Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value])),
          },
        }),
    ...(serverName === undefined ? {} : { tls: serverName === "" ? {} : { serverName } }),
  };
  return {
    from,
    to,
    protocol: protocolOf(row.protocol),
    ...(port === undefined ? {} : { port }),
    ...familyIn(row),
    ...(Object.keys(application).length === 0 ? {} : { application }),
  };
}

/** The same for the reference. */
export function flowOf(sentence: string): Flow {
  const row = rowOf(sentence);
  const { from, to, protocol, port, request, options, headers } = row;
  const host = options.get("host");
  const serverName = options.get("sni");
  const isIcmp = /^icmp/i.test(protocol);
  return {
    from,
    to,
    protocol,
    ...(port === undefined ? {} : isIcmp ? { icmp: { type: port } } : { port }),
    ...familyIn(row),
    ...(request === undefined ? {} : { http: { ...request, ...(host === undefined ? {} : { host }), headers } }),
    ...(serverName === undefined ? {} : { tls: { serverName } }),
  };
}
