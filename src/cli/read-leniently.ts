import { substituteEnvironment } from "../config/load/env.ts";
import { parseDocument, readDocument } from "../config/load/read-source.ts";
import { Refusal } from "../policy/values/refusal.ts";

/**
 * A document for a command that needs little of it: variables that only the gateway has may be missing here, and
 * whatever else is wrong with it is for `check` to say.
 *
 * @param hint how to do without the document
 * @throws Refusal where it cannot be read at all
 */
export async function readLeniently(file: string, hint: string): Promise<Record<string, unknown>> {
  const read = await readDocument(file);
  const source = read instanceof Uint8Array ? await parseDocument(file, read) : read;
  const [mistake] = source.mistakes;
  if (mistake !== undefined) {
    const place = `${mistake.file ?? file}:${mistake.line}:${mistake.column}`;
    throw new Refusal(`${place} ${mistake.message}`, hint);
  }
  return mapOf(substituteEnvironment(source.data, process.env).data);
}

/** Empty for what is no map. */
export function mapOf(value: unknown): Record<string, unknown> {
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
  return isMap ? (value as Record<string, unknown>) : {};
}
