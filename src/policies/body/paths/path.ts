import { Refusal } from "../../../policy/values/refusal.ts";
import { parsedText } from "../../../policy/values/parsed-text.ts";

/** One step of a path into a body. */
export type Segment =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "index"; readonly index: number }
  /** `[]`: each element of a list. */
  | { readonly kind: "elements" }
  /** `*`: each member of a map, and each element of a list. */
  | { readonly kind: "any" }
  /** `**`: this value, and everything within it. */
  | { readonly kind: "deep" };

export type Path = readonly Segment[];

const HINT =
  "write it like user.name, items[].price, rows[0], *.id or **.password; \\. is a dot in a name";
/** A name with escapes, then brackets; both may be missing, though not together. */
const PART = /^((?:[^\\.[\]]|\\.)*)((?:\[\d{0,6}\])*)(?:\.|$)/s;

/**
 * Reads a path: names with dots between, `[]` after a list, `*` and `**` as names of their own.
 *
 * @throws Refusal
 */
export function parsePath(text: string): Path {
  const path: Segment[] = [];
  let rest = text;
  do {
    const part = PART.exec(rest);
    if (part === null) throw wrong(text, "cannot be read");
    const [whole, name = "", brackets = ""] = part;
    if (name !== "") path.push(segmentOf(name, text));
    // Only the value itself may be a list without a name.
    else if (brackets === "" || path.length > 0) throw wrong(text, "has an empty name");
    for (const [, index] of brackets.matchAll(/\[(\d*)\]/g)) {
      path.push(index === "" ? { kind: "elements" } : { kind: "index", index: Number(index) });
    }
    rest = rest.slice(whole.length);
    if (rest === "" && whole.endsWith(".") && !whole.endsWith("\\."))
      throw wrong(text, "ends with a dot");
  } while (rest !== "");
  const deep = path.findIndex(({ kind }) => kind === "deep");
  if (deep === path.length - 1 && deep >= 0) throw wrong(text, "ends with **");
  // Two of them would visit places again and again.
  if (path.filter(({ kind }) => kind === "deep").length > 1) throw wrong(text, "has ** twice");
  return path;
}

/** Schema of a path; the output is as it is written. */
export function pathText() {
  const parse = (text: string): string => {
    parsePath(text);
    return text;
  };
  return parsedText(parse, { what: "a path", hint: HINT, sample: "items[].name" });
}

/** The path if it leads to one place only. @throws Refusal */
export function parsePlainPath(text: string): readonly string[] {
  return parsePath(text).map((segment) => {
    if (segment.kind === "name") return segment.name;
    throw new Refusal(`${JSON.stringify(text)} may have names and dots only`, HINT);
  });
}

function segmentOf(name: string, text: string): Segment {
  if (name === "*") return { kind: "any" };
  if (name === "**") return { kind: "deep" };
  const plain = name.replace(/\\(.)/gs, "$1");
  if (plain === "__proto__") throw wrong(text, "has a name that no body has");
  return { kind: "name", name: plain };
}

function wrong(text: string, what: string): Refusal {
  return new Refusal(`the path ${JSON.stringify(text)} ${what}`, HINT);
}
