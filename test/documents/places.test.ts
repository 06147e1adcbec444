import { describe, expect, test } from "vitest";
import type { Path } from "../../src/documents/document.ts";
import { one } from "./read.ts";

const TEXT = `apiVersion: v1
kind: ConfigMap
metadata:
  name: "a"   # comment
  labels: &labels {x: 'one', "q": two}
spec:
- first
-   second: 2
    third:
    - - deep
- |
  block
- &anchor
  k: v
- *anchor
- {a: [1, 22], b: }
- !!str tagged
empty:
merged:
  <<: *labels
  own: 1
? explicit
: value
"quoted key": last
`;

describe("the place of a value", () => {
  const document = one(TEXT);
  test.each<[Path, string, string]>([
    // path, value, key
    [[], "1:1", "1:1"],
    [["kind"], "2:7", "2:1"],
    [["metadata"], "4:3", "3:1"],
    [["metadata", "name"], "4:9", "4:3"],
    [["metadata", "labels", "x"], "5:23", "5:20"],
    [["metadata", "labels", "q"], "5:35", "5:30"],
    [["spec"], "7:1", "6:1"],
    [["spec", 0], "7:3", "7:1"],
    [["spec", 1, "second"], "8:13", "8:5"],
    [["spec", 1, "third"], "10:5", "9:5"],
    [["spec", 1, "third", 0, 0], "10:9", "10:7"],
    [["spec", 2], "11:3", "11:1"],
    [["spec", 3, "k"], "14:6", "14:3"],
    // An alias stands where it is written, what is in it where its anchor is.
    [["spec", 4], "15:3", "15:1"],
    [["spec", 4, "k"], "14:6", "14:3"],
    [["spec", 5, "a", 1], "16:11", "16:11"],
    [["spec", 5, "b"], "16:16", "16:16"],
    [["spec", 6], "17:3", "17:1"],
    // What is not written stands at its key.
    [["empty"], "18:1", "18:1"],
    // A merged member stands where it comes from.
    [["merged", "x"], "5:23", "5:20"],
    [["merged", "own"], "21:8", "21:3"],
    [["explicit"], "23:3", "22:3"],
    [["quoted key"], "24:15", "24:1"],
    // The nearest ancestor answers for what does not exist.
    [["metadata", "none"], "4:3", "4:3"],
    [["metadata", "name", "further", 3], "4:9", "4:9"],
    [["spec", 99], "7:1", "7:1"],
  ])("%j is %s, its key %s", (path, value, key) => {
    const at = (wantsKey: boolean): string => {
      const { line, column } = document.locate(path, { key: wantsKey });
      return `${line}:${column}`;
    };
    expect([at(false), at(true)]).toEqual([value, key]);
  });

  test("is the same with carriage returns and a byte order mark", () => {
    const other = one(`\uFEFF${TEXT.replaceAll("\n", "\r\n")}`);
    for (const path of [["spec", 1, "third", 0, 0], ["merged", "own"], ["quoted key"]])
      expect(other.locate(path)).toEqual(document.locate(path));
  });
});
