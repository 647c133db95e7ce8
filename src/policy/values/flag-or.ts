import { z } from "zod";
import { expected } from "./expected.ts";
import { flag } from "./number.ts";

/**
 * Schema of what can be switched on as it is, or described: true, false or a map.
 *
 * @param hint an example of a map: `{ attempts: 2 }`
 */
export function flagOr<Map extends z.ZodType>(map: Map, hint: string) {
  const error = expected("true, false or a map", `write true, or ${hint}`);
  return z.union([flag(error), map], { error });
}
