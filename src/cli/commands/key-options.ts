import { parseDate } from "../../policy/values/date.ts";
import { parseDuration } from "../../policy/values/duration.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import type { ConsumerTraits } from "../consumers.ts";
import { type Invocation, type OptionSpec, valueOf } from "../command.ts";
import type { KeyPlace } from "../open-key-book.ts";
import { configOption } from "./config-option.ts";

/** Options of all commands that work on the store of consumers and keys. */
export const placeOptions: readonly OptionSpec[] = [
  configOption,
  { flags: "-d, --data <folder>", summary: "folder of the keys, instead of the document's" },
];

export const jsonOption: OptionSpec = { flags: "--json", summary: "print JSON" };

export const traitOptions: readonly OptionSpec[] = [
  { flags: "--groups <names>", summary: "groups of the consumer, separated by commas" },
  { flags: "--roles <names>", summary: "roles of the consumer" },
  { flags: "--consumer-scopes <names>", summary: "scopes of the consumer" },
  { flags: "--plan <name>", summary: "plan of the consumer" },
  { flags: "--metadata <json>", summary: "a map of whatever else is known of it" },
];

export function placeOf(invocation: Invocation): KeyPlace {
  return {
    config: valueOf(invocation, "config"),
    data: valueOf(invocation, "data"),
    folder: process.cwd(),
  };
}

export function wantsJson({ options }: Invocation): boolean {
  return options["json"] === true;
}

/** Undefined when the option was not given; "" is no name. */
export function namesOf(invocation: Invocation, option: string): string[] | undefined {
  return valueOf(invocation, option)
    ?.split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/** @throws Refusal */
export function traitsOf(invocation: Invocation): ConsumerTraits {
  return {
    groups: namesOf(invocation, "groups"),
    roles: namesOf(invocation, "roles"),
    scopes: namesOf(invocation, "consumerScopes"),
    metadata: parseMetadata(valueOf(invocation, "metadata")),
    plan: valueOf(invocation, "plan"),
  };
}

function parseMetadata(json: string | undefined): Record<string, unknown> | undefined {
  if (json === undefined) return undefined;
  const refusal = new Refusal("--metadata is not a map in JSON", `write it like '{"team":"a"}'`);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw refusal;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refusal;
  return value as Record<string, unknown>;
}

/** `90d` from now, or a date -> epoch milliseconds. @throws Refusal also for one that has passed */
export function expiryOf(text: string, nowMs: number): number {
  const atMs = /^\d{4}-/.test(text) ? parseDate(text) : nowMs + parseDuration(text);
  if (atMs > nowMs) return atMs;
  throw new Refusal(`${text} has passed`, "name a day to come, or a time like 90d");
}
