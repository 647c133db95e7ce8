/** module-mistake: where in the user's files a module that cannot be loaded is at fault. */
import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";
import { placeOf, type SourceMistake } from "./document-source.ts";

/** What the import of a module threw, as plain data. */
export interface ThrownByModule {
  name: string;
  /** Of Node's errors; else "". */
  code: string;
  message: string;
  stack: string;
}

/** An error as data that passes between threads. */
export function thrownByModule(thrown: unknown): ThrownByModule {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { code = "" } = error as { code?: string };
  const { name, message, stack = "" } = error;
  return { name, code, message, stack };
}

/**
 * The mistake behind a failed import, with its place as far as it can be told.
 *
 * @param file the module that was asked for, absolute
 * @param importer URL of our own module that asked: its frames tell nothing
 */
export async function moduleMistake(
  thrown: ThrownByModule,
  file: string,
  importer: string,
): Promise<SourceMistake> {
  const message = thrown.message.replace(/\s+/g, " ");
  if (thrown.code === "ERR_MODULE_NOT_FOUND") return missingImport(message, file);
  const place =
    placeInHeader(thrown.stack) ??
    placeInFrames(thrown.stack, importer) ??
    (await placeOfSyntaxError(thrown, file));
  return { line: 1, column: 1, ...place, message: kindOf(thrown) + message };
}

/** Mistakes of syntax say what they are; an error thrown by the document keeps its name. */
function kindOf({ name }: ThrownByModule): string {
  return name === "SyntaxError" || name === "Error" ? "" : `${name}: `;
}

/** `file:3`, lines of source, and a line with a caret under the fault: how syntax errors begin. */
function placeInHeader(stack: string): SourceMistake | undefined {
  const header = /^(file:\/\/\S+|\/\S+|[A-Z]:\\\S+):(\d+)\n((?:.*\n)*?)(\s*)\^/.exec(stack);
  if (header === null) return undefined;
  const [, where = "", line = "1", , indent = ""] = header;
  const file = where.startsWith("file:") ? fileURLToPath(where) : where;
  return { file, line: Number(line), column: indent.length + 1, message: "" };
}

/** The first frame in a file of the user's. */
function placeInFrames(stack: string, importer: string): SourceMistake | undefined {
  for (const frame of stack.matchAll(/(file:\/\/[^\s)]+?):(\d+):(\d+)/g)) {
    const [, url = "", line, column] = frame;
    if (url === importer) continue;
    return { file: fileURLToPath(url), line: Number(line), column: Number(column), message: "" };
  }
  return undefined;
}

/** V8 keeps to itself where JavaScript is at fault; as TypeScript, which it is too, it is told. */
async function placeOfSyntaxError(
  { name }: ThrownByModule,
  file: string,
): Promise<SourceMistake | undefined> {
  if (name !== "SyntaxError") return undefined;
  const text = await readFile(file, "utf8").catch(() => "");
  try {
    stripTypeScriptTypes(text, { sourceUrl: file });
    return undefined;
  } catch (error) {
    return placeInHeader((error as Error).stack ?? "");
  }
}

/** Node says who imports what in vain, but not where: look for the name in the importer. */
async function missingImport(message: string, file: string): Promise<SourceMistake> {
  const parts = /^Cannot find (?:module|package) '([^']+)' imported from (\S+)/.exec(message);
  const [, wanted = "", importer = file] = parts ?? [];
  const text = await readFile(importer, "utf8").catch(() => "");
  const name = wanted.slice(wanted.lastIndexOf("/") + 1);
  const found = new RegExp(`["'][^"'\\n]*${name.replaceAll(/[^\w]/g, "\\$&")}["']`).exec(text);
  const place = placeOf(text, found?.index ?? 0);
  return { ...place, file: importer, message: `cannot find ${found?.[0] ?? wanted}` };
}
