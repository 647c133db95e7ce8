/** What users import from the package: `import { defineGateway } from "gateward"`. */
export { defineGateway } from "./config/define-gateway.ts";
export type { ConfigInput as GatewayConfig } from "./config/config.ts";
