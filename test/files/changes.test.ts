import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { changesOf } from "../../src/files/changes.ts";

test("a save is told once, also of an editor that writes beside and renames", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-changes-"));
  const file = join(folder, "policy.yaml");
  writeFileSync(file, "a: 1\n");
  const changes = changesOf([file], false);
  try {
    expect(await changes.next()).toEqual({ done: false, value: undefined });
    // Saved while the files are still being read for the first time.
    for (const text of ["a: 2\n", "a: 3\n"]) {
      writeFileSync(`${file}~`, text);
      renameSync(`${file}~`, file);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await changes.next()).toEqual({ done: false, value: undefined });
    const second = changes.next();
    const quiet = new Promise((resolve) => setTimeout(() => resolve("quiet"), 300));
    expect(await Promise.race([second, quiet])).toBe("quiet");
    writeFileSync(file, "a: 4\n");
    expect(await second).toEqual({ done: false, value: undefined });
  } finally {
    await changes.return(undefined);
    rmSync(folder, { recursive: true });
  }
});

test("where there is nothing to watch, nothing is waited for", async () => {
  const changes = changesOf(["/nonexistent/policies/a.yaml"], false);
  expect([await changes.next(), await changes.next()].map(({ done }) => done)).toEqual([false, true]);
});
