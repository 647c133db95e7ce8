import { parseMediaTypePattern } from "../../routing/media-type.ts";
import { RoutingError } from "../../routing/routing-error.ts";
import { parsedText } from "./parsed-text.ts";
import { Refusal } from "./refusal.ts";

const HINT = "write it like application/json, text/* or *+json, without parameters";

/** Schema of a media type, or a pattern of some; the output is as it is written. */
export function mediaType() {
  const parse = (written: string): string => {
    compileMediaType(written);
    return written;
  };
  return parsedText(parse, { what: "a media type", hint: HINT, sample: "application/json" });
}

/** @throws Refusal for what is no media type with at most one wildcard */
export function compileMediaType(written: string): { test(contentType: string): boolean } {
  try {
    return parseMediaTypePattern(written);
  } catch (error) {
    if (!(error instanceof RoutingError)) throw error;
    throw new Refusal(error.message, error.hint ?? HINT);
  }
}
