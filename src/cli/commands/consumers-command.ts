import { type CommandSpec, type Invocation } from "../command.ts";
import type { KeyDesk } from "../open-key-book.ts";
import { atKeyDesk } from "./at-key-desk.ts";
import { jsonOption, placeOptions, traitOptions, traitsOf, wantsJson } from "./key-options.ts";

const EXIT_CODES = `
Exit codes: 0 done, 1 the store cannot be read or written, 2 a mistake in the command line or the
configuration`;

async function withConsumers(
  invocation: Invocation,
  work: (works: typeof import("../consumers.ts"), desk: KeyDesk) => number,
): Promise<number> {
  return atKeyDesk(invocation, import("../consumers.ts"), work);
}

const NAME_ARGUMENT = { form: "<name>", summary: "the consumer's name" };

const createCommand: CommandSpec = {
  name: "create",
  summary: "make a consumer",
  argument: NAME_ARGUMENT,
  options: [...placeOptions, ...traitOptions],
  details: EXIT_CODES,
  async run(invocation) {
    return withConsumers(invocation, (consumers, desk) =>
      consumers.createConsumer(desk, invocation.argument!, traitsOf(invocation)),
    );
  },
};

const listCommand: CommandSpec = {
  name: "list",
  summary: "list consumers, of the document and of the store",
  options: [...placeOptions, jsonOption],
  details: EXIT_CODES,
  async run(invocation) {
    const json = wantsJson(invocation);
    return withConsumers(invocation, (consumers, desk) => consumers.listConsumers(desk, json));
  },
};

const updateCommand: CommandSpec = {
  name: "update",
  summary: "change what is named, and nothing else",
  argument: NAME_ARGUMENT,
  options: [...placeOptions, ...traitOptions],
  details: EXIT_CODES,
  async run(invocation) {
    return withConsumers(invocation, (consumers, desk) =>
      consumers.updateConsumer(desk, invocation.argument!, traitsOf(invocation)),
    );
  },
};

const deleteCommand: CommandSpec = {
  name: "delete",
  summary: "delete a consumer and its keys",
  argument: NAME_ARGUMENT,
  options: placeOptions,
  details: EXIT_CODES,
  async run(invocation) {
    return withConsumers(invocation, (consumers, desk) =>
      consumers.deleteConsumer(desk, invocation.argument!),
    );
  },
};

export const consumersCommand: CommandSpec = {
  name: "consumers",
  summary: "make, list, change and delete consumers beside those of the document",
  options: [],
  commands: [createCommand, listCommand, updateCommand, deleteCommand],
  details: `
They are kept in the file keys.db of the document's data folder. One of the document has the name
first: it can have keys here, but nothing else.

Exit codes: 0 done, 1 failed, 2 a mistake`,
};
