/** A cluster as the engine opens it and as the lab is compiled from it, and what can be asked of both. */
import { readDocuments } from "../../src/documents/reader.ts";
import { type LabPlan, planOf } from "../../src/lab/compile/plan-of.ts";
import { rulesetOf } from "../../src/lab/compile/ruleset-of.ts";
import type { Address } from "../../src/net/address.ts";
import { openDialect } from "../../src/policy/registry.ts";
import { Engine } from "../../src/reach/engine.ts";
import { pointVerdict } from "../../src/reach/explain.ts";
import type { Scene } from "../property/scenes.ts";
import { type End, endsOf } from "./ends.ts";

export interface Opened {
  readonly engine: Engine;
  readonly lab: LabPlan;
  readonly compiled: ReturnType<typeof rulesetOf>;
}

/** `dialect` with or without its release; `names`: addresses of names outside, each name with its closing dot. */
export function openCluster(
  dialect: string,
  documents: readonly unknown[],
  names: ReadonlyMap<string, readonly Address[]> = new Map(),
): Opened {
  const opened = openDialect(dialect);
  if (opened === undefined) throw new Error(`no dialect ${dialect}`);
  const sources = documents.map((document, at) => ({ name: `${at}.json`, text: JSON.stringify(document) }));
  const engine = Engine.open(readDocuments(sources).documents, { dialect: opened, asCluster: true, names });
  const lab = planOf(engine.world, opened);
  return { engine, lab, compiled: rulesetOf(engine.policies, lab.population) };
}

/** One question to which the engine has a definite answer. */
export interface Point {
  readonly from: End;
  readonly to: End;
  readonly protocol: "TCP" | "UDP" | "SCTP" | "ICMP" | "ICMPv6";
  readonly port: number;
  readonly word: "allow" | "deny";
}

/** Every two ends that packets can go between, with every protocol and port of the scene; what is unsure is left out. */
export function* pointsOf(
  { engine, lab }: Opened,
  scene: Scene,
  isAsked: (end: End) => boolean = () => true,
): Generator<Point> {
  const ports = new Map(
    scene.flows.flatMap(({ protocol, port }) =>
      protocol === "VRRP" || port === undefined ? [] : [[`${protocol} ${port}`, { protocol, port }] as const],
    ),
  );
  const ends = endsOf(engine, lab, scene).filter(isAsked);
  for (const from of ends) {
    for (const to of ends) {
      if (from === to || from.family !== to.family || from.address === to.address) continue;
      if (from.endpoint === to.endpoint && from.endpoint.kind === "node") continue;
      if (from.endpoint.kind === "outside" && to.endpoint.kind === "outside") continue;
      const bounds = engine.connections.between(from.endpoint, to.endpoint);
      for (const { protocol, port } of ports.values()) {
        if (protocol === (from.family === "IPv4" ? "ICMPv6" : "ICMP")) continue;
        const word = pointVerdict(bounds, { family: from.family, protocol, port });
        if (word !== "unsure") yield { from, to, protocol, port, word };
      }
    }
  }
}
