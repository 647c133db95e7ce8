import { Refusal } from "../../policy/values/refusal.ts";
import { parseDuration } from "../../policy/values/duration.ts";
import { type CommandSpec, type Invocation, valueOf } from "../command.ts";
import type { KeyDesk } from "../open-key-book.ts";
import { atKeyDesk } from "./at-key-desk.ts";
import {
  expiryOf,
  jsonOption,
  namesOf,
  placeOptions,
  traitOptions,
  traitsOf,
  wantsJson,
} from "./key-options.ts";

const EXIT_CODES = `
Exit codes: 0 done, 1 the keys cannot be read or written, 2 a mistake in the command line or the
configuration`;

async function withKeys(
  invocation: Invocation,
  work: (works: typeof import("../keys.ts"), desk: KeyDesk) => number,
): Promise<number> {
  return atKeyDesk(invocation, import("../keys.ts"), work);
}

const createCommand: CommandSpec = {
  name: "create",
  summary: "make a key, and print it once",
  options: [
    ...placeOptions,
    { flags: "--consumer <name>", summary: "whose key it is (needed)" },
    { flags: "--create-consumer", summary: "make the consumer if it is not there" },
    ...traitOptions,
    { flags: "--name <name>", summary: "tells the key from the consumer's others, in logs" },
    { flags: "--scopes <names>", summary: "narrow it to these of the consumer's scopes" },
    { flags: "--expires <when>", summary: "a time from now (90d) or a date (default: never)" },
    jsonOption,
  ],
  details: `
The key alone goes to standard output. Only its hash is kept: nobody can print it again. A gateway
that runs takes it within a second.

Examples:
  gateward keys create --consumer mobile --expires 90d
  gateward keys create --consumer partner-a --create-consumer --groups partners --plan gold
${EXIT_CODES}`,
  async run(invocation) {
    return withKeys(invocation, (keys, desk) => {
      const consumer = valueOf(invocation, "consumer");
      if (consumer === undefined) throw new Refusal("whose key is it to be", "add --consumer NAME");
      const expires = valueOf(invocation, "expires");
      const creates = invocation.options["createConsumer"] === true;
      const traits = traitsOf(invocation);
      if (!creates && Object.values(traits).some((trait) => trait !== undefined)) {
        const hint = "add --create-consumer, or use `gateward consumers update`";
        throw new Refusal("traits of a consumer that is not to be made", hint);
      }
      return keys.createKey(desk, {
        consumer,
        createConsumer: creates ? traits : undefined,
        name: valueOf(invocation, "name") ?? "",
        scopes: namesOf(invocation, "scopes") ?? [],
        expiresAtMs: expires === undefined ? Infinity : expiryOf(expires, Date.now()),
        json: wantsJson(invocation),
      });
    });
  },
};

const listCommand: CommandSpec = {
  name: "list",
  summary: "list keys: whose, since when, until when",
  options: [
    ...placeOptions,
    { flags: "--consumer <name>", summary: "only those of this consumer" },
    jsonOption,
  ],
  details: EXIT_CODES,
  async run(invocation) {
    const consumer = valueOf(invocation, "consumer");
    const json = wantsJson(invocation);
    return withKeys(invocation, (keys, desk) => keys.listKeys(desk, { consumer, json }));
  },
};

const KEY_ARGUMENT = { form: "<key>", summary: "the key's id, or the key itself" };

const showCommand: CommandSpec = {
  name: "show",
  summary: "what is known of a key",
  argument: KEY_ARGUMENT,
  options: [...placeOptions, jsonOption],
  details: EXIT_CODES,
  async run(invocation) {
    const json = wantsJson(invocation);
    return withKeys(invocation, (keys, desk) => keys.showKey(desk, invocation.argument!, json));
  },
};

const rotateCommand: CommandSpec = {
  name: "rotate",
  summary: "make a key in place of another, which ends a little later",
  argument: KEY_ARGUMENT,
  options: [
    ...placeOptions,
    { flags: "--grace <time>", summary: "how long the old one still works", default: "24h" },
    {
      flags: "--expires <when>",
      summary: "end of the new one (default: as long as the old one was to last)",
    },
    jsonOption,
  ],
  details: EXIT_CODES,
  async run(invocation) {
    return withKeys(invocation, (keys, desk) => {
      const expires = valueOf(invocation, "expires");
      const now = Date.now();
      const grace = valueOf(invocation, "grace") ?? "24h";
      return keys.rotateKey(desk, invocation.argument!, {
        graceMs: /^0(ms|s|m|h|d)?$/.test(grace) ? 0 : parseDuration(grace),
        lifeMs: expires === undefined ? undefined : expiryOf(expires, now) - now,
        json: wantsJson(invocation),
      });
    });
  },
};

const revokeCommand: CommandSpec = {
  name: "revoke",
  summary: "end a key at once",
  argument: KEY_ARGUMENT,
  options: [...placeOptions, jsonOption],
  details: EXIT_CODES,
  async run(invocation) {
    const json = wantsJson(invocation);
    return withKeys(invocation, (keys, desk) => keys.revokeKey(desk, invocation.argument!, json));
  },
};

export const keysCommand: CommandSpec = {
  name: "keys",
  summary: "make, list, rotate and revoke API keys while the gateway runs",
  options: [],
  commands: [createCommand, listCommand, showCommand, rotateCommand, revokeCommand],
  details: `
Keys are kept in the file keys.db of the document's data folder, hashed. Run it as the user that the
gateway runs as.

Exit codes: 0 done, 1 failed, 2 a mistake`,
};
