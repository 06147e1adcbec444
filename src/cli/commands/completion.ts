/** `bulkhead completion`: scripts for bash, zsh and fish; the words come from the program itself, endpoints from the input. */
import type { Argument, Command } from "commander";
import { readDocuments } from "../../documents/reader.ts";
import { loadInput } from "../../files/input.ts";
import { allCodes } from "../../lint/catalogue.ts";
import { buildWorld } from "../../model/build.ts";
import { readProjectConfiguration } from "../configuration.ts";
import { inputFailure } from "../exit.ts";
import { writeAnswer } from "../terminal.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `_bulkhead() {
  local word words
  words=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
  word="\${COMP_WORDS[COMP_CWORD]}"
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(bulkhead __complete -- "\${words[@]}" 2>/dev/null)" -- "$word"))
  if [ \${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$word")); fi
}
complete -o filenames -F _bulkhead bulkhead
`,
  zsh: `#compdef bulkhead
_bulkhead() {
  local -a found names
  found=(\${(f)"$(bulkhead __complete -- "\${(@)words[2,CURRENT-1]}" 2>/dev/null)"})
  if (( \${#found} )); then compadd -a found; fi
  # Where names may stand, files may not.
  names=(\${found:#-*})
  if (( ! \${#names} )); then _files; fi
}
if [ "$funcstack[1]" = _bulkhead ]; then _bulkhead "$@"; else compdef _bulkhead bulkhead; fi
`,
  fish: `function __bulkhead_complete
    set -l words (commandline -opc)
    bulkhead __complete -- $words[2..-1] 2>/dev/null
end
function __bulkhead_named
    string match -qv -- '-*' (__bulkhead_complete)
end
complete -c bulkhead -f -n __bulkhead_named
complete -c bulkhead -a '(__bulkhead_complete)'
`,
};

/** Names of the contract that are always there. */
const ALWAYS = ["internet", "host", "remote-node", "kube-apiserver", "ingress-controller"];

/** Flags and arguments that take an endpoint. */
const ENDPOINT_FLAGS = new Set(["--from", "--to", "--ingress-controller"]);
const ENDPOINT_ARGUMENTS = new Set(["endpoint", "from", "to"]);

export function addCompletion(program: Command): void {
  program
    .command("completion")
    .description("a script that completes commands, flags and the endpoints of the input")
    .argument("<shell>", SHELLS.join(", "))
    .addHelpText(
      "after",
      `
Examples:
  source <(bulkhead completion bash)
  bulkhead completion zsh > "\${fpath[1]}/_bulkhead"
  bulkhead completion fish > ~/.config/fish/completions/bulkhead.fish`,
    )
    .action(async (text: string) => {
      const shell = SHELLS.find((one) => one === text);
      if (shell === undefined) throw inputFailure(`there is no script for ${text}`, `Shells: ${SHELLS.join(", ")}.`);
      await writeAnswer([SCRIPTS[shell]]);
    });
  program
    .command("__complete", { hidden: true })
    .argument("[words...]")
    .allowUnknownOption()
    .action(async (words: string[]) =>
      writeAnswer([
        candidates(program, words)
          .map((one) => `${one}\n`)
          .join(""),
      ]),
    );
}

/** What may come after the words. */
export function candidates(program: Command, words: readonly string[]): readonly string[] {
  let command = program;
  const rest = [...words];
  for (let next = rest[0]; next !== undefined; next = rest[0]) {
    const found = command.commands.find((one) => one.name() === next);
    if (found === undefined) break;
    command = found;
    rest.shift();
  }
  const last = rest.at(-1);
  if (last !== undefined && last.startsWith("-")) {
    const option = command.options.find((one) => one.long === last || one.short === last);
    if (option !== undefined && ENDPOINT_FLAGS.has(option.long ?? "")) return endpoints(rest);
    if (option?.argChoices !== undefined) return option.argChoices;
    // Whatever else a flag takes, most are files: the shell knows those.
    if (option !== undefined && (option.required || option.optional)) return [];
  }
  const subcommands = command.commands.map((one) => one.name()).filter((name) => !name.startsWith("__"));
  const flags = command.options
    .flatMap((option) => (option.hidden ? [] : [option.long ?? ""]))
    .filter((flag) => flag !== "");
  const positional = positionals(command, rest);
  const argument = command.registeredArguments[positional];
  const named = argument === undefined ? [] : valuesOf(argument, rest);
  return [...subcommands, ...named, ...flags];
}

/** What may stand for an argument: endpoints, the codes of findings, or its choices. */
function valuesOf(argument: Argument, words: readonly string[]): readonly string[] {
  if (ENDPOINT_ARGUMENTS.has(argument.name())) return endpoints(words);
  return argument.name() === "code" ? allCodes() : (argument.argChoices ?? []);
}

/** How many arguments are given already. */
function positionals(command: Command, words: readonly string[]): number {
  let count = 0;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (!word.startsWith("-")) count++;
    else {
      const option = command.options.find((one) => one.long === word || one.short === word);
      if (option !== undefined && (option.required || option.optional)) i++;
    }
  }
  return count;
}

/** The endpoints and Services of the input that the words, or the configuration, name. */
function endpoints(words: readonly string[]): readonly string[] {
  const named = words.flatMap((word, i) => (word === "-f" || word === "--filename" ? [words[i + 1] ?? ""] : []));
  const configured = readProjectConfiguration().flags.get("filename");
  const files = named.length > 0 ? named : Array.isArray(configured) ? configured.map(String) : [];
  // Standard input belongs to the shell.
  const paths = files.filter((path) => path !== "" && path !== "-");
  if (paths.length === 0) return ALWAYS;
  const { sources } = loadInput(paths, { recursive: words.includes("-R") || words.includes("--recursive") });
  const { world } = buildWorld(readDocuments(sources).documents);
  const short = world.workloads.map((workload) => `${workload.namespace}/${workload.name}`);
  const services = world.services.map((service) => `${service.namespace}/Service/${service.name}`);
  return [...new Set([...short, ...services]), ...ALWAYS];
}
