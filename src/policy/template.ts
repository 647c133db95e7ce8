// HOT
import type { PolicyEnvironment } from "./environment.ts";
import type { Exchange } from "./exchange.ts";
import type { Expression } from "./expression.ts";
import type { Fact } from "./policy.ts";
import { parseTemplate, type TemplatePart } from "./template/parse-template.ts";
import { plainText } from "./template/plain-text.ts";
import { compileVariable, type ValueForm } from "./template/template-variables.ts";
import type { ValueEncoding } from "./template/value-encoding.ts";

/** A text with values of an exchange in it. docs/reference/templates.md says how one is written. */
export interface Template {
  /**
   * The text, each value made safe for its place; undefined where a value is missing or empty that has no
   * default. Allocates nothing beyond the result.
   */
  render(exchange: Exchange): string | undefined;
}

/**
 * Compiles what the schemas of policy/values/template.ts have checked.
 *
 * @throws Refusal for a text that is no template
 */
export function compileTemplate(
  source: string,
  encoding: ValueEncoding,
  environment: Pick<PolicyEnvironment, "clock" | "expression">,
): Template {
  const literals: string[] = [""];
  const values: Value[] = [];
  // cold: once per snapshot
  for (const part of parseTemplate(source, true)) {
    if (part.kind === "literal") {
      literals[literals.length - 1] += encoding.encode(part.text, "text");
    } else {
      values.push(compileValue(part, encoding, environment));
      literals.push("");
    }
  }
  return values.length === 0
    ? new ConstantTemplate(finished(literals[0]!, encoding))
    : new CompiledTemplate(literals, values, encoding);
}

/** What an earlier policy has to find out for these templates of a request. */
export function templateNeeds(sources: readonly string[]): readonly Fact[] {
  // cold: when a configuration is checked
  const asks = sources.some((source) => parseTemplate(source, true).some(asksForCaller));
  return asks ? ["identity"] : [];
}

function asksForCaller(part: TemplatePart): boolean {
  if (part.kind !== "variable" || part.fallback !== undefined) return false;
  return part.name.startsWith("identity.");
}

interface Value {
  readonly form: ValueForm;
  readonly read: (exchange: Exchange) => string | undefined;
  /** Made safe already. */
  readonly fallback: string | undefined;
}

function compileValue(
  part: Exclude<TemplatePart, { kind: "literal" }>,
  encoding: ValueEncoding,
  { clock, expression }: Pick<PolicyEnvironment, "clock" | "expression">,
): Value {
  if (part.kind === "expression") {
    const compiled = expression(part.text);
    // cold: once per snapshot
    return { form: "text", read: (exchange) => resultOf(compiled, exchange), fallback: undefined };
  }
  const { form, read } = compileVariable(part.name, clock);
  const { fallback } = part;
  return {
    form,
    read,
    fallback: fallback === undefined ? undefined : encoding.encode(fallback, "text"),
  };
}

/** Undefined where it fails. */
function resultOf(expression: Expression, exchange: Exchange): string | undefined {
  try {
    return plainText(expression.evaluate(exchange));
  } catch {
    return undefined;
  }
}

class ConstantTemplate implements Template {
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  render(): string {
    return this.text;
  }
}

/** A literal, a value, a literal, and so on; one more literal than values. */
class CompiledTemplate implements Template {
  private readonly literals: readonly string[];
  private readonly values: readonly Value[];
  private readonly encoding: ValueEncoding;

  constructor(literals: readonly string[], values: readonly Value[], encoding: ValueEncoding) {
    this.literals = literals;
    this.values = values;
    this.encoding = encoding;
  }

  render(exchange: Exchange): string | undefined {
    const { literals, values, encoding } = this;
    let text = literals[0]!;
    for (let index = 0; index < values.length; index++) {
      const { form, read, fallback } = values[index]!;
      const value = read(exchange);
      if (value !== undefined && value !== "") text += encoding.encode(value, form);
      else if (fallback !== undefined) text += fallback;
      else return undefined;
      text += literals[index + 1]!;
    }
    return finished(text, encoding);
  }
}

function finished(text: string, { finish }: ValueEncoding): string {
  return finish === undefined ? text : finish(text);
}
