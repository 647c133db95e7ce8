import type { Exchange } from "../../policy/exchange.ts";
import type { Item } from "./structured-fields.ts";

/** Components that say the same and more. */
const WIDER: Readonly<Record<string, readonly string[]>> = {
  "@authority": ["@target-uri"],
  "@scheme": ["@target-uri"],
  "@path": ["@target-uri", "@request-target"],
  "@query": ["@target-uri", "@request-target"],
};

/** Asks whether a signature covers what it has to. */
export class RequiredComponents {
  private readonly required: readonly string[];
  private readonly wantsDigest: boolean;

  /** @param wantsDigest requests that have a body have to cover Content-Digest. */
  constructor(required: readonly string[], wantsDigest: boolean) {
    this.required = required;
    this.wantsDigest = wantsDigest;
  }

  areCovered(exchange: Exchange, components: readonly Item[]): boolean {
    // With a parameter a component is only a part of itself.
    const covered = components.flatMap(([name, parameters]) => (parameters.size > 0 ? [] : [name]));
    for (const name of this.required) {
      // Nothing is there to be covered, and what is added later makes it be there.
      if (name === "@query" && exchange.rawQuery === "") continue;
      const wider = WIDER[name] ?? [];
      if (!covered.includes(name) && !wider.some((one) => covered.includes(one))) return false;
    }
    return !this.wantsDigest || !exchange.request.hasBody || covered.includes("content-digest");
  }
}
