/** `demo -o json`: the same facts, in the form that scripts rely on. */
import { dropJson } from "../lab/drop-json.ts";
import type { Played } from "./play.ts";

export function* demoJson(played: Played): Iterable<string> {
  const value = {
    schemaVersion: 1,
    steps: played.chapters.map(({ chapter, pairs }) => ({
      name: chapter.name,
      pairs: pairs.map(({ pair, predicted, observed, drop }) => ({
        from: pair.asker.name,
        to: pair.target.name,
        port: pair.target.port,
        protocol: pair.target.protocol,
        predicted: predicted.verdict,
        observed,
        why: predicted.why,
        ...(drop === null ? {} : { drop: dropJson(drop) }),
      })),
    })),
    agree: played.agree,
    attacker: played.attacker,
    impact: played.impact,
    ...(played.obstacle === null ? {} : { obstacle: { message: played.obstacle.message, help: played.obstacle.help } }),
  };
  yield `${JSON.stringify(value, null, 2)}\n`;
}
