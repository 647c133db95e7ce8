import type { DocumentPath } from "../mistake.ts";

/** A place in a file; both count from 1. */
export interface Place {
  line: number;
  column: number;
}

/** A file that could not be made data of: the place is known. */
export interface SourceMistake extends Place {
  /** The file at fault when it is another one, imported by the document. */
  file?: string;
  path?: DocumentPath;
  message: string;
  hint?: string | undefined;
}

/** A file that was read, as plain data, and the way back from the data to places in the file. */
export interface DocumentSource {
  data: unknown;
  /** Not empty: the data is not to be used. */
  mistakes: readonly SourceMistake[];
  /** Absolute paths of the other files it was made of: what a TypeScript document imports. */
  imports?: readonly string[];
  /** Place of a value, or of its key; that of the nearest parent when it has none of its own. */
  locate(path: DocumentPath, atKey: boolean): Place;
}

/** Line and column of an offset. Meant for the few offsets of mistakes: it reads from the top. */
export function placeOf(text: string, offset: number): Place {
  let line = 1;
  let lineStart = 0;
  for (let next = text.indexOf("\n"); next !== -1 && next < offset;) {
    line += 1;
    lineStart = next + 1;
    next = text.indexOf("\n", lineStart);
  }
  return { line, column: offset - lineStart + 1 };
}
