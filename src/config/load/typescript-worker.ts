/**
 * Runs in a thread of its own: imports the document, answers with its default export as plain data,
 * and is gone. So each load reads every imported file anew and leaves no modules behind.
 */
import { registerHooks } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import type { DocumentPath } from "../mistake.ts";

/** What the thread is told: both are file URLs. */
export interface TypescriptRequest {
  document: string;
  /** Stands in for the package: `import { defineGateway } from "gateward"` works everywhere. */
  library: string;
}

/** What it answers, once. */
export type TypescriptAnswer = (
  | { kind: "data"; data: unknown }
  | { kind: "unfit"; path: DocumentPath; message: string }
  | { kind: "thrown"; name: string; code: string; message: string; stack: string }
) & {
  /** URLs of the files that were read, the document's own among them. */
  files: string[];
};

const request = workerData as TypescriptRequest;
const files: string[] = [];

registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== "gateward") return next(specifier, context);
    return { url: request.library, shortCircuit: true };
  },
  load(url, context, next) {
    if (url.startsWith("file:") && url !== request.library) files.push(url);
    return next(url, context);
  },
});

parentPort!.postMessage(await answer());

async function answer(): Promise<TypescriptAnswer> {
  try {
    const module = (await import(request.document)) as { default?: unknown };
    if (!("default" in module)) return unfit([], "no default export");
    const data = await module.default;
    return findUnfit(data, [], new Set()) ?? { kind: "data", data, files };
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const { code = "" } = error as { code?: string };
    const { name, message, stack = "" } = error;
    return { kind: "thrown", name, code, message, stack, files };
  }
}

/** The first part that is not plain data, which is all that YAML and JSON could say. */
function findUnfit(
  value: unknown,
  path: DocumentPath,
  parents: Set<unknown>,
): TypescriptAnswer | undefined {
  if (typeof value !== "object" || value === null) {
    if (["string", "number", "boolean", "undefined", "object"].includes(typeof value))
      return undefined;
    return unfit(path, `a ${typeof value} in the configuration`);
  }
  const prototype = Object.getPrototypeOf(value) as unknown;
  const isPlain = prototype === Object.prototype || prototype === null || Array.isArray(value);
  if (!isPlain) return unfit(path, `an instance of ${value.constructor.name} in the configuration`);
  if (parents.has(value)) return unfit(path, "a value that contains itself");
  parents.add(value);
  const isList = Array.isArray(value);
  for (const [key, part] of Object.entries(value)) {
    const found = findUnfit(part, [...path, isList ? Number(key) : key], parents);
    if (found !== undefined) return found;
  }
  parents.delete(value);
  return undefined;
}

function unfit(path: DocumentPath, message: string): TypescriptAnswer {
  return { kind: "unfit", path, message, files };
}
