import { HeaderNames } from "./header-names.ts";
import type { OptionMistake, PolicySurroundings } from "./policy.ts";

/**
 * Headers of requests that options give and that tell services who is calling. The gateway adds those lines after
 * all policies: a second one could be read in their place.
 *
 * @param named each header with its place in the options
 */
export function identityHeaderMistakes(
  named: readonly (readonly [path: readonly (string | number)[], name: string])[],
  { identityHeaders = [] }: PolicySurroundings,
): OptionMistake[] {
  const own = new HeaderNames(identityHeaders);
  return named
    .filter(([, name]) => own.has(name, 0, name.length))
    .map(([path, name]) => ({
      path,
      message: `${name} tells services who is calling; only the gateway says it`,
      hint: "take another name, or change the document's identity",
    }));
}
