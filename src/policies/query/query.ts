/**
 * query: changes the parameters of the query that a service is sent.
 */
import { definePolicy, type OptionMistake } from "../../policy/policy.ts";
import { templateNeeds } from "../../policy/template.ts";
import { ParameterNames } from "./parameter-names.ts";
import { QueryChanges } from "./query-changes.ts";
import { queryOptions, type QueryOptions } from "./query-options.ts";

export default definePolicy({
  name: "query",
  summary: "Sets, adds, removes and renames parameters of the query, or keeps only those listed.",
  schema: queryOptions.prefault({}),
  needs: ({ set, add, ...options }) =>
    templateNeeds([
      ...Object.values(options.default),
      ...Object.values(set),
      ...Object.values(add).flat(),
    ]),
  check,

  compile(options, environment) {
    const changes = new QueryChanges(options, environment);
    return {
      onRequest(exchange) {
        changes.apply(exchange);
      },
    };
  },
});

function check({ keep, remove, rename, set, add, ...options }: QueryOptions): OptionMistake[] {
  const maps = [rename, options.default, set, add];
  if (keep === undefined && remove.length === 0 && maps.every((map) => isEmpty(map))) {
    return [{ message: "there are no changes", hint: "give some, such as remove: utm_*" }];
  }
  const mistakes: OptionMistake[] = [];
  const removed = new ParameterNames(remove);
  const kept = keep === undefined ? null : new ParameterNames(keep);
  for (const [index, name] of (keep ?? []).entries()) {
    if (!name.endsWith("*") && removed.has(name)) {
      mistakes.push({ path: ["keep", index], message: `${name} is kept and removed` });
    }
  }
  for (const [from, to] of Object.entries(rename)) {
    const path = ["rename", from];
    if (from.includes("*") || to.includes("*")) {
      const message = "a * in a name that is given to, or taken from, one parameter";
      mistakes.push({ path, message, hint: "only keep and remove take several", isWarning: true });
    }
    if (from === to) mistakes.push({ path, message: `${from} keeps its name` });
    else if (removed.has(from)) {
      mistakes.push({ path, message: `${from} is removed before it could be renamed` });
    } else if (kept !== null && !kept.has(from)) {
      const hint = "list the name that clients send under keep";
      mistakes.push({ path, message: `${from} is not among what is kept`, hint });
    } else if (Object.hasOwn(set, to)) {
      mistakes.push({ path, message: `${to} is set, so nothing of ${from} is left` });
    }
  }
  for (const name of Object.keys(options.default)) {
    if (!Object.hasOwn(set, name)) continue;
    const message = `${name} is set, so it is never missing`;
    mistakes.push({ path: ["default", name], message, hint: "leave one of them out" });
  }
  return mistakes;
}

function isEmpty(map: object): boolean {
  return Object.keys(map).length === 0;
}
