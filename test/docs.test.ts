/** The documentation is true: every example is run, every finding has its page, every command its own. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { program } from "../src/cli/program.ts";
import { explainAllMarkdown } from "../src/report/explain-text.ts";
import { bulkhead, ROOT } from "./cli/run.ts";

const DOCS = join(ROOT, "docs");
/** With UPDATE_DOCS=1 the pages are written anew from what the commands say. */
const UPDATE = process.env.UPDATE_DOCS === "1";

const PAGES = ["commands", "concepts"].flatMap((folder) =>
  readdirSync(join(DOCS, folder)).map((name) => `${folder}/${name}`),
);

/** A block that begins with a command; what follows is what it prints. */
const BLOCK = /```console\n\$ bulkhead ([^\n]*)\n([\s\S]*?)```/g;

function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}

describe.concurrent("examples", () => {
  test.each(PAGES)("%s", async (page) => {
    const path = join(DOCS, page);
    const text = readFileSync(path, "utf8");
    let fresh = text;
    for (const [block, command = ""] of text.matchAll(BLOCK)) {
      const { stdout } = await bulkhead([...words(command), ...(command.includes("--quiet") ? [] : ["--quiet"])]);
      fresh = fresh.replace(block, () => `\`\`\`console\n$ bulkhead ${command}\n${stdout}\`\`\``);
    }
    if (UPDATE) writeFileSync(path, fresh);
    else expect(text).toBe(fresh);
  });
});

test("findings.md holds every code", () => {
  const path = join(DOCS, "findings.md");
  const fresh = [...explainAllMarkdown()].join("");
  if (UPDATE) writeFileSync(path, fresh);
  else expect(readFileSync(path, "utf8")).toBe(fresh);
});

test("every page is reached from the first", () => {
  const index = readFileSync(join(DOCS, "README.md"), "utf8");
  for (const page of [...PAGES, "findings.md"]) expect(index).toContain(`(${page})`);
});

test("every command has examples in its help", () => {
  const silent: string[] = [];
  const walk = (command: Command): void => {
    let help = "";
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    if (!help.includes("\nExamples:\n")) silent.push(command.name());
    for (const one of command.commands) if (!one.name().startsWith("__")) walk(one);
  };
  walk(program());
  expect(silent).toEqual([]);
});
