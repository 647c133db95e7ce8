import {
  yamlLibrary,
  type Document,
  type Node,
  type Pair,
  type YAMLError,
} from "../../base/yaml-library.ts";
import type { DocumentPath } from "../mistake.ts";
import type { DocumentSource, Place, SourceMistake } from "./document-source.ts";

const { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } = yamlLibrary();

/** Hints for what people run into; the parser's own sentence says what is wrong. */
const HINTS: Record<string, string> = {
  TAB_AS_INDENT: "indent with spaces",
  DUPLICATE_KEY: "each key once; merge the two",
  MULTIPLE_DOCS: "one document for each file; drop the ---",
  BAD_SCALAR_START: "put the value in quotes",
  UNEXPECTED_TOKEN: "check the quotes and brackets just before",
  MULTILINE_IMPLICIT_KEY: "check for a missing colon just before",
};

/** Reads YAML 1.2, with `<<` merge keys. */
export function readYaml(text: string): DocumentSource {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, merge: true });
  const placeAt = (offset: number): Place => {
    const { line, col } = lineCounter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const mistakes = [
    ...[...document.errors, ...document.warnings].map((error) => syntaxMistake(error, placeAt)),
    ...aliasMistakes(document, placeAt),
  ];
  return {
    data: mistakes.length === 0 ? toData(document, mistakes) : undefined,
    mistakes,
    locate: (path, atKey) => placeAt(offsetOf(document.contents, document, path, atKey)),
  };
}

function toData(document: Document, mistakes: SourceMistake[]): unknown {
  try {
    return document.toJS();
  } catch (error) {
    // Aliases that unfold without end are all that is left to go wrong here.
    mistakes.push({ line: 1, column: 1, message: (error as Error).message });
    return undefined;
  }
}

function syntaxMistake(error: YAMLError, placeAt: (offset: number) => Place): SourceMistake {
  const message = error.message.replace(/\s+/g, " ").trim();
  const hint = HINTS[error.code];
  return { ...placeAt(error.pos[0]), message, hint };
}

/** `*.example.com` without quotes is an alias to YAML: the most likely slip in this document. */
function aliasMistakes(document: Document, placeAt: (offset: number) => Place): SourceMistake[] {
  const mistakes: SourceMistake[] = [];
  visit(document, {
    Alias(_key, node, parents) {
      const target = node.resolve(document);
      const place = placeAt(node.range?.[0] ?? 0);
      if (target === undefined) {
        const message = `*${node.source} is an alias of nothing`;
        mistakes.push({ ...place, message, hint: `put it in quotes: "*${node.source}"` });
      } else if (parents.includes(target)) {
        mistakes.push({ ...place, message: `*${node.source} contains itself` });
      }
    },
  });
  return mistakes;
}

/** Walks down as far as the path exists; merged and aliased parts lead to where they stand. */
function offsetOf(root: unknown, document: Document, path: DocumentPath, atKey: boolean): number {
  let node = root as Node | null;
  let offset = node?.range?.[0] ?? 0;
  for (const [depth, part] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document) ?? null;
    const isLast = depth === path.length - 1;
    if (isMap(node)) {
      const pair = node.items.find((one) => keyOf(one) === String(part));
      if (pair === undefined) return offset;
      const keyOffset = (pair.key as Node | null)?.range?.[0] ?? offset;
      node = pair.value as Node | null;
      offset = isLast && atKey ? keyOffset : startOf(node, keyOffset);
    } else if (isSeq(node)) {
      node = (node.items[Number(part)] as Node | undefined) ?? null;
      if (node === null) return offset;
      offset = startOf(node, offset);
    } else {
      return offset;
    }
  }
  return offset;
}

function startOf(node: Node | null, otherwise: number): number {
  // An empty value has no extent of its own: its key is the better place.
  if (node === null || (isScalar(node) && node.value === null)) return otherwise;
  return node.range?.[0] ?? otherwise;
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}
