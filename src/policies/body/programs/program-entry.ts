/** program-entry: what the thread runs that JSONata programs run in. */
import { parentPort } from "node:worker_threads";
import { parseJson } from "../formats/json-format.ts";
import { compileProgram, type Program } from "./jsonata-library.ts";
import type { ProgramAnswer, ProgramFailure, ProgramRequest } from "./program-message.ts";

const RESULT_LENGTH_MAX = 16 * 1024 ** 2;
const PROGRAM_COUNT_MAX = 256;

const FAILURES: Readonly<Record<string, ProgramFailure>> = {
  D1011: "program-too-deep",
  D1012: "program-timeout",
  D2014: "program-too-large",
  D2015: "program-too-large",
};

const programs = new Map<string, Program>();

function programOf({ program, timeoutMs }: ProgramRequest): Program {
  const key = `${timeoutMs} ${program}`;
  let compiled = programs.get(key);
  if (compiled === undefined) {
    if (programs.size === PROGRAM_COUNT_MAX) programs.clear();
    programs.set(key, (compiled = compileProgram(program, timeoutMs)));
  }
  return compiled;
}

async function answer(request: ProgramRequest): Promise<ProgramAnswer> {
  try {
    const result: unknown = await programOf(request).evaluate(parseJson(request.body), {
      ...request.variables,
    });
    // A program that gives nothing gives null.
    const body = JSON.stringify(result ?? null) ?? "null";
    if (body.length > RESULT_LENGTH_MAX) {
      return { type: "failed", code: "program-too-large", reason: "its result" };
    }
    return { type: "result", body };
  } catch (error) {
    // The message may have values of the body in it.
    const { code = "", position } = (error ?? {}) as { code?: string; position?: number };
    const place = position === undefined ? "" : ` at column ${position}`;
    return { type: "failed", code: FAILURES[code] ?? "program-failed", reason: code + place };
  }
}

function tell(message: ProgramAnswer): void {
  parentPort?.postMessage(message);
}

parentPort?.on("message", (request: ProgramRequest) => void answer(request).then(tell));
tell({ type: "up" });
