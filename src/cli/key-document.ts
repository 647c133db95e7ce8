import { dirname, resolve } from "node:path";
import { DATA_FOLDER } from "../config/schema/consumers/caller-shape.ts";
import { Refusal } from "../policy/values/refusal.ts";
import { mapOf, readLeniently } from "./read-leniently.ts";

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

/** @throws Refusal where it cannot be read at all */
export async function readKeyDocument(file: string): Promise<KeyDocument> {
  const document = await readLeniently(file, "`--data FOLDER` does without the document");
  const { data = DATA_FOLDER } = document;
  if (typeof data !== "string" || data.includes("${")) {
    throw new Refusal(`data in ${file} names no folder: ${JSON.stringify(data)}`);
  }
  return {
    data: resolve(dirname(file), data),
    consumers: Object.entries(mapOf(document["consumers"])).map(consumerOf),
    plans: Object.keys(mapOf(document["plans"])),
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

/** A single one may stand without the brackets. */
function textsOf(value: unknown): string[] {
  return [value].flat().filter((one) => typeof one === "string");
}
