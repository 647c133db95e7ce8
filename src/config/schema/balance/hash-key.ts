import { z } from "zod";
import { cookieName } from "../../../policy/values/cookie.ts";
import { expected } from "../../../policy/values/expected.ts";
import { headerName } from "../../../policy/values/header.ts";
import { parsedText } from "../../../policy/values/parsed-text.ts";
import { Refusal } from "../../../policy/values/refusal.ts";
import { section } from "../../../policy/values/section.ts";
import { text } from "../../../policy/values/text.ts";
import type { HashKeyConfig } from "../../../upstream/balance/balance-config.ts";

const BY_HINT = "write client, or one of { header: NAME }, { cookie: NAME }, { param: NAME }";

const hashKeyMap = section({
  header: headerName().optional().describe("Hash the value of this request header."),
  cookie: cookieName().optional().describe("Hash the value of this cookie."),
  param: text("a parameter's name").optional().describe("Hash this parameter of the route's path."),
}).transform((value, context): HashKeyConfig => {
  const given: HashKeyConfig[] = [];
  if (value.header !== undefined) given.push({ from: "header", name: value.header });
  if (value.cookie !== undefined) given.push({ from: "cookie", name: value.cookie });
  if (value.param !== undefined) given.push({ from: "param", name: value.param });
  const [only, second] = given;
  if (only !== undefined && second === undefined) return only;
  const params = { hint: "write one of header, cookie, param" };
  const message = only === undefined ? "nothing to hash by" : "several things to hash by";
  context.issues.push({ code: "custom", message, params, input: value });
  return z.NEVER;
});

/** What a request is hashed by. */
export const hashKey = z.union(
  [
    parsedText(clientKey, { what: "what to hash by", hint: BY_HINT, choices: ["client"] }),
    hashKeyMap,
  ],
  { error: expected("what to hash by", BY_HINT) },
);

function clientKey(written: string): HashKeyConfig {
  if (written === "client") return { from: "client", name: "" };
  const lacksName = ["header", "cookie", "param"].includes(written);
  const hint = lacksName ? `name the ${written}: { ${written}: NAME }` : BY_HINT;
  throw new Refusal(`cannot hash by ${JSON.stringify(written)}`, hint);
}
