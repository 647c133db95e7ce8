import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { placeOf, type DocumentSource, type SourceMistake } from "./document-source.ts";
import { literalPositions } from "./literal-positions.ts";
import type { TypescriptAnswer, TypescriptRequest } from "./typescript-worker.ts";

/** A document may fetch something while it loads, but not for ever. */
const LOAD_MS_MAX = 30_000;
/** Our own modules are `.ts` in a checkout and `.js` where they are built. */
const ENDING = extname(import.meta.url);
const WORKER = new URL(`./typescript-worker${ENDING}`, import.meta.url);

/**
 * Runs a TypeScript (or JavaScript) document and takes its default export. Places are read off the
 * literal behind `export default`; a computed part has the place of the last literal around it.
 * `file` is absolute.
 */
export async function readTypescript(file: string, text: string): Promise<DocumentSource> {
  const positions = literalPositions(text, documentStart(text));
  const locate: DocumentSource["locate"] = (path, atKey) => placeOf(text, positions(path, atKey));
  const answer = await load(file);
  const imports = answer.files.map((url) => fileURLToPath(url)).filter((path) => path !== file);
  const base = { data: undefined, locate, imports };
  if (answer.kind === "data") return { ...base, data: answer.data, mistakes: [] };
  if (answer.kind === "unfit") {
    const { path, message } = answer;
    const hint =
      path.length === 0
        ? "write export default defineGateway({ … })"
        : "only plain values, as in JSON";
    return { ...base, mistakes: [{ ...locate(path, false), path, message, hint }] };
  }
  return { ...base, mistakes: [await mistakeOf(answer, file)] };
}

async function load(file: string): Promise<TypescriptAnswer> {
  const request: TypescriptRequest = {
    document: pathToFileURL(file).href,
    library: import.meta.resolve("gateward"),
  };
  const worker = new Worker(WORKER, { workerData: request });
  const timer = setTimeout(() => void worker.terminate(), LOAD_MS_MAX);
  try {
    return await new Promise<TypescriptAnswer>((resolve) => {
      worker.once("message", resolve);
      worker.once("error", (error: Error) => resolve(thrown(error.message, error.stack)));
      worker.once("exit", () => resolve(thrown("the document ended its thread, or took over 30s")));
    });
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}

function thrown(message: string, stack = ""): TypescriptAnswer {
  return { kind: "thrown", name: "Error", code: "", message, stack, files: [] };
}

/** Where the exported literal begins; 0, so nowhere exact, when the export is something else. */
function documentStart(text: string): number {
  const exported = /\bexport\s+default\s+(?:await\s+)?(?:defineGateway\s*\(\s*)?/.exec(text);
  if (exported === null) return text.length;
  const start = exported.index + exported[0].length;
  const name = /^[A-Za-z_$][\w$]*/.exec(text.slice(start))?.[0];
  if (name === undefined) return start;
  const escaped = name.replaceAll("$", "\\$");
  const declared = new RegExp(
    `\\b(?:const|let|var)\\s+${escaped}\\b[^=;]*=\\s*(?:defineGateway\\s*\\(\\s*)?`,
  );
  const declaration = declared.exec(text);
  return declaration === null ? start : declaration.index + declaration[0].length;
}

type Thrown = Extract<TypescriptAnswer, { kind: "thrown" }>;

async function mistakeOf(answer: Thrown, file: string): Promise<SourceMistake> {
  const message = answer.message.replace(/\s+/g, " ");
  if (answer.code === "ERR_MODULE_NOT_FOUND") return missingImport(message, file);
  const place = placeInHeader(answer.stack) ?? placeInFrames(answer.stack);
  return { line: 1, column: 1, ...place, message: kindOf(answer) + message };
}

/** Mistakes of syntax say what they are; an error thrown by the document keeps its name. */
function kindOf(answer: Thrown): string {
  return answer.name === "SyntaxError" || answer.name === "Error" ? "" : `${answer.name}: `;
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
function placeInFrames(stack: string): SourceMistake | undefined {
  for (const frame of stack.matchAll(/(file:\/\/[^\s)]+?):(\d+):(\d+)/g)) {
    const [, url = "", line, column] = frame;
    if (url === WORKER.href) continue;
    return { file: fileURLToPath(url), line: Number(line), column: Number(column), message: "" };
  }
  return undefined;
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
