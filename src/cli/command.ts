/** An option of a command, as it is shown in its help. */
export interface OptionSpec {
  /** `--config <file>`, `-c, --config <file>` or `--strict`. */
  flags: string;
  summary: string;
  /** The only values there are. */
  choices?: readonly string[];
  default?: string;
}

/** One command of the command line. Its code is loaded when it runs, so that help is quick. */
export interface CommandSpec {
  name: string;
  summary: string;
  /** `[file]` and what it is. */
  argument?: { form: string; summary: string };
  options: readonly OptionSpec[];
  /** Shown below the options: examples, exit codes. */
  details: string;
  /** What may stand behind its name, where it does nothing by itself. */
  commands?: readonly CommandSpec[];
  /** Resolves with the exit code. */
  run?(invocation: Invocation): Promise<number>;
}

/** What stood behind the command's name. */
export interface Invocation {
  argument: string | undefined;
  /** By the long name in camel case: `--print` is `print`. */
  options: Readonly<Record<string, string | boolean | undefined>>;
}

/** An option that takes a value; undefined when it was not given. */
export function valueOf({ options }: Invocation, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}
