import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../test/support/fast-check.ts";
import { tokenFlaws } from "../../policy/token/token-flaw.ts";
import { decodeBase64Url, parseToken } from "./parse-token.ts";

const encode = (text: string): string => Buffer.from(text).toString("base64url");

test("token parser: the parts of a token come out", () => {
  const header = encode('{"alg":"ES256","kid":"k","typ":"application/AT+JWT"}');
  const claims = encode('{"sub":"alice"}');
  const token = parseToken(`${header}.${claims}.AQID`);
  assert.deepEqual(token, {
    algorithm: "ES256",
    keyId: "k",
    type: "at+jwt",
    claims: { sub: "alice" },
    signed: `${header}.${claims}`,
    signature: Buffer.from([1, 2, 3]),
  });
});

test("base64url: every text that is accepted is the one spelling of its bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 50 }), (bytes) => {
      const text = Buffer.from(bytes).toString("base64url");
      assert.deepEqual(decodeBase64Url(text), Buffer.from(bytes));
    }),
  );
  const characters = [..."ABCDwxyz0189-_+/= \n.é"];
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...characters), maxLength: 9 }), (text) => {
      const bytes = decodeBase64Url(text);
      if (bytes !== null) assert.equal(bytes.toString("base64url"), text);
    }),
  );
});

test("token parser: no text makes it throw, and what it refuses has a reason", () => {
  const part = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }).map(encode),
    fc.jsonValue().map((value) => encode(JSON.stringify(value))),
    fc
      .record(
        { alg: fc.constantFrom("RS256", "none", 1, null), kid: fc.anything(), typ: fc.anything() },
        { requiredKeys: [] },
      )
      .map((header) => encode(safeJson(header))),
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(part, { maxLength: 5 }).map((list) => list.join(".")),
  );
  fc.assert(
    fc.property(text, (token) => {
      const parsed = parseToken(token);
      if (typeof parsed === "string") assert.ok(tokenFlaws.includes(parsed));
      else assert.ok(parsed.signature.length > 0);
    }),
    { numRuns: 2000 },
  );
});

test("token parser: damage to a token never yields the same token", () => {
  const token = `${encode('{"alg":"RS256"}')}.${encode('{"sub":"alice","n":[1,2]}')}.${encode("sig")}`;
  const damage = fc.record({ at: fc.nat(token.length - 1), by: fc.string({ maxLength: 2 }) });
  fc.assert(
    fc.property(damage, ({ at, by }) => {
      const other = token.slice(0, at) + by + token.slice(at + 1);
      const parsed = parseToken(other);
      if (other === token || typeof parsed === "string") return;
      assert.notEqual(`${parsed.signed}.${parsed.signature.toString("base64url")}`, token);
    }),
    { numRuns: 2000 },
  );
});

function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return "";
  }
}
