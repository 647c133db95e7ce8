import type { ConfigInput } from "./config.ts";
import type { GatewayConfig } from "./gateway-config.ts";

/**
 * Types the document of a `gateward.ts`, so that the editor and the compiler check it:
 *
 * ```ts
 * import { defineGateway } from "gateward";
 *
 * export default defineGateway({
 *   services: { users: "http://127.0.0.1:3001" },
 *   routes: [{ match: "GET /users/:id", service: "users" }],
 * });
 * ```
 */
export function defineGateway(config: GatewayConfig): ConfigInput {
  return config as ConfigInput;
}
