/** Plays the story: predictions from the engine, observations from a lab, chapter by chapter. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Drop, Fault, Flow, Probe, ProbeResult } from "../../lab/answers.ts";
import { labApply, labDown, labFault, labFlows, labObstacle, labProbe, labUp } from "../../lab/client.ts";
import { LabError } from "../../lab/failure.ts";
import type { Workload } from "../../model/world.ts";
import { compileLab, type LabInput } from "../lab/compile.ts";
import {
  agrees,
  type Observed,
  observedIn,
  type Pair,
  pairKey,
  pairsOf,
  type Prediction,
  predict,
  probeOf,
  type Target,
  targetsOf,
} from "../lab/comparison.ts";
import { progress } from "../terminal.ts";
import {
  flowOf,
  type PlayedRequest,
  playedRequest,
  predicted,
  REQUESTS,
  type RequestQuestion,
  requestProbe,
} from "./requests.ts";
import { type Chapter, reachableFrom, type Story } from "./story.ts";

/** One question in one chapter. */
export interface PlayedPair {
  readonly pair: Pair;
  readonly predicted: Prediction;
  /** Null where no packets were sent. */
  readonly observed: Observed | null;
  readonly agrees: boolean;
  /** What the kernel reported where it dropped the packet. */
  readonly drop: Drop | null;
}

export interface PlayedChapter {
  readonly chapter: Chapter;
  /** The columns, in the order of the input. */
  readonly targets: readonly Target[];
  readonly pairs: readonly PlayedPair[];
  /** Over connections of the story, request by request; empty where no policy judges requests. */
  readonly requests: readonly PlayedRequest[];
}

export interface Played {
  readonly chapters: readonly PlayedChapter[];
  /** Why no packets were sent; null where they were. */
  readonly obstacle: LabError | null;
  readonly agree: boolean;
  /** The endpoint that the policy of the story cuts off, and what it reaches before and after. */
  readonly attacker: string | null;
  readonly impact: { readonly before: readonly string[]; readonly after: readonly string[] };
}

export interface PlayOptions {
  /** A fault that is put into the lab's rules before the packets flow: only to test that it is seen. */
  readonly fault?: Fault;
}

export async function play(story: Story, options: PlayOptions = {}): Promise<Played> {
  const lab = new Stage(options.fault);
  const chapters: PlayedChapter[] = [];
  const reached: ReadonlyMap<string, readonly string[]>[] = [];
  try {
    for (const chapter of story.chapters) {
      story.engine.apply({ upsert: chapter.documents });
      const input = compileLab(story);
      await lab.set(input);
      const targets = targetsOf(story.engine.world);
      const pairs = pairsOf(story.engine.world, targets);
      const observations = await lab.observe(pairs, story, input);
      const asked = questionsOf(story, chapters, pairs, chapter);
      const answers = await lab.request(asked, story, input, chapter.name === "http");
      chapters.push({
        chapter,
        targets,
        pairs: pairs.map((pair, i): PlayedPair => {
          const predicted = predict(story.engine, pair);
          const seen = observations?.[i] ?? null;
          return {
            pair,
            predicted,
            observed: seen?.observed ?? null,
            agrees: seen === null ? observations === null : agrees(predicted.verdict, seen.observed),
            drop: seen?.drop ?? null,
          };
        }),
        requests: asked.map((question, i) =>
          playedRequest(question, predicted(story.engine, question), answers?.results[i], answers?.flows ?? []),
        ),
      });
      const workloads = new Set(pairs.flatMap(({ asker }) => (asker.workload === undefined ? [] : [asker.name])));
      reached.push(new Map([...workloads].map((name) => [name, reachableFrom(story.engine, name)])));
    }
  } finally {
    await lab.down();
  }
  const attacker = cutOff(chapters)?.pair.asker.name ?? null;
  const impactAt = (index: number): readonly string[] =>
    attacker === null ? [] : (reached[index]?.get(attacker) ?? []);
  return {
    chapters,
    obstacle: lab.obstacle,
    agree: chapters.every(({ pairs, requests }) => [...pairs, ...requests].every((one) => one.agrees)),
    attacker,
    impact: { before: impactAt(0), after: impactAt(1) },
  };
}

/**
 * Every request, of a client that the policy of the story lets in and of one that it shuts out; where requests are judged,
 * and before that in the story that is about them.
 */
function questionsOf(
  { chapters }: Story,
  played: readonly PlayedChapter[],
  pairs: readonly Pair[],
  { name }: Chapter,
): readonly RequestQuestion[] {
  if (name !== "http" && chapters[0]?.name === "before") return [];
  const [governed] = chapters.find((chapter) => chapter.name === "after")?.documents ?? [];
  const ofPolicy = pairs.filter(
    ({ asker, target }) => asker.workload !== undefined && target.service === serviceOf(governed),
  );
  const shut = cutOff(played)?.pair.asker.name;
  const clients = ofPolicy.filter(({ asker }) => asker.workload?.ports.length === 0);
  const [first, ...more] = [...clients].sort((a, b) => Number(a.asker.name === shut) - Number(b.asker.name === shut));
  const [request] = REQUESTS;
  if (first === undefined || request === undefined) return [];
  return [...REQUESTS.map((one) => ({ pair: first, request: one })), ...more.map((pair) => ({ pair, request }))];
}

/** The Service that goes by the name of the policy. */
function serviceOf(policy: Chapter["documents"][number] | undefined): string {
  return `${policy?.namespace ?? "default"}/${policy?.name ?? ""}`;
}

/** What a workload was allowed before the policy and is denied after; of one that serves nobody where there is one. */
export function cutOff(chapters: readonly PlayedChapter[]): PlayedPair | undefined {
  const cut = changed(chapters, 1).filter(
    ({ pair, predicted }) => pair.asker.workload !== undefined && predicted.verdict === "deny",
  );
  const serves = (workload: Workload): boolean =>
    cut.some(({ pair }) => pair.target.workloads.includes(workload)) || workload.ports.length > 0;
  return cut.find(({ pair }) => pair.asker.workload !== undefined && !serves(pair.asker.workload)) ?? cut[0];
}

/** What is predicted otherwise in a chapter than in the one before. */
export function changed(chapters: readonly PlayedChapter[], index: number): PlayedPair[] {
  const before = new Map(chapters[index - 1]?.pairs.map((played) => [pairKey(played.pair), played] as const));
  return (chapters[index]?.pairs ?? []).filter((played) => {
    const earlier = before.get(pairKey(played.pair));
    return earlier !== undefined && earlier.predicted.verdict !== played.predicted.verdict;
  });
}

interface Seen {
  readonly observed: Observed;
  readonly drop: Drop | null;
}

/** How long the flow log is waited for, and how often it is asked, in milliseconds. */
const FLOWS_MS = 2_000;
const FLOWS_EACH_MS = 20;

let stages = 0;

/** The lab of one run, or the reason why there is none. */
class Stage {
  obstacle: LabError | null = null;
  private readonly name = `demo-${process.pid}-${++stages}`;
  private readonly fault: Fault | undefined;
  private running: LabInput | undefined;

  constructor(fault: Fault | undefined) {
    this.fault = fault;
    this.obstacle = labObstacle();
  }

  /** Starts the lab, or puts the policies of the next chapter in force in one transaction. */
  async set(input: LabInput): Promise<void> {
    if (this.obstacle !== null) return;
    try {
      if (this.running === undefined) {
        const started = performance.now();
        await labUp(input.lab.plan, input.ruleset, { name: this.name, attached: true });
        progress(`lab of ${input.lab.plan.pods.length} pods up in ${Math.round(performance.now() - started)} ms`);
        if (this.fault !== undefined) await labFault(this.fault, { name: this.name });
      } else {
        const { milliseconds } = await labApply({ ruleset: input.ruleset }, { name: this.name });
        progress(`policies in force in ${milliseconds.toFixed(1)} ms`);
      }
      this.running = input;
    } catch (error) {
      if (!(error instanceof LabError) || error.exit !== 3 || error.code === "internal") throw error;
      this.obstacle = error;
    }
  }

  /** Asks every question with packets. Null without a lab; undefined for each question that nobody in it can ask. */
  async observe(
    pairs: readonly Pair[],
    story: Story,
    { lab }: LabInput,
  ): Promise<readonly (Seen | undefined)[] | null> {
    if (this.obstacle !== null) return null;
    const probes = pairs.map((pair) => probeOf(story.engine.world, lab, pair));
    const results = await labProbe(
      probes.filter((probe) => probe !== undefined),
      { name: this.name },
    );
    let next = 0;
    return probes.map((probe) => {
      const result = probe === undefined ? undefined : results[next++];
      return result === undefined ? undefined : { observed: observedIn(result), drop: result.drop };
    });
  }

  /** Sends every request. Null without a lab. `judged`: a policy in force judges requests, so each is in the flow log. */
  async request(
    questions: readonly RequestQuestion[],
    { engine }: Story,
    { lab }: LabInput,
    judged: boolean,
  ): Promise<{ readonly results: readonly (ProbeResult | undefined)[]; readonly flows: readonly Flow[] } | null> {
    if (this.obstacle !== null || questions.length === 0) return null;
    const results: (ProbeResult | undefined)[] = [];
    const since = Date.now();
    for (const question of questions) {
      const probe: Probe | undefined = requestProbe(engine, lab, question);
      const [result] = probe === undefined ? [] : await labProbe([probe], { name: this.name });
      results.push(result);
    }
    // The proxy tells of requests a moment later.
    const isComplete = (flows: readonly Flow[]): boolean =>
      questions.every(
        (question, i) => (results[i]?.http ?? null) === null || flowOf(flows, question, results[i]) !== undefined,
      );
    let flows = await this.requestFlows(since);
    for (let waited = 0; judged && waited < FLOWS_MS && !isComplete(flows); waited += FLOWS_EACH_MS) {
      await sleep(FLOWS_EACH_MS);
      flows = await this.requestFlows(since);
    }
    return { results, flows };
  }

  private async requestFlows(since: number): Promise<Flow[]> {
    const flows: Flow[] = [];
    for await (const { flow } of labFlows({}, { name: this.name })) {
      if (flow.l7 !== undefined && Date.parse(flow.time) >= since) flows.push(flow);
    }
    return flows;
  }

  async down(): Promise<void> {
    if (this.running !== undefined) await labDown({ name: this.name });
  }
}
