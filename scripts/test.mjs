// `npm test`: lint, format, types, then every test, packets included. The last line counts: `N passed, N failed`.
//
// Exit codes: 0 all passed; 1 something failed; 3 packets could not flow here (BULKHEAD_ALLOW_SKIP=1 lets that pass).
// `--full` runs the counts whole that are otherwise a seeded tenth; continuous integration (`CI=true`) does so for the
// property tests, packets included, where minutes cost less than a gap. Further arguments go to the test runner.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBuilt, ensurePackages, ensureTools, root } from "./setup.mjs";

const NOBODY = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
// Root of a container may lack the ids that it takes to become somebody else.
const isRoot = process.getuid?.() === 0 && spawnSync("setpriv", [...NOBODY, "true"], { stdio: "ignore" }).status === 0;
const full = process.argv.includes("--full") ? "1" : process.env.CI === "true" ? "properties" : undefined;
const passedOn = process.argv.slice(2).filter((argument) => argument !== "--full");

const missing = ensureTools();
ensurePackages();
ensureBuilt();

const checkout = readableCheckout();
try {
  process.exitCode = runAll(checkout);
} finally {
  if (checkout !== root) rmSync(checkout, { recursive: true, force: true });
}

function runAll(cwd) {
  const obstacle = missing === undefined ? labObstacle(cwd) : `tools are missing: ${missing}`;
  const skipKernel = obstacle !== "";
  const bin = (name) => join(root, "node_modules/.bin", name);
  const checks =
    passedOn.length > 0
      ? []
      : [
          ["lint", bin("oxlint"), ["--deny-warnings", "src", "test", "reference", "scripts", "bench"]],
          ["format", bin("biome"), ["format", "."]],
          [
            "types",
            process.execPath,
            [join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.json", "--noEmit"],
          ],
        ];
  let failedChecks = 0;
  for (const [name, command, args] of checks) {
    const status = spawnSync(command, args, { cwd: root, stdio: "inherit" }).status;
    if (status === 0) continue;
    console.error(`${name}: failed`);
    failedChecks++;
  }
  const counts = runTests(cwd, skipKernel);
  const failed = counts.failed + failedChecks;
  if (skipKernel) console.error(`Packets cannot flow here, so the tests that need them were skipped: ${obstacle}`);
  console.log(`${counts.passed} passed, ${failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ""}`);
  if (failed > 0) return 1;
  return skipKernel && process.env.BULKHEAD_ALLOW_SKIP !== "1" ? 3 : 0;
}

/** Runs the test runner and counts what it did. */
function runTests(cwd, skipKernel) {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-test-"));
  const report = join(folder, "report.json");
  const env = {
    ...process.env,
    ...(full === undefined ? {} : { BULKHEAD_FULL: full }),
    ...(skipKernel ? { BULKHEAD_ALLOW_SKIP: "1" } : {}),
  };
  try {
    const runner = join(cwd, "node_modules/vitest/vitest.mjs");
    const args = [runner, "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...passedOn];
    const { status } = spawnSync(process.execPath, args, { cwd, stdio: "inherit", env });
    const counts = count(JSON.parse(readFileSync(report, "utf8")).testResults);
    // The runner also fails where nothing is left to count: an error outside every test.
    return status !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
  } catch (error) {
    console.error(String(error));
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file that breaks before its first test counts as one failure. */
function count(files) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of files) {
    let failedHere = 0;
    for (const { status } of file.assertionResults) {
      if (status === "passed") counts.passed++;
      else if (status === "failed") failedHere++;
      else counts.skipped++;
    }
    counts.failed += file.status === "failed" && failedHere === 0 ? 1 : failedHere;
  }
  return counts;
}

/** Why no lab can run here; empty where one can. */
function labObstacle(cwd) {
  const script =
    'import { labObstacle } from "./src/lab/client.ts"; const o = labObstacle(); process.stdout.write(o === null ? "" : `${o.message}. ${o.help}`);';
  const args = ["--import", "tsx", "--input-type=module", "--eval", script];
  const [command, rest] = isRoot ? ["setpriv", [...NOBODY, process.execPath, ...args]] : [process.execPath, args];
  const { status, stdout, stderr } = spawnSync(command, rest, { cwd, encoding: "utf8" });
  return status === 0 ? stdout : stderr.trim() || "the lab's tools are missing";
}

/** Packet tests run as nobody. Where nobody may not read this checkout, they run in a copy of it. */
function readableCheckout() {
  if (!isRoot) return root;
  const readable = spawnSync("setpriv", [...NOBODY, "test", "-r", join(root, "package.json")]).status === 0;
  if (readable) return root;
  const copy = mkdtempSync(join(tmpdir(), "bulkhead-checkout-"));
  console.error(`an ordinary user cannot read ${root}; the tests run in a copy`);
  cpSync(root, copy, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith("/.git") });
  spawnSync("chmod", ["-R", "a+rX", copy]);
  return copy;
}
