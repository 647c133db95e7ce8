import { BodyFlaw } from "../body-flaw.ts";
import { isMap, scalarText, type Json, type JsonMap } from "../json-value.ts";
import { BODY_DEPTH_MAX } from "./format.ts";

/** XML 1.0 (fifth edition) Name, with at most one colon, which parts a prefix (Namespaces in XML 1.0). */
const START =
  "A-Z_a-z\\u{c0}-\\u{d6}\\u{d8}-\\u{f6}\\u{f8}-\\u{2ff}\\u{370}-\\u{37d}\\u{37f}-\\u{1fff}\\u{200c}\\u{200d}\\u{2070}-\\u{218f}\\u{2c00}-\\u{2fef}\\u{3001}-\\u{d7ff}\\u{f900}-\\u{fdcf}\\u{fdf0}-\\u{fffd}\\u{10000}-\\u{effff}";
const PART = `[${START}][${START}\\-.0-9\\u{b7}\\u{300}-\\u{36f}\\u{203f}\\u{2040}]*`;
const NAME = new RegExp(`^${PART}(?::${PART})?$`, "u");
/** Anything that is no Char of XML 1.0, lone surrogates among it. */
const NOT_A_CHARACTER = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;
const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
/** Elements of lists that stand in lists, which XML has no names for. */
const ELEMENT_NAME = "item";

/**
 * Writes a value as a document, the other way round than XmlReader reads it. A map with one member is the root
 * element; anything else goes into one that is called `root`.
 *
 * @throws BodyFlaw for names that are none in XML, and for characters that it cannot hold
 */
export function writeXml(value: Json, root: string): string {
  if (isMap(value)) {
    const names = Object.keys(value).filter((name) => value[name] !== undefined);
    const name = names[0];
    if (names.length === 1 && name !== undefined && isElementName(name)) {
      const only = value[name]!;
      if (!Array.isArray(only)) return DECLARATION + element(name, only, 1);
    }
  }
  return DECLARATION + element(root, value, 1);
}

export function isXmlName(name: string): boolean {
  return NAME.test(name);
}

function isElementName(name: string): boolean {
  return !name.startsWith("@") && name !== "#text";
}

function element(name: string, value: Json, depth: number): string {
  if (!isXmlName(name)) {
    throw new BodyFlaw("unmappable", "xml-name", "The result has a name that is none in XML.");
  }
  if (depth > BODY_DEPTH_MAX) {
    throw new BodyFlaw("unmappable", "too-deep", "The result is nested too deeply.");
  }
  const text = scalarText(value);
  if (text !== undefined) return closed(name, "", escapedText(text));
  if (Array.isArray(value)) {
    let content = "";
    for (const one of value) content += element(ELEMENT_NAME, one, depth + 1);
    return closed(name, "", content);
  }
  let attributes = "";
  let content = "";
  for (const [key, one] of Object.entries(value as JsonMap)) {
    if (one === undefined) continue;
    if (key === "#text") content += escapedText(scalarOf(one));
    else if (key.startsWith("@")) attributes += attribute(key.slice(1), scalarOf(one));
    else if (Array.isArray(one)) for (const each of one) content += element(key, each, depth + 1);
    else content += element(key, one, depth + 1);
  }
  return closed(name, attributes, content);
}

function closed(name: string, attributes: string, content: string): string {
  return content === "" ? `<${name}${attributes}/>` : `<${name}${attributes}>${content}</${name}>`;
}

function attribute(name: string, value: string): string {
  if (!isXmlName(name)) {
    throw new BodyFlaw("unmappable", "xml-name", "The result has a name that is none in XML.");
  }
  return ` ${name}="${checked(value).replace(/[<>&"\t\n\r]/g, escape)}"`;
}

function scalarOf(value: Json): string {
  const text = scalarText(value);
  if (text !== undefined) return text;
  throw new BodyFlaw(
    "unmappable",
    "xml-value",
    "An attribute or text of the result is no single value.",
  );
}

function escapedText(text: string): string {
  return checked(text).replace(/[<>&\r]/g, escape);
}

function checked(text: string): string {
  if (!NOT_A_CHARACTER.test(text)) return text;
  throw new BodyFlaw(
    "unmappable",
    "xml-character",
    "The result has a character that XML cannot hold.",
  );
}

/** White space in attributes, and carriage returns, would be read as blanks and line feeds. */
function escape(character: string): string {
  return ESCAPES[character]!;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "<": "&lt;",
  ">": "&gt;",
  "&": "&amp;",
  '"': "&quot;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};
