import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { VpcReference } from "../../reference/vpc/index.ts";
import { entries, field, list, number, text } from "../../src/vpc/read/json.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "../conformance/aws-vpc");
const cases = readdirSync(root).filter((name) =>
  ["expect.yaml", "describe.json"].every((f) => existsSync(join(root, name, f))),
);

/** The verdicts of the suite, from the answers of AWS alone. */
describe("the reference on the conformance cases", () => {
  test.each(cases)("%s", (name) => {
    const folder = join(root, name);
    const reference = new VpcReference(JSON.parse(readFileSync(join(folder, "describe.json"), "utf8")));
    const expectation = load(readFileSync(join(folder, "expect.yaml"), "utf8"));
    const ids = new Map(
      entries(field(expectation, "ids")).flatMap(([k, v]) => (typeof v === "string" ? [[k, v] as const] : [])),
    );
    const id = (value: unknown): string => ids.get(text(value) ?? "") ?? text(value) ?? "";
    const wrong: string[] = [];
    for (const row of list(field(expectation, "assertions"))) {
      const range = /^(\d+)-(\d+)$/.exec(text(field(row, "portRange")) ?? "");
      const port = number(field(row, "port"));
      const actual = reference.ask({
        from: id(field(row, "from")),
        to: id(field(row, "to")),
        protocol: text(field(row, "protocol")) ?? "tcp",
        ...(port === undefined ? {} : { port }),
        ...(field(row, "via") === undefined ? {} : { via: id(field(row, "via")) }),
        ...(field(row, "flow") === "reply" ? { flow: "reply" as const } : {}),
        ...(range === null ? {} : { clientPorts: { first: Number(range[1]), last: Number(range[2]) } }),
      });
      if (actual !== field(row, "verdict"))
        wrong.push(`${String(field(row, "id"))} ${String(field(row, "title"))}: ${actual}`);
    }
    expect(wrong).toEqual([]);
  });
});
