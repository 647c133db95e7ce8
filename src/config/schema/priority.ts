import { PRIORITIES } from "../../base/priorities.ts";
import { choice } from "../../policy/values/text.ts";

/** `priority` of routes and plans: `low`, `normal`, `high` or `critical`. */
export function priority() {
  return choice(PRIORITIES);
}
