/** `bulkhead demo`: the founding story with packets. */
import { join } from "node:path";
import { Argument, type Command } from "commander";
import type { Fault } from "../../lab/answers.ts";
import { demoJson } from "../demo/demo-json.ts";
import { cutOff, type Played, play } from "../demo/play.ts";
import { openStory, type Story, type StoryName } from "../demo/story.ts";
import { type NextSteps, tellStory } from "../demo/tell.ts";
import { EXIT } from "../exit.ts";
import type { Pair } from "../lab/comparison.ts";
import { type OutputFlags, withOutput } from "../options.ts";
import { styleFor, writeAnswer } from "../terminal.ts";
import { INSTALLATION, runUnprivileged, shownPath } from "../unprivileged.ts";

const EXAMPLE = "examples/two-applications";

type DemoFlags = OutputFlags<"text" | "json">;

export function addDemo(program: Command): void {
  const command = program
    .command("demo")
    .description("the founding story, with real packets where the machine can")
    .addHelpText(
      "after",
      `
Examples:
  bulkhead demo
  bulkhead demo http
  bulkhead demo -o json`,
    )
    .addArgument(new Argument("[story]", "which story").choices(["policy", "http", "all"]).default("policy"));
  withOutput(command, ["text", "json"]).action(async (name: StoryName) => run(name, command.opts<DemoFlags>()));
}

async function run(name: StoryName, flags: DemoFlags): Promise<void> {
  const code = await runUnprivileged();
  if (code !== undefined) {
    process.exitCode = code;
    return;
  }
  const story = openStory(join(INSTALLATION, EXAMPLE), INSTALLATION, name);
  const fault = seededFault();
  const played = await play(story, fault === undefined ? {} : { fault });
  await writeAnswer(flags.output === "json" ? demoJson(played) : tell(story, played, flags));
  process.exitCode = played.obstacle !== null ? EXIT.environment : played.agree ? EXIT.fine : EXIT.found;
}

function tell(story: Story, played: Played, flags: DemoFlags): Iterable<string> {
  return tellStory(
    story,
    played,
    played.attacker === null ? requestSteps(played) : nextSteps(played),
    styleFor(process.stdout, flags.color),
  );
}

/** Three commands that work as printed, from the folder in which the demo was called. */
function nextSteps(played: Played): NextSteps {
  const example = shownPath(join(INSTALLATION, EXAMPLE), process.cwd()) || ".";
  const policies = `${example}/policies/cilium`;
  const asked = cutOff(played.chapters) ?? played.chapters[0]?.pairs[0];
  if (asked === undefined) return { commands: [] };
  const { why, exec } = questions(asked.pair);
  return {
    commands: [
      {
        line: `${why} -f ${example} -f ${policies}`,
        what: "every policy and rule that was considered",
      },
      { line: `npx bulkhead reach ${example} ${policies}`, what: "who reaches whom, and what decides it" },
      {
        line: `npx bulkhead lab up -f ${example} && ${exec}/`,
        what: "a lab that stays; npx bulkhead lab down ends it",
      },
    ],
  };
}

/** A pair asked of the engine, and of a running lab up to the path. */
function questions({ asker, target }: Pair): { readonly why: string; readonly exec: string } {
  const { namespace, name } = asker.workload ?? { namespace: "", name: asker.name };
  const [space, service = ""] = target.service?.split("/") ?? [];
  const host = `${service}${space === namespace ? "" : `.${space ?? ""}`}${target.port === 80 ? "" : `:${target.port}`}`;
  return {
    why: `npx bulkhead why ${asker.name} ${target.name} --port ${target.port}/${target.protocol}`,
    exec: `npx bulkhead lab exec ${namespace}/${name} -- curl -s http://${host}`,
  };
}

/** The same of the first request that is refused. */
function requestSteps({ chapters }: Played): NextSteps {
  const example = shownPath(join(INSTALLATION, EXAMPLE), process.cwd()) || ".";
  const policies = `${example}/http`;
  const refused = chapters.flatMap(({ requests }) => requests).find(({ predicted }) => predicted.verdict === "deny");
  const last = chapters.at(-1)?.requests.find(({ pair, predicted }) => {
    return predicted.verdict === "deny" && pair.asker.name !== refused?.pair.asker.name;
  });
  if (last === undefined) return { commands: [] };
  const { why, exec } = questions(last.pair);
  const { method, path } = last.request;
  return {
    commands: [
      {
        line: `${why} --http "${method} ${path}" -f ${example} -f ${policies}`,
        what: "which rules for requests there are, and on what this one fails",
      },
      {
        line: `npx bulkhead lab up -f ${example} -f ${policies} && ${exec}${path}`,
        what: "a lab that stays; npx bulkhead lab flows shows each request, npx bulkhead lab down ends it",
      },
    ],
  };
}

/** A fault that a test seeds, `pass FROM TO` or `drop FROM TO`, to see that the demo notices. */
function seededFault(): Fault | undefined {
  const [kind, from, to] = (process.env.BULKHEAD_DEMO_FAULT ?? "").split(" ");
  if ((kind !== "pass" && kind !== "drop") || from === undefined || to === undefined) return undefined;
  return { kind, from, to };
}
