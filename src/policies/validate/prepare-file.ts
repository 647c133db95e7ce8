/** prepare-file: a document as workers read it: JSON, which takes a hundredth of the time that YAML takes. */
import { yamlLibrary } from "../../base/yaml-library.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { mapOf } from "./open-api-document.ts";

/** @throws Refusal for what is neither YAML nor JSON, naming the line */
export function prepareFile(content: string, file: string): string {
  return preparedText(parseFile(content, file), file);
}

/** The same of what has been parsed. @throws Refusal for what has no end, such as an alias of what it is in */
export function preparedText(value: unknown, file: string): string {
  try {
    const isDocument = typeof mapOf(value)["openapi"] === "string";
    return JSON.stringify(withoutNotes(value, { isDocument, isNames: false })) ?? "null";
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    throw new Refusal(
      `${file} is nested without end, or too long when its aliases are written out`,
    );
  }
}

/** Parses YAML, or JSON, which is a part of it but read a hundred times faster. @throws Refusal */
export function parseFile(text: string, file: string): unknown {
  if (/^\s*[{[]/.test(text)) {
    try {
      return JSON.parse(text);
    } catch {
      // YAML may begin with a brace too, and says better what is wrong, and in which line.
    }
  }
  try {
    return yamlLibrary().parse(text, { merge: true, maxAliasCount: 1000 });
  } catch (error) {
    throw new Refusal(
      `${file}: ${(error as Error).message.split("\n")[0]!.replace(/:$/, "")}`,
      "write YAML or JSON",
    );
  }
}

/** Texts for people, and in OpenAPI examples: the larger part of large documents, kept by each worker else. */
const NOTES = ["title", "summary", "description"];
const EXAMPLES = ["example", "examples"];
/** What stands under these has names of the author's choice, which may be any of those above. */
const OF_NAMES = new Set([
  "paths",
  "schemas",
  "parameters",
  "responses",
  "requestBodies",
  "headers",
  "content",
  "encoding",
  "callbacks",
  "pathItems",
  "properties",
  "patternProperties",
  "dependentSchemas",
  "$defs",
  "definitions",
]);
/** These are values, or not for us to understand. */
const isData = (key: string): boolean =>
  ["enum", "const", "default", "mapping"].includes(key) || key.startsWith("x-");

interface Place {
  readonly isDocument: boolean;
  /** Keys are names. */
  readonly isNames: boolean;
}

function withoutNotes(value: unknown, { isDocument, isNames }: Place): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    return value.map((one) => withoutNotes(one, { isDocument, isNames: false }));
  }
  const kept: [string, unknown][] = [];
  for (const [key, part] of Object.entries(value)) {
    const isNote = NOTES.includes(key) && typeof part === "string";
    if (!isNames && (isNote || (isDocument && EXAMPLES.includes(key)))) continue;
    if (!isNames && isData(key)) kept.push([key, part]);
    else
      kept.push([key, withoutNotes(part, { isDocument, isNames: !isNames && OF_NAMES.has(key) })]);
  }
  return Object.fromEntries(kept);
}
