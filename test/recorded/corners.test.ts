/** Whole answers about small clusters (`corners.yaml`) that come by what the rules' cases and the ways do not. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { readDocuments } from "../../src/documents/reader.ts";
import { openDialect } from "../../src/policy/registry.ts";
import { Engine } from "../../src/reach/engine.ts";
import { questionOf } from "../rules/row.ts";
import { findingTexts, pathTexts, reachText, serviceTexts, waysQuery, whyText } from "./answers.ts";
import { type Recorded, recorded } from "./record.ts";

const HERE = import.meta.dirname;

interface Corner {
  readonly title: string;
  readonly objects: readonly unknown[];
  readonly more: readonly unknown[];
  readonly dialect: string;
  readonly ask?: readonly string[];
  readonly ways?: readonly string[];
  readonly reach?: true;
}

const CORNERS: readonly Corner[] = parse(readFileSync(join(HERE, "corners.yaml"), "utf8"), { maxAliasCount: -1 });

function open({ objects, more, dialect }: Corner): Engine {
  const texts = [...objects, ...more].map((one, i) => ({ name: `${i}.json`, text: JSON.stringify(one) }));
  const opened = openDialect(dialect);
  if (opened === undefined) throw new Error(`no dialect ${dialect}`);
  return Engine.open(readDocuments(texts).documents, { dialect: opened, asCluster: true });
}

/** Every question has a case of its own, so that none takes long. */
function casesOf(corner: Corner): readonly Recorded[] {
  const { title, ask = [], ways = [], reach } = corner;
  const all = {
    title,
    texts: () => {
      const engine = open(corner);
      return [
        ...findingTexts(engine),
        ...ask.map((text) => `${text} = ${whyText(engine, questionOf(text))}`),
        ...(reach === true ? [reachText(engine), ...serviceTexts(engine)] : []),
      ];
    },
  };
  const one = (text: string): Recorded => ({
    title: `${title}: ${text}`,
    texts: () => pathTexts(open(corner), waysQuery(text)),
  });
  return [all, ...ways.map(one)];
}

recorded(join(HERE, "corners.txt"), CORNERS.flatMap(casesOf));
