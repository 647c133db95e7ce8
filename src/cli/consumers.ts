/** consumers: what `gateward consumers` does, with those of the store; those of the document are listed too. */
import { isCallerName } from "../config/schema/consumers/consumer.ts";
import { suggestion } from "../policy/values/did-you-mean.ts";
import { Refusal } from "../policy/values/refusal.ts";
import type { KeptConsumer } from "../stores/sqlite/key-rows.ts";
import { EXIT_OK } from "./exit-code.ts";
import type { KeyDesk } from "./open-key-book.ts";
import { tableLines } from "./table.ts";

/** What the command line says of a consumer; undefined where it says nothing. */
export interface ConsumerTraits {
  groups: readonly string[] | undefined;
  roles: readonly string[] | undefined;
  scopes: readonly string[] | undefined;
  metadata: Readonly<Record<string, unknown>> | undefined;
  /** "" takes it from its plan. */
  plan: string | undefined;
}

export function createConsumer(desk: KeyDesk, name: string, traits: ConsumerTraits): number {
  const { book, document } = desk;
  book.transaction(() => {
    refuseDocuments(name, document);
    if (book.consumer(name) !== undefined) {
      throw new Refusal(`the consumer ${name} is there already`, "`update` changes it");
    }
    book.putConsumer(newConsumer(name, traits, document));
  });
  console.log(`the consumer ${name} is created`);
  return EXIT_OK;
}

export function updateConsumer(desk: KeyDesk, name: string, traits: ConsumerTraits): number {
  const { book, document } = desk;
  book.transaction(() => {
    const before = findConsumer(desk, name);
    checkPlan(traits.plan, document);
    const said = Object.entries(traits).filter(([, value]) => value !== undefined);
    book.putConsumer({ ...before, ...Object.fromEntries(said) });
  });
  console.log(`the consumer ${name} is changed`);
  return EXIT_OK;
}

export function deleteConsumer(desk: KeyDesk, name: string): number {
  const { book } = desk;
  const keys = book.transaction(() => {
    findConsumer(desk, name);
    const count = book.credentials(name).length;
    book.deleteConsumer(name);
    return count;
  });
  console.log(`the consumer ${name} is deleted, with ${keys} ${keys === 1 ? "key" : "keys"}`);
  return EXIT_OK;
}

export function listConsumers({ book, document }: KeyDesk, json: boolean): number {
  const documents = (document?.consumers ?? []).map((consumer) => {
    return { ...consumer, source: "document" };
  });
  const stored = book.consumers().map(({ createdAtMs: _, ...consumer }) => {
    return { ...consumer, source: "store" };
  });
  const all = [...documents, ...stored.filter(({ name }) => !isOfDocument(name, document))];
  if (json) {
    console.log(JSON.stringify(all, null, 2));
    return EXIT_OK;
  }
  const rows = all.map(({ name, source, plan, groups, roles, scopes }) => {
    const keyCount = book.credentials(name).length;
    return [name, source, plan, String(keyCount), ...[groups, roles, scopes].map(joined)];
  });
  const heading = ["NAME", "SOURCE", "PLAN", "STORED KEYS", "GROUPS", "ROLES", "SCOPES"];
  console.log(tableLines([heading, ...rows]).join("\n"));
  return EXIT_OK;
}

/** @throws Refusal when it cannot be made as that */
export function newConsumer(
  name: string,
  { groups = [], roles = [], scopes = [], metadata = {}, plan = "" }: ConsumerTraits,
  document: KeyDesk["document"],
): KeptConsumer {
  if (!isCallerName(name)) {
    const hint = "letters, digits, dots, dashes, underscores and @, at most 100";
    throw new Refusal(`${JSON.stringify(name)} is not a consumer's name`, hint);
  }
  checkPlan(plan, document);
  return { name, groups, roles, scopes, metadata, plan, createdAtMs: Date.now() };
}

function checkPlan(plan: string | undefined, document: KeyDesk["document"]): void {
  if (plan === undefined || plan === "" || document === undefined) return;
  const { plans } = document;
  if (plans.includes(plan)) return;
  const hint = plans.length === 0 ? "the document has none" : suggestion(plan, plans);
  throw new Refusal(`no plan named ${JSON.stringify(plan)}`, hint);
}

function findConsumer({ book, document }: KeyDesk, name: string): KeptConsumer {
  refuseDocuments(name, document);
  const found = book.consumer(name);
  if (found !== undefined) return found;
  const names = book.consumers().map((one) => one.name);
  const message = `no consumer named ${JSON.stringify(name)} in the store`;
  throw new Refusal(message, suggestion(name, names));
}

function refuseDocuments(name: string, document: KeyDesk["document"]): void {
  if (!isOfDocument(name, document)) return;
  throw new Refusal(`the consumer ${name} is one of the document`, "change it there");
}

/** Whether the document has a consumer of that name. */
export function isOfDocument(name: string, document: KeyDesk["document"]): boolean {
  return document !== undefined && document.consumers.some((consumer) => consumer.name === name);
}

function joined(names: readonly string[]): string {
  return names.join(",");
}
