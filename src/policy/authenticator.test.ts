import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault, faultTypes } from "../base/faults.ts";
import { allOf, anyOf } from "./any-of.ts";
import { authenticatorHooks, type Authenticator } from "./authenticator.ts";
import type { Exchange } from "./exchange.ts";
import { Identity } from "./identity.ts";
import { reply } from "./reply.ts";

const someone = new Identity({ method: "test", subject: "someone" });
const exchange = { identify: () => true } as unknown as Exchange;

function authenticator(parts: Partial<Authenticator>): Authenticator {
  return { challenge: "Test", authenticate: () => null, ...parts };
}

test("authenticator: an invitation may come late, and may be a fault", async () => {
  const login = reply(302, { location: "/login" });
  const away = new Fault(faultTypes["no-target"]);
  for (const invitation of [login, away]) {
    const invited = authenticator({ invite: () => Promise.resolve(invitation) });
    assert.equal(await authenticatorHooks(invited).onRequest!(exchange), invitation);
    const late = authenticator({
      authenticate: () => Promise.resolve(null),
      invite: () => invitation,
    });
    assert.equal(await authenticatorHooks(late).onRequest!(exchange), invitation);
  }
});

test("authenticator: without an invitation nobody passes, and is told what would do", () => {
  const { onRequest } = authenticatorHooks(authenticator({ invite: () => undefined }));
  const fault = onRequest!(exchange) as Fault;
  assert.equal(fault.name, "authentication-required");
  assert.deepEqual(fault.headers, { "www-authenticate": "Test" });
});

for (const [how, combine] of [
  ["any-of", anyOf],
  ["all-of", allOf],
] as const) {
  test(`authenticator: every member of ${how} conceals, whoever decided, and only in requests that go on`, () => {
    let concealed = 0;
    const conceal = (): void => void concealed++;
    const accepts = authenticator({ authenticate: () => someone, conceal });
    const first = authenticatorHooks(combine([accepts, accepts]));
    assert.equal(first.onRequest!(exchange), undefined);
    assert.equal(concealed, 2);
    const absent = combine([authenticator({ conceal }), authenticator({ conceal })]);
    void authenticatorHooks(absent).onRequest!(exchange);
    assert.equal(concealed, 2);
    assert.equal(authenticatorHooks(absent, true).onRequest!(exchange), undefined);
    assert.equal(concealed, 4);
  });
}
