import { z } from "zod";
import { expected } from "../../policy/values/expected.ts";
import { formatAddress, parseAddress, parseHost } from "./address.ts";
import { count, flag } from "../../policy/values/number.ts";
import { parsedText } from "../../policy/values/parsed-text.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { section } from "../../policy/values/section.ts";

/** Where the admin API listens, or false. */
export type AdminConfig = { key: string; host: string; port: number };

const HOST = "127.0.0.1";
const PORT = 9090;
const NOT_A_PORT = "not a port; a number from 0 to 65535";
const HINT = "write a port (9090), host:port (127.0.0.1:9090) or false";

const adminObject = section({
  port: count({ max: 65_535 }).prefault(PORT).describe("TCP port; 0 takes any free one."),
  host: parsedText(parseHost, { what: "a host", hint: "write an address like 127.0.0.1" })
    .prefault(HOST)
    .describe("Address to bind. Whoever reaches it controls the gateway: keep it private."),
}).transform((value): AdminConfig => ({ key: formatAddress(value), ...value }));

const shortAdmin = parsedText(fromText, {
  what: "an address",
  hint: HINT,
  sample: "127.0.0.1:9090",
});
const portAdmin = z
  .int({ error: HINT })
  .min(0, { error: NOT_A_PORT })
  .max(65_535, { error: NOT_A_PORT })
  .transform((port) => fromText(String(port)));

/** `admin`: where the admin API, metrics and health checks of the gateway itself answer. */
export const admin = z
  .union([portAdmin, shortAdmin, adminObject, flag()], {
    error: expected("where the admin API listens", HINT),
  })
  .transform((value): AdminConfig | false => (value === true ? fromText(String(PORT)) : value));

function fromText(text: string): AdminConfig {
  const { host, port, path } = parseAddress(text, HOST);
  if (path !== undefined) throw new Refusal("the admin API listens on TCP only", HINT);
  return { key: formatAddress({ host, port }), host, port };
}
