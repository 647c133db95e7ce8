/** compile-expression: the text of a CEL expression becomes what policies ask of an exchange. */
import type { Clock } from "../environment.ts";
import type { Exchange } from "../exchange.ts";
import type { Expression } from "../expression.ts";
import { Refusal } from "../values/refusal.ts";
import {
  celLibrary,
  type CelEnv,
  type CelLibrary,
  type CelResult,
  type CelValue,
  type ParsedExpression,
} from "./cel-library.ts";
import { checkNames } from "./check-names.ts";
import { ExchangeVariables } from "./exchange-variables.ts";
import { ownFunctions } from "./functions.ts";

/** Longer ones are refused: they belong into a policy of its own. */
export const EXPRESSION_LENGTH_MAX = 4096;

/** Is told of an expression that failed on an exchange; `reason` may name what the client sent. */
export type ReportFailure = (text: string, reason: string) => void;

/** Compiles the expressions of one thread. The library is loaded with the first of them. */
export class Expressions {
  private readonly clock: Clock;
  private readonly report: ReportFailure;
  private variables: ExchangeVariables | null;

  constructor(clock: Clock, report: ReportFailure = () => {}) {
    this.clock = clock;
    this.report = report;
    this.variables = null;
  }

  /** @throws Refusal saying what is wrong with it */
  compile(text: string): Expression {
    const parsed = checkedExpression(text);
    const { cel } = celLibrary();
    const variables = (this.variables ??= new ExchangeVariables(this.clock));
    const run = cel.plan(environment(), parsed);
    const { report } = this;
    // Lists and maps look their members up when asked, so `read` has to be done with them before it returns.
    const ask = <Result>(exchange: Exchange, read: (value: CelResult) => Result): Result => {
      variables.look(exchange);
      try {
        return read(run(variables.bindings));
      } finally {
        variables.lookAway();
      }
    };
    const isTruth = (value: CelResult): boolean | undefined => {
      if (typeof value === "boolean") return value;
      report(text, cel.isCelError(value) ? value.message : "the result is neither true nor false");
      return undefined;
    };
    return {
      text,
      evaluate: (exchange) => ask(exchange, plainOrThrow),
      test: (exchange, otherwise = false) => ask(exchange, isTruth) ?? otherwise,
    };
  }
}

/** @throws Refusal saying what is wrong with the expression, and in which column. */
export function checkExpression(text: string): void {
  checkedExpression(text);
}

function checkedExpression(text: string): ParsedExpression {
  if (text.length > EXPRESSION_LENGTH_MAX) {
    const hint = `at most ${EXPRESSION_LENGTH_MAX} characters`;
    throw new Refusal(`the expression has ${text.length} characters`, hint);
  }
  const library = celLibrary();
  const parsed = parse(text, library);
  checkNames(parsed, environment(), library);
  return parsed;
}

function parse(text: string, { cel }: CelLibrary): ParsedExpression {
  try {
    return cel.parse(text);
  } catch (error) {
    throw new Refusal(`not an expression: ${syntaxMistake(text, error)}`, syntaxHint(text));
  }
}

/** The library's syntax error names its place. Anything else is an expression too deep to be parsed. */
function syntaxMistake(text: string, error: unknown): string {
  const { location } = error as { location?: { start: { offset: number } } };
  if (location === undefined) return "it is nested too deeply";
  const { offset } = location.start;
  if (offset >= text.length) return "it ends too early";
  return `${JSON.stringify(text.slice(offset, offset + 12))} at column ${offset + 1} does not fit`;
}

function syntaxHint(text: string): string {
  if (/[^=!<>]=[^=]/.test(text)) return "write == to compare";
  if (/\b(and|or|not)\b/i.test(text)) return "write &&, || and !";
  return "write CEL, like request.method == 'GET' && 'admin' in identity.roles";
}

let sharedEnvironment: CelEnv | undefined;

/** The functions that there are; the same for all expressions of a thread. */
function environment(): CelEnv {
  if (sharedEnvironment === undefined) {
    const library = celLibrary();
    const funcs = [...library.strings, ...ownFunctions(library)];
    sharedEnvironment = library.cel.celEnv({ funcs });
  }
  return sharedEnvironment;
}

function plainOrThrow(value: CelResult): unknown {
  if (celLibrary().cel.isCelError(value)) throw new Error(value.message);
  return plainValue(value);
}

/** Texts, numbers, booleans, null, lists and maps as JavaScript has them. @throws Error for anything else */
function plainValue(value: CelValue): unknown {
  const { cel } = celLibrary();
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null) return value;
  if (cel.isCelUint(value)) return Number(value.value);
  if (cel.isCelList(value)) return [...value].map(plainValue);
  if (cel.isCelMap(value)) {
    return new Map([...value].map(([key, one]) => [plainValue(key), plainValue(one)]));
  }
  throw new Error("the result is no plain value: make it a string");
}
