import { extname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { placeOf, type DocumentSource } from "./document-source.ts";
import { literalPositions } from "./literal-positions.ts";
import { moduleMistake } from "./module-mistake.ts";
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
  return { ...base, mistakes: [await moduleMistake(answer, file, WORKER.href)] };
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
