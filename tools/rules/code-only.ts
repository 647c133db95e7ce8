import { stripTypeScriptTypes } from "node:module";

/**
 * The text of a TypeScript file with types, comments and the insides of strings and regular
 * expressions blanked out, every other character at its old place: what a rule looks for in it is
 * code. Node takes the types away; a small scanner does the rest.
 */
export function codeOnly(text: string): string {
  return blankInsides(withoutTypes(text));
}

function withoutTypes(text: string): string {
  try {
    return stripTypeScriptTypes(text);
  } catch {
    return text; // Not TypeScript yet: for the compiler to report, with its place.
  }
}

/** The same with types kept. */
export function blankInsides(text: string): string {
  return scan(text, (kind, part) => {
    if (kind === "code") return part;
    if (kind === "comment") return blank(part);
    return part.length < 2 ? part : part[0] + blank(part.slice(1, -1)) + part.at(-1);
  });
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, " ");
}

type Kind = "code" | "comment" | "string" | "regex";

const comment = /\/\/[^\n]*|\/\*[^]*?\*\//y;
const string = /"(?:\\[^]|[^"\\\n])*"|'(?:\\[^]|[^'\\\n])*'/y;
const regex = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y;

/** A `/` begins a regular expression where an operand may stand: after these, or at the start. */
const beforeOperand = /(?:^|[=(,:;[!&|?{}+\-*%<>~^]|\b(?:return|typeof|case|of|in|do|else))\s*$/;

/** Goes through the text once and replaces each part that is not plain code. */
function scan(text: string, replace: (kind: Kind, part: string) => string): string {
  let result = "";
  let at = 0;
  let depth = 0;
  /** For each template literal around `at`: the depth of braces at which its `${` was opened. */
  const templates: number[] = [];
  while (at < text.length) {
    const char = text.charAt(at);
    const inTemplate = char === "`" || (char === "}" && templates.at(-1) === depth);
    const [kind, end] = inTemplate ? (["string", endOfTemplate(text, at)] as const) : piece(at);
    if (char === "}" && inTemplate) templates.pop();
    if (inTemplate && text.startsWith("${", end - 2)) templates.push(depth);
    if (kind === "code" && char === "{") depth += 1;
    if (kind === "code" && char === "}") depth -= 1;
    result += replace(kind, text.slice(at, end));
    at = end;
  }
  return result;

  function piece(from: number): readonly [Kind, number] {
    const char = text.charAt(from);
    if (char === "/" && matches(comment, from)) return ["comment", comment.lastIndex];
    if ((char === '"' || char === "'") && matches(string, from))
      return ["string", string.lastIndex];
    const isOperand = char === "/" && beforeOperand.test(result.slice(-20));
    if (isOperand && matches(regex, from)) return ["regex", regex.lastIndex];
    return ["code", from + 1];
  }

  function matches(pattern: RegExp, from: number): boolean {
    pattern.lastIndex = from;
    return pattern.test(text);
  }
}

/** The place behind the closing backtick, or behind the next `${`. */
function endOfTemplate(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "`") return at + 1;
    else if (text[at] === "$" && text[at + 1] === "{") return at + 2;
  }
  return text.length;
}
