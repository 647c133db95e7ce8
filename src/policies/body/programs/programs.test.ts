import assert from "node:assert/strict";
import { after, test } from "node:test";
import { BodyFlaw } from "../body-flaw.ts";
import { checkProgram } from "./jsonata-library.ts";
import { ProgramThread } from "./program-thread.ts";

const thread = new ProgramThread();
after(() => thread[Symbol.dispose]());

/** JSON of the result, or the code of what went wrong. */
async function run(program: string, body: unknown, variables = {}, timeoutMs = 200) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  try {
    return await thread.run({ program, body: text, variables, timeoutMs });
  } catch (error) {
    assert.ok(error instanceof BodyFlaw);
    return error.code;
  }
}

test("jsonata: a program gives the new body", async () => {
  const body = {
    items: [
      { price: 2, count: 3 },
      { price: 4, count: 1 },
    ],
  };
  const program = '{ "total": $sum(items.(price * count)), "by": $identity.subject }';
  assert.equal(
    await run(program, body, { identity: { subject: "anna" } }),
    '{"total":10,"by":"anna"}',
  );
  assert.equal(await run("nothing", body), "null");
});

test("jsonata: long numbers pass untouched, and cannot be calculated with", async () => {
  const body = '{"id":12345678901234567890,"list":[1,9007199254740993]}';
  assert.equal(
    await run('{ "id": id, "last": list[1] }', body),
    '{"id":12345678901234567890,"last":9007199254740993}',
  );
  assert.equal(await run('$ ~> |$|{ "x": 1 }|', body), `${body.slice(0, -1)},"x":1}`);
  assert.equal(await run("id + 1", body), "program-failed");
});

test("jsonata: a program that does not end is ended, and the next runs", async () => {
  const endless: [program: string, body: unknown, code: string][] = [
    ["($f := function($x) { $f($x + 1) }; $f(1))", {}, "program-timeout"],
    ["($f := function($x) { $f($x + 1) + 1 }; $f(1))", {}, "program-too-deep"],
    ["[1..9000000]", {}, "program-too-large"],
    ["$match(text, /^(a+)+$/)", { text: `${"a".repeat(40)}b` }, "program-timeout"],
    [
      "$distinct(list)",
      { list: Array.from({ length: 60_000 }, (_, index) => `n${index}`) },
      "program-timeout",
    ],
  ];
  for (const [program, body, code] of endless) {
    assert.equal(await run(program, body), code, program);
    assert.equal(await run("a", { a: 1 }), "1");
  }
});

test("jsonata: programs wait for each other, and a late one takes none with it", async () => {
  const late = run("$match(text, /^(a+)+$/)", { text: `${"a".repeat(40)}b` });
  const others = [1, 2, 3].map((a) => run("a", { a }));
  assert.equal(await late, "program-timeout");
  assert.deepEqual(await Promise.all(others), ["1", "2", "3"]);
});

test("jsonata: a program sees nothing but the body and its variables", async () => {
  const reaching = [
    "constructor",
    "$.constructor.constructor('return process')()",
    "__proto__",
    "$process",
    "$globalThis",
    "$request.constructor",
    "'a'.constructor",
  ];
  for (const program of reaching) {
    assert.match(await run(program, { a: 1 }, { request: {} }), /^(null|program-failed)$/, program);
  }
  assert.equal(await run("$lookup($, '__proto__')", { a: 1 }), "null");
});

test("jsonata: what is no program is refused with its place", () => {
  assert.throws(() => checkProgram("a.b["), { name: "Refusal", message: /column 4/ });
  assert.throws(() => checkProgram("$eval(a)"), { name: "Refusal", message: /\$eval/ });
  checkProgram("a.b");
});

test("jsonata: an answer that has come is taken, however late this thread looks", async () => {
  assert.equal(await run("a", { a: 1 }), "1");
  // Timers come next then, and messages after them.
  await new Promise((resolve) => void setImmediate(resolve));
  const answer = run("a", { a: 2 });
  // Until the program has long been done, and its deadline is over.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
  assert.equal(await answer, "2");
});

test("jsonata: what would wait too long is refused, and told when to come again", async () => {
  const crowded = new ProgramThread();
  const request = { program: "a", body: '{"a":1}', variables: {}, timeoutMs: 200 };
  const running = Array.from({ length: 257 }, () => crowded.run(request));
  await assert.rejects(crowded.run(request), (error) => {
    assert.ok(error instanceof BodyFlaw);
    assert.deepEqual([error.kind, error.code], ["busy", "program-busy"]);
    assert.deepEqual(error.headers, { "retry-after": "1" });
    return true;
  });
  assert.equal((await Promise.all(running)).length, 257);
  // Ten programs of 250 ms each: those at the end would wait longer than anybody should.
  const slow = { ...request, program: "$match(t, /^(a+)+$/)", body: `{"t":"${"a".repeat(40)}b"}` };
  const late = await Promise.allSettled(Array.from({ length: 10 }, () => crowded.run(slow)));
  const codes = late.map((one) => (one.status === "rejected" ? (one.reason as BodyFlaw).code : ""));
  assert.equal(codes[0], "program-timeout");
  assert.equal(codes.at(-1), "program-busy");
  crowded[Symbol.dispose]();
});
