import { dirname, resolve } from "node:path";
import { substituteEnvironment } from "../config/load/env.ts";
import { parseDocument, readDocument } from "../config/load/read-source.ts";
import { DATA_FOLDER } from "../config/schema/consumers/caller-shape.ts";
import { Refusal } from "../policy/values/refusal.ts";

/** What a document says of a consumer, as far as it is shown. */
export interface DocumentConsumer {
  readonly name: string;
  readonly groups: readonly string[];
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly plan: string;
}

/** What the commands about keys have to know of the document. */
export interface KeyDocument {
  /** Absolute path of the folder of the keys. */
  readonly data: string;
  readonly consumers: readonly DocumentConsumer[];
  readonly plans: readonly string[];
}

/**
 * Reads no more of the document than that: variables that only the gateway has may be missing here, and
 * whatever else is wrong with it is for `check` to say.
 *
 * @throws Refusal where it cannot be read at all
 */
export async function readKeyDocument(file: string): Promise<KeyDocument> {
  const read = await readDocument(file);
  const source = read instanceof Uint8Array ? await parseDocument(file, read) : read;
  const [mistake] = source.mistakes;
  if (mistake !== undefined) {
    const place = `${mistake.file ?? file}:${mistake.line}:${mistake.column}`;
    throw new Refusal(`${place} ${mistake.message}`, "`--data FOLDER` does without the document");
  }
  const { data: document } = substituteEnvironment(source.data, process.env);
  const { data = DATA_FOLDER } = mapOf(document);
  if (typeof data !== "string" || data.includes("${")) {
    throw new Refusal(`data in ${file} names no folder: ${JSON.stringify(data)}`);
  }
  return {
    data: resolve(dirname(file), data),
    consumers: Object.entries(mapOf(mapOf(document)["consumers"])).map(consumerOf),
    plans: Object.keys(mapOf(mapOf(document)["plans"])),
  };
}

function consumerOf([name, consumer]: [string, unknown]): DocumentConsumer {
  const { groups, roles, scopes, plan = "" } = mapOf(consumer);
  return {
    name,
    groups: textsOf(groups),
    roles: textsOf(roles),
    scopes: textsOf(scopes),
    plan: typeof plan === "string" ? plan : "",
  };
}

function mapOf(value: unknown): Record<string, unknown> {
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
  return isMap ? (value as Record<string, unknown>) : {};
}

/** A single one may stand without the brackets. */
function textsOf(value: unknown): string[] {
  return [value].flat().filter((one) => typeof one === "string");
}
