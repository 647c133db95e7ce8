/** keys: what `gateward keys` does. Keys themselves go to standard output, once; all else about them can be asked again. */
import { apiKeyForm, createApiKey, randomWord } from "../base/api-key.ts";
import { hashApiKey } from "../policy/api-key-hash.ts";
import { suggestion } from "../policy/values/did-you-mean.ts";
import { Refusal } from "../policy/values/refusal.ts";
import type { KeyBook } from "../stores/sqlite/key-book.ts";
import type { KeptCredential } from "../stores/sqlite/key-rows.ts";
import { isOfDocument, newConsumer, type ConsumerTraits } from "./consumers.ts";
import { EXIT_OK } from "./exit-code.ts";
import type { KeyDesk } from "./open-key-book.ts";
import { tableLines } from "./table.ts";

const ID_LENGTH = 8;

export interface CreateKeyOptions {
  consumer: string;
  /** Make the consumer, with these traits, if it is not there. */
  createConsumer: ConsumerTraits | undefined;
  name: string;
  scopes: readonly string[];
  /** Epoch milliseconds; Infinity: never. */
  expiresAtMs: number;
  json: boolean;
}

export function createKey({ book, document }: KeyDesk, options: CreateKeyOptions): number {
  const { consumer, createConsumer, name, scopes, expiresAtMs, json } = options;
  const made = book.transaction(() => {
    const isKnown = isOfDocument(consumer, document) || book.consumer(consumer) !== undefined;
    if (!isKnown && createConsumer === undefined) {
      const names = [...(document?.consumers ?? []), ...book.consumers()].map(
        ({ name: one }) => one,
      );
      const hint = suggestion(consumer, names) ?? "make it with --create-consumer";
      throw new Refusal(`no consumer named ${JSON.stringify(consumer)}`, hint);
    }
    if (!isKnown) book.putConsumer(newConsumer(consumer, createConsumer!, document));
    return addKey(book, { consumer, name, scopes, expiresAtMs });
  });
  printMade(made, json);
  return EXIT_OK;
}

/** @param lifeMs of the new key; undefined: as long as the old one was to live */
export function rotateKey(
  { book }: KeyDesk,
  wanted: string,
  { graceMs, lifeMs, json }: { graceMs: number; lifeMs: number | undefined; json: boolean },
): number {
  const made = book.transaction(() => {
    const old = findKey(book, wanted);
    const now = Date.now();
    if (stateOf(old, now) !== "active") {
      throw new Refusal(`the key ${old.id} is ${stateOf(old, now)}`, "create another one");
    }
    book.setExpiry(old.id, Math.min(old.expiresAtMs, now + graceMs));
    const { consumer, name, scopes } = old;
    const expiresAtMs = now + (lifeMs ?? old.expiresAtMs - old.createdAtMs);
    return addKey(book, { consumer, name, scopes, expiresAtMs });
  });
  printMade(made, json);
  return EXIT_OK;
}

export function revokeKey({ book }: KeyDesk, wanted: string, json: boolean): number {
  const revoked = book.transaction(() => {
    const found = findKey(book, wanted);
    if (found.revokedAtMs === Infinity) book.revoke(found.id, Date.now());
    return book.credential(found.id)!;
  });
  if (json) console.log(JSON.stringify(described(revoked), null, 2));
  else console.log(`the key ${revoked.id} of ${revoked.consumer} is revoked`);
  return EXIT_OK;
}

export function listKeys(
  { book }: KeyDesk,
  { consumer, json }: { consumer: string | undefined; json: boolean },
): number {
  const keys = book.credentials(consumer).filter(({ kind }) => kind === "api-key");
  if (json) {
    console.log(JSON.stringify(keys.map(described), null, 2));
    return EXIT_OK;
  }
  const now = Date.now();
  const rows = keys.map((key) => [
    key.id,
    key.consumer,
    key.name,
    stateOf(key, now),
    dayOf(key.createdAtMs),
    dayOf(key.expiresAtMs),
    key.scopes.join(","),
  ]);
  const heading = ["ID", "CONSUMER", "NAME", "STATE", "CREATED", "EXPIRES", "SCOPES"];
  console.log(tableLines([heading, ...rows]).join("\n"));
  return EXIT_OK;
}

export function showKey({ book }: KeyDesk, wanted: string, json: boolean): number {
  const shown = described(findKey(book, wanted));
  if (json) console.log(JSON.stringify(shown, null, 2));
  else {
    const rows = Object.entries(shown).map(([key, value]) => [
      key,
      typeof value === "object" && value !== null ? value.join(" ") : (value ?? "never"),
    ]);
    console.log(tableLines(rows).join("\n"));
  }
  return EXIT_OK;
}

function addKey(
  book: KeyBook,
  facts: Pick<KeptCredential, "consumer" | "name" | "scopes" | "expiresAtMs">,
): { key: string; kept: KeptCredential } {
  const key = createApiKey();
  const kept: KeptCredential = {
    ...facts,
    id: randomWord(ID_LENGTH),
    kind: "api-key",
    lookup: hashApiKey(key),
    secret: "",
    algorithm: "",
    createdAtMs: Date.now(),
    revokedAtMs: Infinity,
  };
  book.addCredential(kept);
  return { key, kept };
}

/** By its id, or by the key itself: who finds a leaked one has nothing else. */
function findKey(book: KeyBook, wanted: string): KeptCredential {
  const found = book.credential(wanted) ?? book.credentialFor("api-key", hashApiKey(wanted));
  if (found?.kind === "api-key") return found;
  switch (apiKeyForm(wanted)) {
    case "intact":
      throw new Refusal("this key is not in the store", "it may be one of another gateway");
    case "mistyped":
      throw new Refusal("this key has a typing error: its checksum is wrong");
    case "other":
      throw new Refusal(`no key ${JSON.stringify(wanted)}`, "`gateward keys list` has the ids");
  }
}

type KeyState = "active" | "expired" | "revoked";

function stateOf({ expiresAtMs, revokedAtMs }: KeptCredential, now: number): KeyState {
  if (revokedAtMs !== Infinity) return "revoked";
  return expiresAtMs <= now ? "expired" : "active";
}

/** What may be told of a key; nothing that leads back to it. */
function described(kept: KeptCredential) {
  const { id, consumer, name, scopes, createdAtMs, expiresAtMs, revokedAtMs } = kept;
  return {
    id,
    consumer,
    name,
    state: stateOf(kept, Date.now()),
    scopes,
    created: momentOf(createdAtMs),
    expires: momentOf(expiresAtMs),
    revoked: momentOf(revokedAtMs),
  };
}

function printMade({ key, kept }: { key: string; kept: KeptCredential }, json: boolean): void {
  if (json) {
    console.log(JSON.stringify({ key, ...described(kept) }, null, 2));
    return;
  }
  // The key alone goes to standard output, to be piped on.
  const end =
    kept.expiresAtMs === Infinity ? "does not expire" : `expires ${dayOf(kept.expiresAtMs)}`;
  console.error(`Key ${kept.id} of ${kept.consumer}; it ${end}. It is not shown again:`);
  console.log(key);
}

function momentOf(epochMs: number): string | null {
  return epochMs === Infinity ? null : new Date(epochMs).toISOString();
}

function dayOf(epochMs: number): string {
  return momentOf(epochMs)?.slice(0, 10) ?? "never";
}
