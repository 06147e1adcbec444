/**
 * Packets to DNS names: the pod looks the name up, as its programs would, then sends to the address that the lab's name
 * server has for it.
 *
 * What one pod's look-up teaches opens the address to every pod of its node (cilium.md 7.3), while a question is about a
 * pod's own look-up. So in one turn no two pods of a node look up one name, and names that nobody has declared have
 * fresh addresses in each turn.
 */
import type { Probe, ProbeResult } from "../../lab/answers.ts";
import { labApply, labExec } from "../../lab/client.ts";
import type { Plan, PlannedOutside } from "../../lab/plan.ts";
import { formatAddress } from "../../net/address.ts";
import { type Asked, type LabView, nameAsked } from "./questions.ts";

/** Of RFC 5737 and RFC 3849. */
const DOCUMENTATION = { 4: ["192.0.2", "198.51.100", "203.0.113"], 6: "2001:db8:b1a:0:" } as const;
const HOSTS = 250;
/** Seconds: longer than the packets of a turn take on a busy machine. */
const TTL = 300;
const LOOK_UPS_AT_ONCE = 4;

/** What became of a packet, or why it was not sent. */
export type Observed = ProbeResult | string;

export class NamedPackets {
  private readonly name: string;
  private addresses = 0;

  /** Takes the lab's name. */
  constructor(name: string) {
    this.name = name;
  }

  /** Sends packets of questions to names, in turns. `isOwn`: the lab's plan may be changed. */
  async send(
    view: LabView,
    isOwn: boolean,
    asked: readonly Asked[],
    send: (probes: readonly Asked[]) => Promise<readonly ProbeResult[]>,
  ): Promise<ReadonlyMap<Asked, Observed>> {
    const { plan } = view.lab;
    const observed = new Map<Asked, Observed>();
    for (const [turn, own] of turnsOf(asked, plan).entries()) {
      const outside = isOwn ? this.outsideOf(view, own) : plan.outside;
      const askable = own.filter((one) => {
        const reason = whyNot(view, isOwn, turn, one, outside);
        if (reason !== undefined) observed.set(one, reason);
        return reason === undefined;
      });
      if (askable.length === 0) continue;
      if (isOwn) await labApply({ plan: { ...plan, outside } }, { name: this.name });
      const answered = await this.lookUp(askable, plan);
      const results = await send(
        askable.map((one) => ({ ...one, probe: { ...one.probe, to: `ip:${addressOf(one.probe, outside) ?? ""}` } })),
      );
      for (const [i, one] of askable.entries()) {
        const result = results[i];
        if (result === undefined) continue;
        // Where the only server that the rules mean is not the lab's own, nothing was learned.
        const unlearned = one.verdict === "allow" && result.outcome === "deny" && !answered.has(lookUpKey(one.probe));
        observed.set(one, unlearned ? "the lab's name server did not answer the look-up" : result);
      }
    }
    return observed;
  }

  /** Each name with its declared addresses, or with fresh ones. */
  private outsideOf({ engine }: LabView, asked: readonly Asked[]): readonly PlannedOutside[] {
    const names = new Set(asked.map(({ probe }) => nameAsked(probe) ?? ""));
    return [...names].map((name) => {
      const declared = engine.options.names?.get(name)?.map(formatAddress);
      return { name: name.replace(/\.$/, ""), addresses: declared ?? this.fresh(), ttl: TTL };
    });
  }

  /** None where all have been used. */
  private fresh(): readonly string[] {
    const number = this.addresses++;
    const prefix = DOCUMENTATION[4][Math.floor(number / HOSTS)];
    if (prefix === undefined) return [];
    return [`${prefix}.${(number % HOSTS) + 1}`, `${DOCUMENTATION[6]}:${(number + 1).toString(16)}`];
  }

  /** Each pod asks the lab's name server; tells whose look-ups were answered. */
  private async lookUp(asked: readonly Asked[], { pods }: Plan): Promise<ReadonlySet<string>> {
    const own = new Set(pods.map(({ name }) => name));
    const open = new Map(
      asked.filter(({ probe }) => own.has(probe.from)).map(({ probe }) => [lookUpKey(probe), probe]),
    );
    const answered = new Set<string>();
    const waiting = [...open];
    const ask = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [key, probe] = next;
        const program = ["getent", `ahostsv${probe.family ?? 4}`, nameAsked(probe) ?? ""];
        const argv = ["env", "RES_OPTIONS=timeout:2 attempts:2", ...program];
        const { code } = await labExec(probe.from, argv, { name: this.name, stdio: "collect" });
        if (code === 0) answered.add(key);
      }
    };
    await Promise.all(Array.from({ length: LOOK_UPS_AT_ONCE }, ask));
    return answered;
  }
}

function lookUpKey({ from, to, family }: Probe): string {
  return `${from} ${to} ${family ?? 4}`;
}

function addressOf(probe: Probe, outside: readonly PlannedOutside[]): string | undefined {
  const name = nameAsked(probe)?.replace(/\.$/, "");
  const found = outside.find((one) => one.name.toLowerCase() === name);
  return found?.addresses.find((address) => address.includes(":") === (probe.family === 6));
}

/** Whom no other pod's look-up helps within a turn. */
function turnsOf(asked: readonly Asked[], { pods }: Plan): readonly (readonly Asked[])[] {
  const nodes = new Map(pods.map(({ name, node }) => [name, node]));
  const askers = new Map<string, string[]>();
  const turns: Asked[][] = [];
  for (const one of asked) {
    const { from, to } = one.probe;
    const node = nodes.get(from);
    const key = `${node ?? ""} ${to}`;
    const known = askers.get(key) ?? [];
    askers.set(key, known);
    if (!known.includes(from)) known.push(from);
    const turn = node === undefined ? 0 : known.indexOf(from);
    const before = turns[turn];
    if (before === undefined) turns[turn] = [one];
    else before.push(one);
  }
  return turns;
}

function whyNot(
  { engine }: LabView,
  isOwn: boolean,
  turn: number,
  { probe }: Asked,
  outside: readonly PlannedOutside[],
): string | undefined {
  const name = nameAsked(probe) ?? "";
  if (addressOf(probe, outside) === undefined)
    return `the lab's name server has no IPv${probe.family ?? 4} address for ${name}`;
  if (turn > 0 && (!isOwn || engine.options.names?.has(name) === true))
    return `another pod of the same node has looked ${name} up, which opens it here too`;
  return undefined;
}
