import { defineGateway } from "gateward";

function port(): number {
  throw new Error("no port today");
}

export default defineGateway({ listen: port() });
