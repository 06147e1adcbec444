/** `reach -o jsonl` holds no list: a pair is asked for when its line is due. */
import { expect, test } from "vitest";
import type { ReachPair } from "../../src/reach/reach.ts";
import { reachJsonLines } from "../../src/report/reach-jsonl.ts";

test("a pair is asked for when the line before it has been taken", () => {
  let asked = 0;
  const pairs: Iterable<ReachPair> = (function* () {
    for (;;) yield { from: "a", to: `b-${asked++}`, allow: [], unsure: [], mixed: [] };
  })();
  const report = { dialect: "kubernetes", complete: true, rows: [], pairs, provenance: false, diagnostics: [] };
  const lines = reachJsonLines(report)[Symbol.iterator]();
  lines.next();
  for (let n = 0; n < 5; n++) {
    expect(lines.next().value).toBe(`{"connection":{"from":"a","to":"b-${n}","allow":[],"unsure":[]}}\n`);
    expect(asked).toBe(n + 1);
  }
});
