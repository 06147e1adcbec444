/**
 * Three witnesses over random clusters and policies: what the engine predicts, what the reference evaluator says and
 * what real packets do, for all ends and the ports at the edges of the rules. One lab lives through all scenes: its
 * namespaces change their names and identities from one to the next.
 */
import type fc from "fast-check";
import type { Probe } from "../../src/lab/answers.ts";
import { labApply, labProbe } from "../../src/lab/client.ts";
import type { Plan } from "../../src/lab/plan.ts";
import type { Ruleset } from "../../src/lab/ruleset.ts";
import { openCluster, pointsOf } from "../lab-compile/opened.ts";
import { drawScenes, inputOf, policyKey } from "../property/running.ts";
import { ciliumScene, type Dialect, documentsOf, kubernetesScene, type Scene } from "../property/scenes.ts";
import { mismatchText } from "../property/shrinking.ts";
import { openReference } from "../property/witnesses.ts";

/** Packets of one scene. */
const PACKETS = 120;

interface Question {
  readonly probe: Probe;
  readonly words: { readonly engine: string; readonly reference: string };
}

interface Posed {
  readonly plan: Plan;
  readonly ruleset: Ruleset;
  readonly questions: readonly Question[];
}

/** Whether packets can go to the address at all: not multicast, link-local, unspecified or loopback. */
function isUnicast(address: string): boolean {
  return !/^(ff[0-9a-f]{2}:|fe[89ab][0-9a-f]:|::1?$|169\.254\.|255\.)/i.test(address);
}

/** What to ask of a scene, with the two predictions; null where the lab says that it cannot enforce it. */
function pose(scene: Scene): Posed | null {
  const documents = documentsOf(scene);
  const opened = openCluster(scene.dialect, documents);
  const { lab } = opened;
  const { ruleset, unsupported } = opened.compiled;
  if (unsupported.length > 0) return null;
  const reference = openReference({ dialect: scene.dialect, documents });
  const places = new Map(lab.plan.pods.flatMap((pod) => pod.addresses.map((address) => [address, pod.name] as const)));
  for (const node of lab.plan.nodes) for (const address of node.addresses) places.set(address, `host@${node.name}`);
  const questions: Question[] = [];
  for (const { from, to, protocol, port, word } of pointsOf(opened, scene, ({ address }) => isUnicast(address))) {
    const { family } = from;
    const reply = reference.ask({ from: from.endpoint.name, to: to.endpoint.name, protocol, port, family });
    const probe: Probe = {
      from: places.get(from.address) ?? `ip:${from.address}`,
      to: places.get(to.address) ?? `ip:${to.address}`,
      protocol,
      port,
      family: family === "IPv4" ? 4 : 6,
    };
    questions.push({ probe, words: { engine: word, reference: "problem" in reply ? "unsure" : reply.verdict } });
  }
  // Evenly chosen where there are too many.
  const step = Math.max(1, questions.length / PACKETS);
  const chosen = Array.from({ length: Math.min(PACKETS, questions.length) }, (_, i) => questions[Math.floor(i * step)]);
  // Pods that share a node's network may want one port, which no cluster would run; none of them needs to listen.
  const pods = lab.plan.pods.map((pod) => (pod.hostNetwork ? { ...pod, ports: [] } : pod));
  return {
    plan: { ...lab.plan, pods, podsRoutable: true },
    ruleset,
    questions: chosen.filter((one) => one !== undefined),
  };
}

/** Each packet that did not do what was said. */
async function disagreements({ plan, ruleset, questions }: Posed, name: string): Promise<readonly string[]> {
  await labApply({ plan, ruleset }, { name });
  const results = [
    ...(await labProbe(
      questions.map(({ probe }) => probe),
      { name },
    )),
  ];
  // A packet that came in nowhere is no verdict of a rule: on a busy machine it is sent once more.
  const lost = questions.flatMap(({ probe }, at) => (results[at]?.outcome === "lost" ? [{ probe, at }] : []));
  if (lost.length > 0) {
    const again = await labProbe(
      lost.map(({ probe }) => probe),
      { name },
    );
    for (const [i, { at }] of lost.entries()) {
      const result = again[i];
      if (result !== undefined) results[at] = result;
    }
  }
  return questions.flatMap(({ probe, words }, at) => {
    const result = results[at];
    const packet =
      result?.outcome === "lost" ? `lost (${result.detail})` : result?.outcome === "deny" ? "deny" : "allow";
    const reason = result?.drop?.prefix ?? "";
    const agrees =
      packet === words.engine &&
      (words.reference === packet || words.reference === "unsure" || words.reference === "mixed");
    const { from, to, protocol, port, family } = probe;
    return agrees
      ? []
      : [
          `${from} → ${to} ${protocol} ${port} (IPv${family}): engine ${words.engine}, reference ${words.reference}, packet ${packet} ${reason}`,
        ];
  });
}

/** Scenes of a dialect, each with some ports to ask. */
function scenesOf(dialect: Dialect): fc.Arbitrary<Scene> {
  return dialect === "kubernetes" ? kubernetesScene(10) : ciliumScene(dialect, 10);
}

/** What has been compared so far. */
export class Seen {
  readonly sets = new Set<string>();
  packets = 0;
  denied = 0;
  /** Scenes that the lab says it cannot enforce, and those without a question. */
  left = 0;

  add(scene: Scene, { questions }: Posed): void {
    this.sets.add(policyKey(scene));
    this.packets += questions.length;
    this.denied += questions.filter(({ words }) => words.engine === "deny").length;
  }

  summary(): string {
    return `${this.sets.size} policy sets, ${this.packets} packets, ${this.denied} of them denied; ${this.left} scenes left out`;
  }
}

/** Which scenes to draw, and the lab that shows them. */
export interface Drawn {
  readonly dialect: Dialect;
  readonly seed: number;
  readonly batch: number;
  readonly name: string;
}

/**
 * Compares the scenes of one batch; sets of policies that were seen before are left out.
 *
 * Yields each scene that differs, as text, with the seed and the whole scene as YAML.
 */
export async function* compareBatch({ dialect, seed, batch, name }: Drawn, seen: Seen): AsyncGenerator<string> {
  for (const scene of drawScenes(scenesOf(dialect), seed, batch)) {
    if (seen.sets.has(policyKey(scene))) continue;
    const posed = pose(scene);
    if (posed === null || posed.questions.length === 0) {
      seen.left++;
      continue;
    }
    seen.add(scene, posed);
    const wrong = await disagreements(posed, name);
    if (wrong.length === 0) continue;
    const told = mismatchText({ input: inputOf(scene), differences: [] });
    yield [`# ${dialect}, seed ${seed}, batch ${batch}`, ...wrong.slice(0, 5).map((one) => `# ${one}`), told].join(
      "\n",
    );
  }
}
