import { type Address, isInside, parseAddress, parsePrefix, rangeOf } from "../addresses.ts";
import { type Fields, fieldsOf, itemsOf, textOf } from "../values.ts";
import { Configuration, type Face, type Guess, numberOf, whole } from "./configuration.ts";
import { type Outcome, type Party, Walk } from "./walk.ts";

export type Verdict = "allow" | "deny" | "unsure" | "mixed";

/** One question about a VPC, in ids of the answers of AWS. */
export interface VpcFlow {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port?: number;
  readonly via?: string;
  readonly flow?: "reply";
  readonly clientPorts?: { readonly first: number; readonly last: number };
  readonly family?: "IPv4" | "IPv6";
  /** Host and path of a request, for the rules of a listener. */
  readonly http?: { readonly host?: string; readonly path: string; readonly method: string };
}

interface Client {
  readonly first: number;
  readonly last: number;
}

const SERVER: Client = { first: 32768, last: 60999 };
const SERVICE: Client = { first: 1024, last: 65535 };

/** The most guesses that are tried both ways for one packet. */
const MOST_GUESSES = 10;

const RESERVED = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "224.0.0.0/3",
].flatMap((text) => parsePrefix(text) ?? []);
const GLOBAL_SIX = parsePrefix("2000::/3");

/**
 * The reference evaluator of a VPC: plain answers of `describe-*` in, one packet and its reply walked hop by hop. It
 * shares nothing with the engine it is compared with.
 */
export class VpcReference {
  private readonly c: Configuration;
  private readonly ports: readonly number[];
  private readonly world: readonly Address[];

  constructor(input: unknown) {
    this.c = new Configuration(input);
    this.ports = this.portEdges();
    this.world = this.samples();
  }

  ask(flow: VpcFlow): Verdict {
    const protocol = numberOf(flow.protocol);
    const from = this.parties(flow.from);
    const to = this.parties(flow.to);
    const verdicts: Verdict[] = [];
    for (const a of from) {
      for (const b of to) {
        if (a.address.family !== b.address.family) continue;
        if (flow.family !== undefined && a.address.family !== flow.family) continue;
        if ((protocol === 1 && a.address.family === "IPv6") || (protocol === 58 && a.address.family === "IPv4"))
          continue;
        if (flow.via !== undefined) verdicts.push(...this.balanced(flow, a, b, protocol));
        else if (flow.flow === "reply") verdicts.push(this.pair(b, a, protocol, flow.port, "reply", flow.clientPorts));
        else verdicts.push(this.pair(a, b, protocol, flow.port, "both"));
      }
    }
    return together(verdicts);
  }

  // ── ends ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  private parties(name: string): readonly Party[] {
    if (name === "internet") return this.world.map((address) => ({ address }));
    if (name.startsWith("ip:")) return this.at(name.slice(3));
    const faces = this.c.faces().filter((f) => f.owner === name || f.id === name);
    return faces.flatMap((face) => this.ofFace(face));
  }

  private ofFace(face: Face): readonly Party[] {
    const seen = new Set<string>();
    return face.addresses.flatMap((address) => {
      if (seen.has(address.family)) return [];
      seen.add(address.family);
      return [{ address, face, subnet: face.subnet }];
    });
  }

  private at(text: string): readonly Party[] {
    const address = parseAddress(text);
    if (address === undefined) return [];
    const faces = this.c
      .faces()
      .filter((f) => f.addresses.some((a) => a.family === address.family && a.value === address.value));
    if (faces.length > 0) return faces.map((face) => ({ address, face, subnet: face.subnet }));
    const subnet = this.c.subnetAt(undefined, address);
    return [subnet === undefined ? { address } : { address, subnet }];
  }

  private clientOf(party: Party): Client {
    if (party.face?.kind === "balancer" || party.face?.kind === "nat") return SERVICE;
    return party.subnet === undefined ? SERVICE : SERVER;
  }

  /** Public addresses on either side of every prefix that the input names. */
  private samples(): readonly Address[] {
    const own = this.c.list("Vpcs").flatMap((v) => this.c.vpcCidrs(textOf(v.VpcId) ?? ""));
    const found = new Map<string, Address>();
    const take = (address: Address): void => {
      const isPublic =
        address.family === "IPv4"
          ? !RESERVED.some((r) => isInside(address, r))
          : GLOBAL_SIX !== undefined && isInside(address, GLOBAL_SIX);
      if (!isPublic || own.some((cidr) => isInside(address, cidr))) return;
      found.set(`${address.family} ${address.value}`, address);
    };
    for (const text of ["203.0.113.10", "8.8.8.8", "2600:1f18::1"]) {
      const address = parseAddress(text);
      if (address !== undefined) take(address);
    }
    for (const text of this.c.texts()) {
      const prefix = parsePrefix(text);
      if (prefix === undefined) continue;
      const { family, first, last } = rangeOf(prefix);
      const most = (1n << (family === "IPv4" ? 32n : 128n)) - 1n;
      for (const value of [first, last, first - 1n, last + 1n])
        if (value >= 0n && value <= most) take({ family, value });
    }
    return [...found.values()];
  }

  /** Ports on either side of every range that an ACL names. */
  private portEdges(): readonly number[] {
    const out = new Set<number>();
    for (const acl of this.c.list("NetworkAcls")) {
      for (const entry of itemsOf(acl.Entries).map(fieldsOf)) {
        const range = fieldsOf(entry.PortRange);
        for (const edge of [whole(range.From), whole(range.To)]) {
          if (edge !== undefined) for (const port of [edge - 1, edge, edge + 1]) out.add(port);
        }
      }
    }
    return [...out];
  }

  private clientPorts(client: Client): readonly number[] {
    const within = this.ports.filter((p) => client.first <= p && p <= client.last);
    return [...new Set([client.first, client.last, ...within])];
  }

  // ── one pair ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Request and reply over every client port that may matter; what is not known is tried both ways. */
  private pair(
    from: Party,
    to: Party,
    protocol: number,
    port: number | undefined,
    part: "both" | "reply",
    ports?: Client,
  ): Verdict {
    return this.guessed((guess) => {
      const walk = new Walk(this.c, guess);
      const hasPorts = protocol === 6 || protocol === 17;
      const own = hasPorts ? this.clientPorts(ports ?? this.clientOf(from)) : [0];
      const nat = hasPorts ? this.clientPorts(SERVICE) : [0];
      const first = walk.connection(from, to, protocol, port, own[0] ?? 0, nat[0] ?? 0);
      if (part === "both" && !first.request.passes) return "deny";
      let passed = 0;
      let failed = 0;
      const count = (outcome: Outcome): void => {
        if (outcome.passes) passed++;
        else failed++;
      };
      for (const a of own) for (const b of nat) count(walk.connection(from, to, protocol, port, a, b).reply);
      return failed === 0 ? "allow" : passed === 0 ? "deny" : "mixed";
    });
  }

  private guessed(evaluate: (guess: Guess) => Verdict): Verdict {
    const verdicts = new Set<Verdict>();
    const explore = (assumed: ReadonlyMap<string, boolean>): void => {
      const open: string[] = [];
      const verdict = evaluate((question) => {
        const known = assumed.get(question);
        if (known !== undefined) return known;
        if (!open.includes(question)) open.push(question);
        return false;
      });
      const [next] = open;
      if (next === undefined || assumed.size >= MOST_GUESSES) {
        verdicts.add(verdict);
        return;
      }
      explore(new Map([...assumed, [next, true]]));
      explore(new Map([...assumed, [next, false]]));
    };
    explore(new Map());
    const [only] = verdicts;
    return verdicts.size === 1 && only !== undefined ? only : "unsure";
  }

  // ── load balancers ────────────────────────────────────────────────────────────────────────────────────────────────

  /** The client's connection to each interface of the load balancer, then one from there to the target (ORD-4). */
  private balanced(flow: VpcFlow, client: Party, target: Party, protocol: number): readonly Verdict[] {
    const name = flow.via ?? "";
    const faces = this.c.faces().filter((f) => f.owner === name);
    return faces.flatMap((face) =>
      this.ofFace(face).flatMap((via) => {
        if (via.address.family !== client.address.family) return [];
        const first = this.pair(client, via, protocol, flow.port, "both");
        const ways = this.targets(name, flow, client, target);
        if (ways === "unsure") return [worst([first, "unsure"])];
        if (ways.length === 0) return ["deny" as const];
        return ways.map((way) => worst([first, this.toTarget(name, client, via, target, way)]));
      }),
    );
  }

  private toTarget(balancer: string, client: Party, via: Party, target: Party, way: Way): Verdict {
    const type = this.c.list("LoadBalancers").find((b) => b.LoadBalancerArn === balancer)?.Type;
    const protocol = way.protocol === "UDP" || way.protocol === "TCP_UDP-UDP" ? 17 : 6;
    const keeps = type === "network" && way.keeps;
    const connection = keeps
      ? this.preserved(client, via, target, protocol, way.port)
      : this.pair(via, target, protocol, way.port, "both");
    const at = way.healthPort ?? way.port;
    if (at === way.port && !keeps) return connection;
    const health = this.pair(via, target, 6, at, "both");
    if (health === "allow") return connection;
    if (health !== "deny") return worst([connection, "unsure"]);
    if (type !== "application") return "deny";
    const all = way.others.flatMap((id) => this.parties(parseAddress(id) === undefined ? id : `ip:${id}`));
    const failing = all
      .filter((other) => other.address.family === via.address.family)
      .every((other) => this.pair(via, other, 6, at, "both") === "deny");
    return failing ? connection : "deny";
  }

  /** A connection whose packets keep the client's address (LB-7). */
  private preserved(client: Party, via: Party, target: Party, protocol: number, port: number): Verdict {
    if (client.face !== undefined && client.face.id === target.face?.id) return "deny";
    return this.guessed((guess) => {
      const walk = new Walk(this.c, guess);
      const seen = { protocol, source: client.address, destination: target.address, port };
      const groups = via.face?.groups ?? [];
      const crosses = via.subnet !== target.subnet;
      const steps: Outcome[] = [
        walk.groups(via.face, target.face, seen, true, true, target.address),
        ...(crosses && via.subnet !== undefined ? [walk.aclCheck(via.subnet, seen, true)] : []),
        ...(crosses && target.subnet !== undefined ? [walk.aclCheck(target.subnet, seen, false)] : []),
        walk.groups(target.face, client.face, seen, false, client.face !== undefined, client.address, groups),
      ];
      if (steps.some((s) => !s.passes)) return "deny";
      if (!crosses) return "allow";
      let passed = 0;
      let failed = 0;
      for (const back of this.clientPorts(this.clientOf(client))) {
        const reply = { protocol, source: target.address, destination: client.address, port: back };
        const out = target.subnet === undefined || walk.aclCheck(target.subnet, reply, true).passes;
        const into = via.subnet === undefined || walk.aclCheck(via.subnet, reply, false).passes;
        if (out && into) passed++;
        else failed++;
      }
      return failed === 0 ? "allow" : passed === 0 ? "deny" : "mixed";
    });
  }

  private targets(balancer: string, flow: VpcFlow, client: Party, target: Party): readonly Way[] | "unsure" {
    const out: Way[] = [];
    let unsure = false;
    const wanted = numberOf(flow.protocol) === 17 ? "UDP" : "TCP";
    const classic = this.c.list("LoadBalancerDescriptions").find((b) => b.LoadBalancerName === balancer);
    for (const description of itemsOf(classic?.ListenerDescriptions)) {
      const listener = fieldsOf(fieldsOf(description).Listener);
      if (whole(listener.LoadBalancerPort) !== flow.port) continue;
      const ids = itemsOf(classic?.Instances).flatMap((i) => textOf(fieldsOf(i).InstanceId) ?? []);
      const health = whole(/:(\d+)/.exec(textOf(fieldsOf(classic?.HealthCheck).Target) ?? "")?.[1]);
      if (target.face !== undefined && ids.includes(target.face.owner)) {
        out.push({
          port: whole(listener.InstancePort) ?? 0,
          protocol: "TCP",
          keeps: false,
          healthPort: health,
          others: ids,
        });
      }
    }
    for (const listener of this.c.list("Listeners")) {
      if (listener.LoadBalancerArn !== balancer || whole(listener.Port) !== flow.port) continue;
      const name = String(listener.Protocol).toUpperCase();
      const carries = name === "TCP_UDP" || (name === "UDP") === (wanted === "UDP");
      if (!carries) continue;
      for (const arn of this.forwards(listener, flow, client)) {
        const group = this.c.list("TargetGroups").find((g) => g.TargetGroupArn === arn);
        const health = this.c.health(arn);
        if (group === undefined || health === undefined) {
          unsure = true;
          continue;
        }
        for (const { Target } of health) {
          const id = textOf(fieldsOf(Target).Id) ?? "";
          const address = parseAddress(id);
          const isIt =
            address === undefined
              ? id === target.face?.owner
              : address.family === target.address.family && address.value === target.address.value;
          if (!isIt) continue;
          const protocol = String(group.Protocol).toUpperCase();
          const given = this.c.attribute(arn, "preserve_client_ip.enabled");
          const always = protocol === "UDP" || protocol === "TCP_UDP";
          const way: Way = {
            port: whole(fieldsOf(Target).Port) ?? whole(group.Port) ?? 0,
            protocol: protocol === "TCP_UDP" && wanted === "UDP" ? "UDP" : protocol,
            keeps: always || (given === undefined ? group.TargetType === "instance" : given === "true"),
            healthPort: whole(group.HealthCheckPort),
            others: health.flatMap((h) => textOf(fieldsOf(h.Target).Id) ?? []),
          };
          if (!out.some((w) => w.port === way.port && w.keeps === way.keeps && w.protocol === way.protocol))
            out.push(way);
        }
      }
    }
    return out.length === 0 && unsure ? "unsure" : out;
  }

  /** The target groups of every rule that can hold, in order, and of the default (LB-4). */
  private forwards(listener: Fields, flow: VpcFlow, client: Party): readonly string[] {
    const arn = textOf(listener.ListenerArn) ?? "";
    const rules = this.c
      .list("Rules")
      .filter(
        (r) =>
          textOf(r.RuleArn)?.startsWith(`${arn.replace(":listener/", ":listener-rule/")}/`) === true &&
          whole(r.Priority) !== undefined,
      )
      .sort((a, b) => (whole(a.Priority) ?? 0) - (whole(b.Priority) ?? 0));
    const out: string[] = [];
    for (const rule of rules) {
      const holds = itemsOf(rule.Conditions).map((c) => this.condition(fieldsOf(c), flow, client));
      if (holds.includes("no")) continue;
      out.push(...groupsOf(rule.Actions));
      if (holds.every((h) => h === "yes")) return out;
    }
    return [...out, ...groupsOf(listener.DefaultActions)];
  }

  private condition(condition: Fields, flow: VpcFlow, client: Party): "yes" | "no" | "maybe" {
    const config = ["HostHeaderConfig", "PathPatternConfig", "HttpRequestMethodConfig", "SourceIpConfig"]
      .map((k) => fieldsOf(condition[k]))
      .find((c) => c.Values !== undefined);
    const values = itemsOf(condition.Values ?? config?.Values).filter((v) => typeof v === "string");
    const any = (test: (value: string) => boolean): "yes" | "no" => (values.some(test) ? "yes" : "no");
    if (condition.Field === "source-ip") return any((v) => holdsAddress(v, client.address));
    if (flow.http === undefined) return "maybe";
    const { host, path, method } = flow.http;
    if (condition.Field === "host-header")
      return host === undefined ? "maybe" : any((v) => like(v.toLowerCase(), host.toLowerCase()));
    if (condition.Field === "path-pattern") return any((v) => like(v, path.split("?")[0] ?? ""));
    if (condition.Field === "http-request-method") return any((v) => v === method);
    return "maybe";
  }
}

interface Way {
  readonly port: number;
  readonly protocol: string;
  readonly keeps: boolean;
  readonly healthPort: number | undefined;
  readonly others: readonly string[];
}

function groupsOf(actions: unknown): readonly string[] {
  return itemsOf(actions)
    .map(fieldsOf)
    .filter((a) => a.Type === "forward")
    .flatMap((a) => {
      const weighted = itemsOf(fieldsOf(a.ForwardConfig).TargetGroups).map(fieldsOf);
      const chosen = weighted.filter((g) => whole(g.Weight) !== 0).flatMap((g) => textOf(g.TargetGroupArn) ?? []);
      return weighted.length > 0 ? chosen : (textOf(a.TargetGroupArn) ?? []);
    });
}

function holdsAddress(text: string, address: Address): boolean {
  const prefix = parsePrefix(text);
  return prefix !== undefined && isInside(address, prefix);
}

/** `*` and `?` as a listener reads them, letter by letter. */
function like(pattern: string, text: string): boolean {
  if (pattern === "") return text === "";
  const [head = ""] = pattern;
  const rest = pattern.slice(1);
  if (head === "*") return like(rest, text) || (text !== "" && like(pattern, text.slice(1)));
  return text !== "" && (head === "?" || head === text[0]) && like(rest, text.slice(1));
}

/** All must pass. */
function worst(verdicts: readonly Verdict[]): Verdict {
  for (const verdict of ["deny", "unsure", "mixed"] as const) if (verdicts.includes(verdict)) return verdict;
  return "allow";
}

/** One verdict where all share it. */
function together(verdicts: readonly Verdict[]): Verdict {
  const set = new Set(verdicts);
  const [only] = set;
  if (only === undefined) return "deny";
  if (set.size === 1) return only;
  if (set.has("allow") && set.has("deny")) return "mixed";
  return set.has("unsure") ? "unsure" : "mixed";
}
