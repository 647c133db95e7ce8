import { BodyFlaw } from "../body-flaw.ts";
import { numberOf, type Json, type JsonMap } from "../json-value.ts";
import { BODY_DEPTH_MAX } from "./format.ts";
import { createXmlParser } from "./xml-parser.ts";

const ELEMENT_COUNT_MAX = 100_000;
const ATTRIBUTE_COUNT_MAX = 256;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;
const BLANK = /^[\t\n\r ]*$/;

export interface XmlReadingRules {
  /** Elements that are lists also where there is one: names from the root with dots, or `**.name`. */
  readonly arrays: readonly string[];
  /** Whether texts that are numbers, `true` and `false` become those. */
  readonly types: boolean;
}

/** An element that is open. */
interface OpenElement {
  readonly name: string;
  /** Names from the root, with dots. */
  readonly path: string;
  /** Null until there is an attribute or an element in it. */
  members: JsonMap | null;
  text: string;
}

/** Reads one document; make one for each. */
export class XmlReader {
  private readonly lists: ReadonlySet<string>;
  private readonly types: boolean;
  private readonly open: OpenElement[] = [];
  private readonly document: JsonMap = {};
  private elementCount = 0;

  constructor({ arrays, types }: XmlReadingRules) {
    this.lists = new Set(arrays);
    this.types = types;
  }

  /** @throws BodyFlaw */
  read(text: string): Json {
    const parser = createXmlParser();
    parser.on("error", () => {
      const place = locateXmlFlaw(text);
      throw new BodyFlaw("malformed", "not-xml", `The body is not well-formed XML: ${place}.`);
    });
    parser.on("doctype", () => {
      throw new BodyFlaw("malformed", "doctype", "A document type is not allowed.");
    });
    // The attributes of one element are counted as they come: they are compared with each other at its end.
    let attributeCount = 0;
    parser.on("opentagstart", () => {
      attributeCount = 0;
      if (++this.elementCount > ELEMENT_COUNT_MAX) {
        throw new BodyFlaw("malformed", "too-many-elements", "The body has too many elements.");
      }
      if (this.open.length === BODY_DEPTH_MAX) {
        throw new BodyFlaw("malformed", "too-deep", "The body is nested too deeply.");
      }
    });
    parser.on("attribute", () => {
      if (++attributeCount > ATTRIBUTE_COUNT_MAX) {
        throw new BodyFlaw(
          "malformed",
          "too-many-attributes",
          "An element has too many attributes.",
        );
      }
    });
    parser.on("opentag", ({ name, attributes }) => this.begin(name, attributes));
    parser.on("closetag", () => this.finish());
    const addText = (piece: string): void => {
      const element = this.open.at(-1);
      if (element !== undefined) element.text += piece;
    };
    parser.on("text", addText);
    parser.on("cdata", addText);
    parser.write(text).close();
    return this.document;
  }

  private begin(name: string, attributes: Readonly<Record<string, string>>): void {
    if (name === "__proto__") {
      throw new BodyFlaw("malformed", "reserved-name", "A name of the body is reserved.");
    }
    const parent = this.open.at(-1);
    const path = parent === undefined ? name : `${parent.path}.${name}`;
    let members: JsonMap | null = null;
    for (const attribute in attributes) {
      members ??= {};
      members[`@${attribute}`] = this.typed(attributes[attribute]!);
    }
    this.open.push({ name, path, members, text: "" });
  }

  private finish(): void {
    const { name, path, members, text } = this.open.pop()!;
    const value: Json = members ?? this.typed(text);
    if (members !== null && !BLANK.test(text)) members["#text"] = this.typed(text.trim());
    const isList = this.lists.has(path) || this.lists.has(`**.${name}`);
    const parent = this.open.at(-1);
    const holder = parent === undefined ? this.document : (parent.members ??= {});
    const present = Object.hasOwn(holder, name) ? holder[name] : undefined;
    if (present === undefined) holder[name] = isList ? [value] : value;
    // An element's own value is never a list, so that a list here is one of elements.
    else if (Array.isArray(present)) present.push(value);
    else holder[name] = [present, value];
  }

  private typed(text: string): Json {
    if (!this.types) return text;
    if (text === "true" || text === "false") return text === "true";
    return NUMBER.test(text) ? numberOf(text) : text;
  }
}

/** Of a text that has been refused: reads it again, up to there. */
function locateXmlFlaw(text: string): string {
  const parser = createXmlParser(true);
  let place = "";
  parser.on("error", () => {
    place ||= `line ${parser.line}, column ${Math.max(1, parser.column)}`;
    throw new BodyFlaw("malformed", "not-xml", place);
  });
  try {
    parser.write(text).close();
  } catch {
    // Found.
  }
  return place;
}
