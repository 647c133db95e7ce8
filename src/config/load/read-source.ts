import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { placeOf, type DocumentSource } from "./document-source.ts";
import { readJson } from "./json-source.ts";

const EXTENSIONS = [".yaml", ".yml", ".json", ".ts", ".mts", ".js", ".mjs"];

/** Documents that say all by themselves; those in TypeScript import others. */
const selfContained = new Set([".yaml", ".yml", ".json"]);

/** Reads a document by the ending of its name. `file` is absolute. Never throws for its content. */
export async function readSource(file: string): Promise<DocumentSource> {
  const read = await readDocument(file);
  return read instanceof Uint8Array ? parseDocument(file, read) : read;
}

/** Tells two contents of a document apart; undefined where the content of the file is not all there is to it. */
export function digestOf(file: string, bytes: Uint8Array): string | undefined {
  if (!selfContained.has(extname(file).toLowerCase())) return undefined;
  return createHash("sha256").update(bytes).digest("base64");
}

/** The bytes of a document, or what keeps them from being read. */
export async function readDocument(file: string): Promise<Uint8Array | DocumentSource> {
  const extension = extname(file).toLowerCase();
  if (!EXTENSIONS.includes(extension)) {
    return broken(
      `${extension || "no ending"} says no kind of document`,
      "write .yaml, .json or .ts",
    );
  }
  try {
    return await readFile(file);
  } catch (error) {
    return broken(unreadable(error as NodeJS.ErrnoException));
  }
}

/** Makes data of a document's bytes, by the ending of its name. */
export async function parseDocument(file: string, bytes: Uint8Array): Promise<DocumentSource> {
  const extension = extname(file).toLowerCase();
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return broken("not UTF-8", "save the file as UTF-8");
  }
  if (extension === ".json") return readJson(text);
  // Both are slow to load, and one document needs at most one of them.
  if (extension === ".yaml" || extension === ".yml") {
    const { readYaml } = await import("./yaml-source.ts");
    return readYaml(text);
  }
  const { readTypescript } = await import("./typescript-source.ts");
  return readTypescript(file, text);
}

/** Why a file could not be read, in words. */
export function unreadable(error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT") return "there is no such file";
  if (error.code === "EACCES" || error.code === "EPERM") return "the file may not be read";
  if (error.code === "EISDIR") return "it is a folder, not a file";
  return `the file cannot be read (${error.code ?? error.message})`;
}

function broken(message: string, hint?: string): DocumentSource {
  const mistake = { ...placeOf("", 0), message, hint };
  return { data: undefined, mistakes: [mistake], locate: () => placeOf("", 0) };
}
