import { Argument, Command, CommanderError, Option } from "commander";
import type { CommandSpec, OptionSpec } from "./command.ts";
import { EXIT_MISTAKE, EXIT_OK } from "./exit-code.ts";

export interface ProgramSettings {
  name: string;
  summary: string;
  version: string;
  commands: readonly CommandSpec[];
}

/**
 * Reads the command line and runs the command it names. Resolves with the exit code; help and
 * version are 0, a command line that cannot be read is 2. The only file that knows commander.
 */
export async function runProgram(
  settings: ProgramSettings,
  argv: readonly string[],
): Promise<number> {
  let exitCode = EXIT_OK;
  const program = new Command(settings.name)
    .description(settings.summary)
    .version(settings.version, "-v, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help for a command")
    .configureHelp({ showGlobalOptions: false })
    .showHelpAfterError(`(try ${settings.name} --help)`)
    .configureOutput({ outputError })
    .exitOverride();
  const setExitCode = (code: number): void => {
    exitCode = code;
  };
  for (const spec of settings.commands) {
    program.addCommand(commandOf(spec, settings.name, setExitCode));
  }
  if (argv.length === 0) {
    program.outputHelp();
    return EXIT_MISTAKE;
  }
  try {
    await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT_OK : EXIT_MISTAKE;
  }
  return exitCode;
}

/** Commander begins with "error:", and everything else here with the program's name. */
function outputError(text: string, write: (text: string) => void): void {
  write(text.replace(/^error: /, "gateward: "));
}

function commandOf(
  spec: CommandSpec,
  parent: string,
  setExitCode: (code: number) => void,
): Command {
  const path = `${parent} ${spec.name}`;
  const command = new Command(spec.name)
    .description(spec.summary)
    .helpOption("-h, --help", "print help")
    .addHelpText("after", `\n${spec.details.trim()}`)
    .showHelpAfterError(`(try ${path} --help)`)
    .configureOutput({ outputError })
    .exitOverride();
  if (spec.argument !== undefined) {
    command.addArgument(new Argument(spec.argument.form, spec.argument.summary));
  }
  for (const option of spec.options) command.addOption(optionOf(option));
  for (const inner of spec.commands ?? []) {
    command.addCommand(commandOf(inner, path, setExitCode));
  }
  if (spec.commands !== undefined) command.helpCommand(false);
  const { run } = spec;
  // Without it commander says which commands there are.
  if (run === undefined) return command;
  return command.action(async () => {
    setExitCode(await run({ argument: command.args[0], options: command.opts() }));
  });
}

function optionOf({ flags, summary, choices, default: value }: OptionSpec): Option {
  const option = new Option(flags, summary);
  if (choices !== undefined) option.choices(choices);
  if (value !== undefined) option.default(value);
  return option;
}
