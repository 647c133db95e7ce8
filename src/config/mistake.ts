/** Where in the document something stands: map keys and list indexes. */
export type DocumentPath = readonly (string | number)[];

/** Something to tell the author of a document, before its place in the file is known. */
export interface Finding {
  /** An error refuses the document; a warning does not. */
  level: "error" | "warning";
  path: DocumentPath;
  /** What is wrong. */
  message: string;
  /** What would be right. */
  hint?: string | undefined;
  /** Points at the key rather than at what it holds. */
  atKey?: boolean;
}

/** A finding with its place, as `check` prints it. Lines and columns count from 1. */
export interface Mistake {
  level: "error" | "warning";
  file: string;
  line: number;
  column: number;
  /** `routes[1].service`; empty for the whole document. */
  path: string;
  message: string;
  hint?: string | undefined;
}

/** An error finding. */
export function mistakeAt(path: DocumentPath, message: string, hint?: string): Finding {
  return { level: "error", path, message, hint };
}

/** A warning. */
export function warningAt(path: DocumentPath, message: string, hint?: string): Finding {
  return { level: "warning", path, message, hint };
}

/** `["routes", 1, "service"]` -> `routes[1].service`; odd keys in quotes. */
export function formatPath(path: DocumentPath): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (!/^[\w$-]+$/.test(part)) text += `[${JSON.stringify(part)}]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text;
}

/** `gateward.yaml:14:9 routes[1].service: what is wrong; what would be right`. */
export function formatMistake(mistake: Mistake): string {
  const { file, line, column, path, message, hint, level } = mistake;
  const place = `${file}:${line}:${column}`;
  const subject = path === "" ? "" : ` ${path}:`;
  const kind = level === "warning" ? " warning:" : "";
  const right = hint === undefined || hint === "" ? "" : `; ${hint}`;
  return `${place}${kind}${subject} ${message}${right}`;
}
