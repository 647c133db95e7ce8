/** check-names: what can be known to be wrong with an expression before any request comes. */
import { parseCidr } from "../values/cidr.ts";
import { suggestion } from "../values/did-you-mean.ts";
import { Refusal } from "../values/refusal.ts";
import type { CelEnv, CelLibrary, ExpressionNode, ParsedExpression } from "./cel-library.ts";
import { IN_RANGE, MATCHES } from "./functions.ts";
import { ANY, variableNames, type LEAF, type Members } from "./variable-names.ts";

/** Macros within macros: the time they take is the product of what they go through. */
const NESTED_MACROS_MAX = 2;

const MACROS = ["has", "all", "exists", "exists_one", "filter", "map"];
/** Names of types are values: `type(x) == string`. */
const TYPES = new Set([
  ...["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"],
  ...["google.protobuf.Timestamp", "google.protobuf.Duration", "google"],
]);
/** Written as operators, not called by name. */
const OPERATOR = /^[@!-]|^_\W/;

/**
 * Goes through the whole expression.
 *
 * @throws Refusal for a variable, a member or a function that there is not, for a pattern or an address
 *   range that is none
 */
export function checkNames(parsed: ParsedExpression, env: CelEnv, library: CelLibrary): void {
  new NameCheck(parsed, env, library).check(parsed.expr, [], 0);
}

class NameCheck {
  private readonly positions: Readonly<Record<string, number>>;
  private readonly env: CelEnv;
  private readonly library: CelLibrary;

  constructor(parsed: ParsedExpression, env: CelEnv, library: CelLibrary) {
    this.positions = parsed.sourceInfo?.positions ?? {};
    this.env = env;
    this.library = library;
  }

  /** @param locals names that macros around it bind */
  check(node: ExpressionNode | undefined, locals: readonly string[], depth: number): void {
    const kind = node?.exprKind;
    switch (kind?.case) {
      case "identExpr":
      case "selectExpr":
        this.membersOf(node!, locals, depth);
        return;
      case "callExpr":
        this.checkCall(node!, locals, depth);
        return;
      case "listExpr":
        for (const element of kind.value.elements) this.check(element, locals, depth);
        return;
      case "structExpr":
        this.checkStruct(node!, locals, depth);
        return;
      case "comprehensionExpr":
        this.checkMacro(node!, locals, depth);
        return;
      case "constExpr":
      case undefined:
    }
  }

  /** What is below a name; ANY where that is not known. */
  private membersOf(
    node: ExpressionNode,
    locals: readonly string[],
    depth: number,
  ): Members | typeof ANY | typeof LEAF {
    const { exprKind } = node;
    if (exprKind.case === "identExpr") {
      const { name } = exprKind.value;
      if (locals.includes(name) || TYPES.has(name)) return ANY;
      return this.memberOf(variableNames, name, `there is no variable ${quoted(name)}`, node);
    }
    if (exprKind.case === "selectExpr") {
      const { operand, field } = exprKind.value;
      const above = operand === undefined ? ANY : this.membersOf(operand, locals, depth);
      if (typeof above === "string") return ANY;
      const message = `${shown(operand!)} has no member ${quoted(field)}`;
      return this.memberOf(above, field, message, node);
    }
    this.check(node, locals, depth);
    return ANY;
  }

  private memberOf(members: Members, name: string, message: string, node: ExpressionNode) {
    if (Object.hasOwn(members, name)) return members[name]!;
    throw this.refusal(node, message, suggestion(name, Object.keys(members)));
  }

  private checkCall(node: ExpressionNode, locals: readonly string[], depth: number): void {
    if (node.exprKind.case !== "callExpr") return;
    const { function: name, target, args } = node.exprKind.value;
    if (!OPERATOR.test(name) && this.env.funcs.find(name) === undefined) {
      const known = [...MACROS, ...this.functionNames()];
      const isMacro = MACROS.includes(name);
      throw this.refusal(
        node,
        isMacro ? `${name}() is not called like this` : `there is no function ${quoted(name)}`,
        isMacro ? "has(a.b), list.exists(one, condition)" : suggestion(name, known),
      );
    }
    if (target !== undefined) this.check(target, locals, depth);
    for (const arg of args) this.check(arg, locals, depth);
    const last = args.at(-1);
    if (last === undefined) return;
    if (name === MATCHES) this.checkPattern(last);
    if (name === IN_RANGE) this.checkRanges(last);
  }

  private functionNames(): string[] {
    const names = [...this.env.funcs].map(({ name }) => name);
    return [...new Set(names)].filter((name) => !OPERATOR.test(name));
  }

  private checkPattern(node: ExpressionNode): void {
    const pattern = constantText(node);
    if (pattern === undefined) return;
    try {
      this.library.compilePattern(pattern);
    } catch (error) {
      const reason = error instanceof Error ? error.message : "";
      throw this.refusal(node, `${quoted(pattern)} is not a pattern of RE2`, reason);
    }
  }

  private checkRanges(node: ExpressionNode): void {
    const { exprKind } = node;
    if (exprKind.case === "listExpr") {
      for (const element of exprKind.value.elements) this.checkRanges(element);
    }
    const range = constantText(node);
    if (range === undefined) return;
    try {
      parseCidr(range);
    } catch (error) {
      if (error instanceof Refusal) throw this.refusal(node, error.message, error.hint);
      throw error;
    }
  }

  private checkStruct(node: ExpressionNode, locals: readonly string[], depth: number): void {
    if (node.exprKind.case !== "structExpr") return;
    for (const { keyKind, value } of node.exprKind.value.entries) {
      if (keyKind.case === "mapKey") this.check(keyKind.value, locals, depth);
      this.check(value, locals, depth);
    }
  }

  private checkMacro(node: ExpressionNode, locals: readonly string[], depth: number): void {
    if (node.exprKind.case !== "comprehensionExpr") return;
    if (depth === NESTED_MACROS_MAX) {
      const message = "macros (exists, all, map, filter) are nested too deeply";
      throw this.refusal(node, message, `at most ${NESTED_MACROS_MAX} levels`);
    }
    const { value } = node.exprKind;
    this.check(value.iterRange, locals, depth);
    this.check(value.accuInit, locals, depth);
    const bound = [...locals, value.iterVar, value.iterVar2, value.accuVar];
    this.check(value.loopCondition, bound, depth + 1);
    this.check(value.loopStep, bound, depth + 1);
    this.check(value.result, bound, depth);
  }

  private refusal(node: ExpressionNode, message: string, hint?: string): Refusal {
    const offset = this.positions[String(node.id)];
    return new Refusal(
      offset === undefined ? message : `${message}, at column ${offset + 1}`,
      hint,
    );
  }
}

function constantText({ exprKind }: ExpressionNode): string | undefined {
  if (exprKind.case !== "constExpr") return undefined;
  const { constantKind } = exprKind.value;
  return constantKind.case === "stringValue" ? constantKind.value : undefined;
}

function shown({ exprKind }: ExpressionNode): string {
  if (exprKind.case === "identExpr") return exprKind.value.name;
  if (exprKind.case !== "selectExpr") return "this";
  const { operand, field } = exprKind.value;
  return operand === undefined ? field : `${shown(operand)}.${field}`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
