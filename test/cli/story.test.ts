/** The story is computed: whatever is edited in the example changes prediction and observation alike. */
import { describeWithPackets } from "../lab/unprivileged.ts";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Played, play } from "../../src/cli/demo/play.ts";
import { openStory } from "../../src/cli/demo/story.ts";
import { EXAMPLE, ROOT } from "./run.ts";

/** Plays the example with one text replaced in one file, from the place of another text on. */
async function playEdited(file: string, from: string, to: string, after = ""): Promise<Played> {
  const folder = mkdtempSync(join(tmpdir(), "bulkhead-story-"));
  try {
    cpSync(join(ROOT, EXAMPLE), folder, { recursive: true });
    const path = join(folder, file);
    const text = readFileSync(path, "utf8");
    expect(text).toContain(from);
    const start = text.indexOf(after);
    writeFileSync(path, text.slice(0, start) + text.slice(start).replaceAll(from, to));
    return await play(openStory(folder, folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function cells(played: Played, chapter: "before" | "after" | "ingress"): Record<string, string> {
  const found = played.chapters.find((one) => one.chapter.name === chapter);
  const last = (name: string): string => name.split("/").at(-1) ?? name;
  return Object.fromEntries(
    (found?.pairs ?? []).map(({ pair, predicted, observed }) => [
      `${last(pair.asker.name)} → ${last(pair.target.name)}:${pair.target.port}`,
      `${predicted.verdict}/${observed}`,
    ]),
  );
}

describeWithPackets.concurrent("an edited example", () => {
  test("client B carries the label of application A: it gets through", async () => {
    const played = await playEdited("application-b.yaml", "org: application-b", "org: application-a", "name: client-b");
    expect(played.agree).toBe(true);
    expect(cells(played, "after")).toMatchObject({
      "client-b → service-a:80": "allow/allow",
      "service-b → service-a:80": "deny/deny",
    });
    expect(played.attacker).toBe("default/Deployment/service-b");
  });

  test("the policy names another port: nobody gets through", async () => {
    const played = await playEdited("policies/cilium/service-a.yaml", 'port: "80"', 'port: "8080"');
    expect(played.agree).toBe(true);
    expect(cells(played, "after")).toMatchObject({
      "client-a → service-a:80": "deny/deny",
      "client-b → service-a:80": "deny/deny",
    });
  });

  test("the server listens on another port: the policy, which names the pod's port, shuts everybody out", async () => {
    const played = await playEdited("application-a.yaml", "containerPort: 80", "containerPort: 8080");
    expect(played.agree).toBe(true);
    expect(cells(played, "before")).toMatchObject({ "client-a → service-a:80": "allow/allow" });
    expect(cells(played, "after")).toMatchObject({ "client-a → service-a:80": "deny/deny" });
  });

  test("the Service has another port: it is asked there", async () => {
    const played = await playEdited("application-a.yaml", "port: 80\n      targetPort", "port: 8000\n      targetPort");
    expect(played.agree).toBe(true);
    expect(cells(played, "after")).toMatchObject({
      "client-a → service-a:8000": "allow/allow",
      "client-b → service-a:8000": "deny/deny",
    });
  });

  test("the policy selects nobody: nothing changes", async () => {
    const played = await playEdited("policies/cilium/service-a.yaml", "class: service-a", "class: service-x");
    expect(played.agree).toBe(true);
    expect(cells(played, "after")).toEqual(cells(played, "before"));
    expect(played.attacker).toBeNull();
  });

  test("the second policy opens to the world instead of the Ingress: the Ingress stays shut out", async () => {
    const played = await playEdited("policies/cilium-ingress/service-a-ingress.yaml", "- ingress\n", "- world\n");
    expect(played.agree).toBe(true);
    expect(cells(played, "ingress")).toMatchObject({ "ingress-controller → service-a:80": "deny/deny" });
  });

  test("three replicas of a server: all of them are asked for by one Service", async () => {
    const played = await playEdited("application-a.yaml", "replicas: 1", "replicas: 3");
    expect(played.agree).toBe(true);
    expect(cells(played, "after")).toMatchObject({
      "client-a → service-a:80": "allow/allow",
      "client-b → service-a:80": "deny/deny",
    });
  });
});
