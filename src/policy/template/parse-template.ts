/** parse-template: the text of a template becomes a list of literals, variables and expressions. */
import { checkExpression } from "../expressions/compile-expression.ts";
import { Refusal } from "../values/refusal.ts";
import { checkVariable } from "./template-variables.ts";

export type TemplatePart =
  | { readonly kind: "literal"; readonly text: string }
  /** `fallback`: what stands for a value that is missing or empty; undefined where none is written. */
  | { readonly kind: "variable"; readonly name: string; readonly fallback: string | undefined }
  | { readonly kind: "expression"; readonly text: string };

/** Placeholders that one template may have. */
const PLACEHOLDERS_MAX = 100;
const EXPRESSION = /^\s*expr:/;

/**
 * `a {request.path} b` becomes `a `, the variable, ` b`. Doubled braces stand for themselves.
 *
 * @param hasResponse whether a response is there to be named
 * @throws Refusal for braces that do not match, for names that there are not, for an expression that is none
 */
export function parseTemplate(source: string, hasResponse: boolean): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  let literal = "";
  let at = 0;
  while (at < source.length) {
    const character = source[at]!;
    if (character !== "{" && character !== "}") {
      literal += character;
      at++;
      continue;
    }
    if (source[at + 1] === character) {
      literal += character;
      at += 2;
      continue;
    }
    if (character === "}") throw unmatched("}", at);
    const end = endOfPlaceholder(source, at);
    if (literal !== "") parts.push({ kind: "literal", text: literal });
    literal = "";
    parts.push(parsePlaceholder(source.slice(at + 1, end), hasResponse));
    at = end + 1;
  }
  if (literal !== "") parts.push({ kind: "literal", text: literal });
  if (parts.length > 2 * PLACEHOLDERS_MAX) {
    throw new Refusal("the template has too many placeholders", `at most ${PLACEHOLDERS_MAX}`);
  }
  return parts;
}

/** Where the placeholder that opens at `start` closes. Expressions may have maps and texts with braces. */
function endOfPlaceholder(source: string, start: number): number {
  if (!EXPRESSION.test(source.slice(start + 1))) {
    const end = source.indexOf("}", start);
    if (end === -1) throw unmatched("{", start);
    return end;
  }
  let depth = 0;
  let quote = "";
  for (let at = start; at < source.length; at++) {
    const character = source[at]!;
    if (quote !== "") {
      if (character === "\\") at++;
      else if (character === quote) quote = "";
    } else if (character === '"' || character === "'") quote = character;
    else if (character === "{") depth++;
    else if (character === "}" && --depth === 0) return at;
  }
  throw unmatched("{", start);
}

function parsePlaceholder(inner: string, hasResponse: boolean): TemplatePart {
  if (EXPRESSION.test(inner)) {
    const text = inner.replace(EXPRESSION, "").trim();
    checkExpression(text);
    return { kind: "expression", text };
  }
  const bar = inner.indexOf("|");
  const name = (bar === -1 ? inner : inner.slice(0, bar)).trim();
  const fallback = bar === -1 ? undefined : inner.slice(bar + 1);
  if (fallback?.includes("{") === true) {
    throw new Refusal("a default is plain text", "for more, write {expr: CEL}");
  }
  checkVariable(name, hasResponse);
  return { kind: "variable", name, fallback };
}

function unmatched(brace: "{" | "}", at: number): Refusal {
  const other = brace === "{" ? "is not closed" : "closes nothing";
  return new Refusal(
    `the ${brace} at column ${at + 1} ${other}`,
    `write ${brace}${brace} for a brace`,
  );
}
