/** `demo -o json`: the same facts, in the form that scripts rely on. */
import { dropJson } from "../lab/drop-json.ts";
import type { Played, PlayedPair } from "./play.ts";

export function* demoJson(played: Played): Iterable<string> {
  const value = {
    schemaVersion: 1,
    steps: played.chapters.map(({ chapter, pairs, requests }) => ({
      name: chapter.name,
      pairs: [
        ...pairs.map(pairJson),
        ...requests.map((one) => ({
          ...pairJson(one),
          http: { ...one.request, status: one.answer?.status ?? null },
        })),
      ],
    })),
    agree: played.agree,
    attacker: played.attacker,
    impact: played.impact,
    ...(played.obstacle === null ? {} : { obstacle: { message: played.obstacle.message, help: played.obstacle.help } }),
  };
  yield `${JSON.stringify(value, null, 2)}\n`;
}

function pairJson({
  pair,
  predicted,
  observed,
  drop,
}: Pick<PlayedPair, "pair" | "predicted" | "observed" | "drop">): object {
  return {
    from: pair.asker.name,
    to: pair.target.name,
    port: pair.target.port,
    protocol: pair.target.protocol,
    predicted: predicted.verdict,
    observed,
    why: predicted.why,
    ...(drop === null ? {} : { drop: dropJson(drop) }),
  };
}
