/** The second witness of `verify --lab`: what real packets do, row by row, in a lab that is started or in a running one. */
import type { ProbeResult } from "../../lab/answers.ts";
import { labApply, labDown, labProbe, labUp } from "../../lab/client.ts";
import { planOf } from "../../lab/compile/plan-of.ts";
import { rulesetOf } from "../../lab/compile/ruleset-of.ts";
import { LabError } from "../../lab/failure.ts";
import type { Plan, PlannedPort } from "../../lab/plan.ts";
import { type Question, QuestionError } from "../../reach/answer.ts";
import type { Engine } from "../../reach/engine.ts";
import type { RowResult } from "../../verify/check.ts";
import { observedIn } from "./comparison.ts";
import { NamedPackets, type Observed } from "./named-packets.ts";
import { type Asked, type LabView, nameAsked, pose, type Posed } from "./questions.ts";

/** A row with the questions that it asks; none: it asks something that packets cannot say. */
export interface Row {
  readonly result: RowResult;
  readonly questions: readonly Question[];
}

/** Names tell own node and others apart only where there is another. */
const NODES = 2;

export class PacketWitness {
  private readonly name: string;
  private readonly running: LabView | undefined;
  private readonly named: NamedPackets;
  private started = false;

  /** Takes the name of a lab, and what a running one was made from; without that, one is started when it is needed. */
  constructor(name: string, running?: LabView) {
    this.name = name;
    this.running = running;
    this.named = new NamedPackets(name);
  }

  /** Holds rows against packets. Where they differ, the row fails; where no packet can say, the row says so. */
  async witness(engine: Engine, rows: readonly Row[]): Promise<readonly RowResult[]> {
    let view: LabView;
    try {
      view = this.running ?? (await this.stage(engine, rows));
    } catch (error) {
      if (!(error instanceof LabError) || error.exit === 3) throw error;
      return rows.map(({ result }) => unseen(result, [`the lab cannot be built: ${error.message}`]));
    }
    const posed = rows.map(({ questions }) => poseAll(view, questions));
    const observed = await this.observe(
      view,
      posed.flatMap(({ asked }) => asked),
    );
    return rows.map(({ result }, i) => held(result, posed[i] ?? { asked: [], reasons: [] }, observed));
  }

  private async observe(view: LabView, asked: readonly Asked[]): Promise<ReadonlyMap<Asked, Observed>> {
    const plain = asked.filter(({ probe }) => nameAsked(probe) === undefined);
    const results = await this.send(plain);
    const named = asked.filter(({ probe }) => nameAsked(probe) !== undefined);
    const isOwn = this.running === undefined;
    const others = await this.named.send(view, isOwn, named, (some) => this.send(some));
    return new Map([...plain.map((one, i) => [one, results[i] ?? neverSent()] as const), ...others]);
  }

  /** Puts a case into the lab. */
  private async stage(engine: Engine, rows: readonly Row[]): Promise<LabView> {
    const lab = planOf(engine.world, engine.options.dialect, undefined, { nodes: NODES, moved: {}, ingress: true });
    const { ruleset, unsupported } = rulesetOf(engine.policies, lab.population);
    // Pods on their node's network may want one port, which no cluster would run; a packet that comes in is seen anyway.
    const asked = requestPorts(rows);
    const pods = lab.plan.pods.map((pod) => ({ ...pod, ports: pod.hostNetwork ? [] : withPorts(pod.ports, asked) }));
    const plan: Plan = { ...lab.plan, pods, podsRoutable: true };
    if (this.started) await labApply({ plan, ruleset }, { name: this.name });
    else await labUp(plan, ruleset, { name: this.name, attached: true });
    this.started = true;
    return { engine, lab: { ...lab, plan }, unenforced: unsupported };
  }

  private async send(asked: readonly Asked[]): Promise<readonly ProbeResult[]> {
    const ask = (some: readonly Asked[]): Promise<readonly ProbeResult[]> =>
      labProbe(
        some.map(({ probe }) => probe),
        { name: this.name },
      );
    if (asked.length === 0) return [];
    const results = [...(await ask(asked))];
    // A packet that came in nowhere is no verdict of a rule: on a busy machine it is sent once more.
    const lost = asked.flatMap((one, at) => (results[at]?.outcome === "lost" ? [{ one, at }] : []));
    if (lost.length === 0) return results;
    const again = await ask(lost.map(({ one }) => one));
    for (const [i, { at }] of lost.entries()) results[at] = again[i] ?? results[at] ?? neverSent();
    return results;
  }

  async end(): Promise<void> {
    if (this.started) await labDown({ name: this.name });
  }
}

/** Ports that rows send requests to: somebody has to answer them, whether or not a manifest declares the port. */
function requestPorts(rows: readonly Row[]): ReadonlySet<number> {
  const questions = rows.flatMap((row) => row.questions.filter(({ application }) => application?.http !== undefined));
  return new Set(questions.flatMap(({ port }) => port ?? []));
}

function withPorts(ports: readonly PlannedPort[], asked: ReadonlySet<number>): readonly PlannedPort[] {
  const served = new Set(ports.flatMap(({ protocol, port }) => (protocol === "TCP" ? port : [])));
  const more = [...asked].filter((port) => port > 0 && !served.has(port));
  return [...ports, ...more.map((port) => ({ protocol: "TCP", port }) as const)];
}

/** Every question of a row. */
function poseAll(view: LabView, questions: readonly Question[]): Posed {
  if (questions.length === 0) return { asked: [], reasons: ["packets do not ask that"] };
  const asked: Asked[] = [];
  const reasons = new Set<string>();
  for (const question of questions) {
    try {
      const posed = pose(view, question, view.engine.why(question));
      asked.push(...posed.asked);
      for (const reason of posed.reasons) reasons.add(reason);
    } catch (error) {
      if (!(error instanceof QuestionError)) throw error;
      reasons.add(error.message);
    }
  }
  return { asked, reasons: [...reasons] };
}

function neverSent(): never {
  throw new LabError("internal", "a probe has no result");
}

/** A row of what the lab has no part in. */
export function withoutPackets<R extends RowResult>(row: R): R {
  return { ...row, packets: { verdict: null, sent: 0, unseen: ["packets do not ask that"] } };
}

function unseen(result: RowResult, reasons: readonly string[]): RowResult {
  return { ...result, packets: { verdict: null, sent: 0, unseen: reasons } };
}

function held(result: RowResult, { asked, reasons }: Posed, results: ReadonlyMap<Asked, Observed>): RowResult {
  const open = new Set(reasons);
  const seen = new Set<string>();
  const wrong: string[] = [];
  let sent = 0;
  for (const one of asked) {
    const packet = results.get(one);
    if (packet === undefined) continue;
    if (typeof packet === "string") {
      open.add(packet);
      continue;
    }
    sent++;
    const { probe, verdict } = one;
    // A running lab lets nobody in from outside but by its load balancers.
    if (packet.drop?.reason === "not-routed") {
      open.add("from outside only load balancers answer in this lab");
      continue;
    }
    const observed = observedIn(packet);
    const word = observed === "refused" ? "allow" : observed;
    seen.add(word);
    if (word === verdict) continue;
    const detail = packet.drop?.prefix ?? packet.detail ?? "";
    wrong.push(`${probe.from} → ${probe.to} ${probe.port}/${probe.protocol}: ${word}${detail && ` (${detail})`}`);
  }
  const [first, ...more] = seen;
  const verdict = first === undefined ? null : more.length > 0 ? "mixed" : first;
  const packets = { verdict, sent, unseen: [...open] };
  if (wrong.length === 0) return { ...result, packets };
  const why = [result.why, `packets: ${wrong.slice(0, 3).join("; ")}`].filter((part) => part !== "").join("; ");
  return { ...result, passed: false, actual: `${result.actual}, and ${verdict} with packets`, why, packets };
}
