/** check-headers: changes of headers that make no sense, or that do not come to what they say. */
import { identityHeaderMistakes } from "../../policy/identity-header-mistakes.ts";
import type { OptionMistake, PolicySurroundings } from "../../policy/policy.ts";
import type { HeaderOptions, HeadersOptions } from "./headers-options.ts";
import { HeaderNames } from "../../policy/header-names.ts";

type Side = "request" | "response";

export function checkHeaders(
  { request, response }: HeadersOptions,
  surroundings: PolicySurroundings,
): readonly OptionMistake[] {
  if (changesNothing(request) && changesNothing(response)) {
    return [
      { message: "there are no changes", hint: "give some, such as request: { remove: X-Debug }" },
    ];
  }
  return [
    ...checkSide("request", request),
    ...checkSide("response", response),
    ...identityHeaderMistakes(givenHeaders(request), surroundings),
  ];
}

function changesNothing(options: HeaderOptions): boolean {
  const { remove, rename, set, add } = options;
  const maps = [rename, options.default, set, add];
  return remove.length === 0 && maps.every((map) => Object.keys(map).length === 0);
}

function checkSide(
  side: Side,
  { remove, rename, set, ...options }: HeaderOptions,
): OptionMistake[] {
  const mistakes: OptionMistake[] = [];
  const removed = new HeaderNames(remove);
  const isRemoved = (name: string): boolean => removed.has(name, 0, name.length);
  for (const name of Object.keys(set)) {
    if (isRemoved(name)) {
      const message = `${name} is removed and set`;
      mistakes.push({ path: [side, "set", name], message, hint: "what is set replaces what was" });
    }
    if (Object.hasOwn(options.default, name)) {
      const message = `${name} is set, so it is never missing`;
      mistakes.push({ path: [side, "default", name], message, hint: "leave one of them out" });
    }
  }
  const targets = Object.values(rename);
  for (const [from, to] of Object.entries(rename)) {
    const path = [side, "rename", from];
    if (from === to) mistakes.push({ path, message: `${from} keeps its name` });
    else if (Object.hasOwn(rename, to)) {
      const message = `${to} is renamed itself`;
      mistakes.push({ path, message, hint: "write a second use of headers" });
    } else if (targets.filter((name) => name === to).length > 1) {
      mistakes.push({ path, message: `several headers become ${to}`, hint: "only one can" });
    } else if (isRemoved(from)) {
      mistakes.push({ path, message: `${from} is removed before it could be renamed` });
    } else if (Object.hasOwn(set, to)) {
      mistakes.push({ path, message: `${to} is set, so nothing of ${from} is left` });
    }
  }
  return mistakes;
}

/** Headers of requests that are given, with their places in the options. */
function givenHeaders({ rename, set, add, ...options }: HeaderOptions) {
  const named = [
    ...Object.keys(options.default).map((name) => ["default", name, name] as const),
    ...Object.keys(set).map((name) => ["set", name, name] as const),
    ...Object.keys(add).map((name) => ["add", name, name] as const),
    ...Object.entries(rename).map(([from, to]) => ["rename", from, to] as const),
  ];
  return named.map(([key, written, name]) => [["request", key, written], name] as const);
}
