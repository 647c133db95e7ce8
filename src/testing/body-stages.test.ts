import assert from "node:assert/strict";
import { test } from "node:test";
import { defineFaultType, Fault } from "../base/faults.ts";
import { BodyStage } from "../policy/body-stage.ts";
import { definePolicy, type PolicyHooks } from "../policy/policy.ts";
import { reply } from "../policy/reply.ts";
import { section } from "../policy/values/section.ts";
import { WholeBody } from "../policy/whole-body.ts";
import type { FakeService } from "./fake-service.ts";
import { testPolicy, type TestPolicySettings } from "./test-policy.ts";

const tooLarge = new Fault(
  defineFaultType("test-too-large", {
    status: 413,
    title: "Too large for the test",
    whose: "client",
    retrySafe: "never",
    cause: "The test's body is too large.",
    remedy: "Send less.",
  }),
);

/** Sends all on in capitals, as it comes. */
class Capitals extends BodyStage {
  readonly holdsHead = false;
  readonly log: string[];

  constructor(log: string[] = []) {
    super();
    this.log = log;
  }

  write(bytes: Buffer, start: number, end: number): void {
    const text = bytes.toString("latin1", start, end).toUpperCase();
    this.log.push(text);
    this.sink.push(Buffer.from(text), 0, text.length);
  }

  end(): void {
    this.sink.push(Buffer.from("!"), 0, 1);
    this.sink.end();
  }

  override dispose(): void {
    this.log.push("disposed");
  }
}

const whole = (judge: ConstructorParameters<typeof WholeBody>[2], bytesMax = 1000): WholeBody =>
  new WholeBody(bytesMax, tooLarge, judge);

/** A policy with these hooks. */
function subjectOf(hooks: PolicyHooks, service?: FakeService, settings?: TestPolicySettings) {
  const policy = definePolicy({
    name: "staging",
    summary: "Stages bodies.",
    schema: section({}).prefault({}),
    faults: [tooLarge.type],
    compile: () => hooks,
  });
  return testPolicy(policy, undefined, { ...settings, ...(service && { service }) });
}

async function* slowly(...pieces: string[]) {
  for (const piece of pieces) {
    await new Promise((resolve) => setImmediate(resolve));
    yield piece;
  }
}

const echo: FakeService = async (call) => ({ body: `<${await call.text()}>` });

test("request stage: a whole body is judged before the service is asked, and its new length is told", async () => {
  await using subject = await subjectOf(
    {
      onRequest: (exchange) =>
        exchange.stageRequest(whole((body) => Buffer.from(`${String(body)} and more`))),
    },
    echo,
  );
  const { body, sent } = await subject.request({ method: "POST", body: slowly("one", " two") });
  assert.equal(body, "<one two and more>");
  assert.equal(sent?.headers["content-length"], "16");
  assert.equal(sent?.headers["transfer-encoding"], undefined);
});

test("request stage: a body beyond the limit, or one that is judged so, never reaches the service", async () => {
  await using subject = await subjectOf({
    onRequest: (exchange) => exchange.stageRequest(whole(() => reply(422, {}, "no"), 5)),
  });
  const small = await subject.request({ method: "POST", body: "abc" });
  assert.deepEqual([small.status, small.body, small.sent], [422, "no", undefined]);
  const large = await subject.request({ method: "POST", body: slowly("abc", "def", "ghi") });
  assert.deepEqual([large.problem?.name, large.sent], ["test-too-large", undefined]);
});

test("request stage: without a body it is asked all the same", async () => {
  const seen: number[] = [];
  await using subject = await subjectOf(
    {
      onRequest(exchange) {
        assert.equal(exchange.requestHasBody, false);
        exchange.stageRequest(whole((body) => void seen.push(body.length)));
      },
    },
    echo,
  );
  const { status, sent } = await subject.request();
  assert.deepEqual([status, sent?.headers["content-length"], seen], [200, undefined, [0]]);
});

test("request stage: a promise of a verdict is waited for", async () => {
  await using subject = await subjectOf(
    {
      onRequest: (exchange) =>
        exchange.stageRequest(
          whole(async (body) => await Promise.resolve(Buffer.from(body.toString().repeat(2)))),
        ),
    },
    echo,
  );
  assert.equal((await subject.request({ method: "POST", body: "ab" })).body, "<abab>");
});

test("request stage: what streams goes on as it comes, and no length is told", async () => {
  const log: string[] = [];
  await using subject = await subjectOf(
    { onRequest: (exchange) => exchange.stageRequest(new Capitals(log)) },
    echo,
  );
  const { body, sent } = await subject.request({
    method: "POST",
    body: "abcdef",
  });
  assert.equal(body, "<ABCDEF!>");
  assert.equal(sent?.headers["content-length"], undefined);
  assert.deepEqual(log, ["ABCDEF"]);
});

test("request stages: run in the order in which they were asked for", async () => {
  await using subject = await subjectOf(
    {
      onRequest(exchange) {
        exchange.stageRequest(new Capitals());
        exchange.stageRequest(whole((body) => Buffer.from(`${String(body)} then whole`)));
        exchange.stageRequest(new Capitals());
      },
    },
    echo,
  );
  const { body, sent } = await subject.request({ method: "POST", body: slowly("a", "b") });
  assert.equal(body, "<AB! THEN WHOLE!>");
  assert.equal(sent?.headers["content-length"], "15");
});

test("request stage: one that throws is an internal error", async () => {
  await using subject = await subjectOf({
    onRequest: (exchange) =>
      exchange.stageRequest(
        whole(() => {
          throw new Error("a mistake of the policy");
        }),
      ),
  });
  const { problem, sent } = await subject.request({ method: "POST", body: "x" });
  assert.deepEqual([problem?.name, sent], ["internal-error", undefined]);
  assert.equal(subject.gateway.log.length, 1);
});

test("request stage: the client that waits to be asked for its body is asked", async () => {
  await using subject = await subjectOf(
    { onRequest: (exchange) => exchange.stageRequest(whole(() => {})) },
    echo,
  );
  const { informational, sent, body } = await subject.request({
    method: "POST",
    headers: { expect: "100-continue" },
    body: slowly("later"),
  });
  assert.deepEqual([informational[0]?.status, sent?.headers["expect"]], [100, undefined]);
  assert.equal(body, "<later>");
});

test("request stage: the limit for bodies counts what the client sends", async () => {
  await using subject = await subjectOf(
    { onRequest: (exchange) => exchange.stageRequest(whole(() => Buffer.alloc(0))) },
    echo,
    { document: { limits: { bodyBytes: 4 } } },
  );
  const { problem } = await subject.request({ method: "POST", body: slowly("abc", "def") });
  assert.equal(problem?.name, "body-too-large");
});

test("response stage: status, fields and body may change once the whole of it is known", async () => {
  await using subject = await subjectOf(
    {
      onResponse(exchange) {
        assert.equal(exchange.responseHasBody, true);
        exchange.stageResponse(
          whole((body) => {
            exchange.response.setStatus(203, "Changed");
            exchange.response.fields.set("x-size", String(body.length));
            return Buffer.from("short");
          }),
        );
      },
    },
    () => ({ body: slowly("a long", " body") }),
  );
  const { status, headers, body } = await subject.request();
  assert.deepEqual([status, body], [203, "short"]);
  assert.deepEqual([headers["x-size"], headers["content-length"]], ["11", "5"]);
});

test("response stage: what streams passes piece by piece without a length", async () => {
  await using subject = await subjectOf(
    { onResponse: (exchange) => exchange.stageResponse(new Capitals()) },
    () => ({ headers: { "content-length": "4" }, body: "abcd" }),
  );
  const { headers, body, pieces } = await subject.request();
  assert.deepEqual([headers["content-length"], body, pieces.length], [undefined, "ABCD!", 2]);
});

test("response stages: the gateway's own answers pass them too", async () => {
  await using subject = await subjectOf({
    onRequest: () => reply(403, { "content-type": "text/plain" }, "no"),
    onResponse: (exchange) => exchange.stageResponse(new Capitals()),
  });
  const { status, headers, body } = await subject.request();
  assert.deepEqual([status, headers["content-length"], body], [403, "3", "NO!"]);
});

test("response stage: where there may be no body it is disposed, and no length is told", async () => {
  const log: string[] = [];
  await using subject = await subjectOf(
    {
      onResponse(exchange) {
        assert.equal(exchange.responseHasBody, false);
        exchange.stageResponse(new Capitals(log));
      },
    },
    () => ({ headers: { "content-length": "4" } }),
  );
  const { status, headers } = await subject.request({ method: "HEAD" });
  assert.deepEqual([status, headers["content-length"], log], [200, undefined, ["disposed"]]);
});

test("response stage: a refusal before the head is an answer, after it the response breaks off", async () => {
  class Refuses extends BodyStage {
    readonly holdsHead: boolean;

    constructor(holdsHead: boolean) {
      super();
      this.holdsHead = holdsHead;
    }

    write(bytes: Buffer, start: number, end: number): void {
      this.sink.push(bytes, start, end);
    }

    end(): void {
      this.sink.fail(tooLarge);
    }
  }
  for (const holds of [true, false]) {
    await using subject = await subjectOf(
      { onResponse: (exchange) => exchange.stageResponse(new Refuses(holds)) },
      () => "text",
    );
    const { status, isBroken, outcome } = await subject.request();
    assert.deepEqual(
      [status, isBroken, outcome.fault],
      [holds ? 413 : 200, !holds, "test-too-large"],
    );
  }
});

test("response stage: a service that breaks off while the head is held is a 502", async () => {
  await using subject = await subjectOf(
    {
      onResponse(exchange) {
        if (exchange.response.status === 200) exchange.stageResponse(whole(() => {}));
      },
    },
    () => ({
      body: (async function* () {
        yield "a";
        await Promise.resolve();
        throw new Error("cut");
      })(),
    }),
  );
  assert.equal((await subject.request()).problem?.name, "upstream-reset");
});

test("response stage: a service that falls silent while the head is held is a 504", async () => {
  await using subject = await subjectOf(
    {
      onResponse(exchange) {
        if (exchange.response.status === 200) exchange.stageResponse(whole(() => {}));
      },
    },
    () => ({
      body: (async function* () {
        yield "a";
        await new Promise(() => {});
      })(),
    }),
  );
  const waiting = subject.gateway.start();
  await new Promise((resolve) => setTimeout(resolve, 20));
  subject.clock.advance("2m");
  assert.equal((await waiting.response).problem?.name, "response-timeout");
});

test("trailers: pass where no stage has changed the body, and else do not", async () => {
  for (const change of [false, true]) {
    await using subject = await subjectOf(
      {
        onResponse: (exchange) =>
          exchange.stageResponse(whole((body) => (change ? Buffer.from("new") : void body))),
      },
      () => ({ body: slowly("old"), trailers: { "x-sum": "1" } }),
    );
    const { body, trailers } = await subject.request();
    assert.deepEqual([body, trailers["x-sum"]], change ? ["new", undefined] : ["old", "1"]);
  }
});

test("client that leaves: stages are disposed, and what they say late reaches nobody", async () => {
  let say: (body: Buffer) => void = () => {};
  const judged = Promise.withResolvers<void>();
  await using subject = await subjectOf(
    {
      onRequest: (exchange) =>
        exchange.stageRequest(
          whole((body) => {
            if (body.toString() !== "first") return undefined;
            judged.resolve();
            return new Promise<Buffer>((resolve) => (say = resolve));
          }),
        ),
    },
    echo,
  );
  const first = subject.gateway.start({ method: "POST", body: "first" });
  await judged.promise;
  first.leave();
  await first.response;
  const second = subject.gateway.start({ method: "POST", body: slowly("sec", "ond") });
  say(Buffer.from("late"));
  assert.equal((await second.response).body, "<second>");
  assert.equal(subject.gateway.calls.length, 1);
});

test("stages: are asked for in their hooks only", async () => {
  let late: (() => void) | undefined;
  await using subject = await subjectOf(
    {
      onRequest(exchange) {
        late = () => exchange.stageRequest(new Capitals());
        assert.throws(() => exchange.stageResponse(new Capitals()), /onResponse/);
      },
      onResponse() {
        assert.throws(() => late!(), /onRequest/);
      },
    },
    () => "fine",
  );
  assert.equal((await subject.request()).body, "fine");
});
