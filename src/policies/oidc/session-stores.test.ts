import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LimitsMemory, openConcurrency } from "../../base/limits/limits-memory.ts";
import { FakeRedisStore, TestClock } from "../../testing/index.ts";
import { CookieSessionStore } from "./cookie-session-store.ts";
import { RedisSessionStore, updateScript } from "./redis-session-store.ts";
import { CookieSealer } from "./sealed-cookie.ts";
import { SessionBoard } from "./session-board.ts";
import { formatSession, parseSession, sessionEndsAt, type Session } from "./session.ts";
import { TEST_SECRET } from "../../testing/test-secret.ts";

const limits = { ttlMs: 3_600_000, idleMs: 600_000 };
const sealer = new CookieSealer(["a secret of at least thirty-two characters"], "session");
const clock = new TestClock();
let boardCount = 0;

function sessionNamed(handle: string): Session {
  const now = clock.now();
  return {
    handle,
    version: 0,
    startedAtMs: now,
    seenAtMs: now,
    accessEndsAtMs: now + 300_000,
    renewAtMs: now + 240_000,
    scope: "openid",
    idToken: "a.b.c",
    accessToken: "",
    refreshToken: "once",
    userinfo: { email: "ann@example.com" },
  };
}

test("session: what was written is read", () => {
  const session = sessionNamed("one");
  assert.deepEqual(parseSession(formatSession(session)), session);
  assert.equal(sessionEndsAt(session, limits), clock.now() + 600_000);
  assert.equal(sessionEndsAt(session, { ...limits, idleMs: 0 }), clock.now() + 3_600_000);
});

/** Stores of two workers of one process. */
function twoWorkers() {
  const name = `test ${++boardCount}`;
  const { handle } = new LimitsMemory({
    workers: 2,
    entries: 64,
    concurrencyEntries: 64,
    secret: TEST_SECRET,
  });
  const boards = [new SessionBoard(name), new SessionBoard(name)] as const;
  const [first, second] = boards.map((board, worker) => {
    const concurrency = openConcurrency(handle, worker);
    return new CookieSessionStore({ sealer, context: "c", limits, board, concurrency });
  });
  const close = (): void => boards.forEach((board) => board[Symbol.dispose]());
  return { first: first!, second: second!, [Symbol.dispose]: close };
}

describe("sessions in cookies", () => {
  test("any worker opens what one has sealed, while it lasts", () => {
    using workers = twoWorkers();
    const session = sessionNamed("one");
    const ticket = workers.first.start(session);
    assert.deepEqual(workers.second.open(ticket, clock.now()), session);
    assert.equal(workers.second.open(ticket, clock.now() + 600_000), null);
    assert.equal(workers.second.open(`${ticket}x`, clock.now()), null);
    const { board, ...rest } = { board: new SessionBoard("another"), context: "d", limits, sealer };
    const concurrency = { acquire: () => true, release() {} };
    const other = new CookieSessionStore({ ...rest, board, concurrency });
    assert.equal(other.open(ticket, clock.now()), null);
    board[Symbol.dispose]();
  });

  test("one worker at a time may renew, and whoever comes next has heard of it", () => {
    using workers = twoWorkers();
    const { first, second } = workers;
    const session = sessionNamed("one");
    const ticket = first.start(session);
    assert.equal(first.claim(session), true);
    assert.equal(second.claim(session), false);
    const renewed = { ...session, version: 1, refreshToken: "twice" };
    assert.equal(first.update(renewed), true);
    first.release(session);
    assert.equal(second.claim(session), true);
    // In the same turn: nothing has been delivered to it by an event.
    assert.deepEqual(second.latest(session), renewed);
    const opened = second.open(ticket, clock.now());
    assert.deepEqual(opened, renewed);
    const fresh = second.freshTicket(ticket, opened);
    assert.deepEqual(first.open(fresh!, clock.now()), renewed);
    assert.equal(first.freshTicket(fresh!, first.open(fresh!, clock.now())!), null);
  });

  test("one that was ended in a worker is ended in all, and cannot be renewed any more", () => {
    using workers = twoWorkers();
    const { first, second } = workers;
    const session = sessionNamed("one");
    const ticket = first.start(session);
    first.end(session);
    assert.equal(first.open(ticket, clock.now()), null);
    assert.equal(first.update({ ...session, version: 1 }), false);
    assert.equal(second.latest(session), null);
    assert.equal(second.open(ticket, clock.now()), null);
  });

  test("other workers hear of it by themselves", async () => {
    const name = `test ${++boardCount}`;
    using speaker = new SessionBoard(name);
    using listener = new SessionBoard(name);
    const session = sessionNamed("one");
    speaker.tellEnded("one");
    while (listener.latest(session) !== null) await new Promise(setImmediate);
  });
});

describe("sessions in Redis", () => {
  function open() {
    const redis = new FakeRedisStore(clock);
    redis.answer(updateScript, async ([key = ""], [value = "", ttlMs = 0]) => {
      if ((await redis.get(key)) === null) return 0;
      await redis.set(key, String(value), Number(ttlMs));
      return 1;
    });
    const settings = { redis, sealer, context: "c", limits, clock };
    return { redis, store: new RedisSessionStore(settings), settings };
  }

  test("the ticket is a name, under a digest of which Redis has the session, sealed", async () => {
    const { redis, store, settings } = open();
    const keys: [string, string][] = [];
    const set = redis.set.bind(redis);
    redis.set = (key, value, ttlMs) => {
      keys.push([key, value]);
      assert.equal(ttlMs, 600_000);
      return set(key, value, ttlMs);
    };
    const session = sessionNamed(store.newHandle());
    const ticket = await store.start(session);
    assert.match(ticket, /^[\w-]{43}$/);
    const [[key, value] = ["", ""]] = keys;
    assert.ok(!key.includes(ticket) && !value.includes(ticket));
    assert.doesNotMatch(Buffer.from(value, "base64url").toString("latin1"), /ann@example/);
    assert.deepEqual(await store.open(ticket, clock.now()), session);
    const other = new RedisSessionStore({ ...settings, context: "d" });
    assert.equal(await other.open(ticket, clock.now()), null);
  });

  test("a sealed session that is moved under another name opens nothing", async () => {
    const { redis, store } = open();
    let kept = "";
    const set = redis.set.bind(redis);
    redis.set = (key, value, ttlMs) => {
      kept ||= value;
      return set(key, kept, ttlMs);
    };
    await store.start(sessionNamed(store.newHandle()));
    const second = await store.start(sessionNamed(store.newHandle()));
    assert.equal(await store.open(second, clock.now()), null);
  });

  test("what is no ticket is not looked for", async () => {
    const { redis, store } = open();
    redis.get = () => assert.fail("asked");
    for (const ticket of ["", "x", "a".repeat(42), "a".repeat(44), `${"a".repeat(42)}*`]) {
      assert.equal(await store.open(ticket, clock.now()), null);
    }
  });

  test("one that has been ended is not made live again by a renewal under way", async () => {
    const { store } = open();
    const session = sessionNamed(store.newHandle());
    const ticket = await store.start(session);
    assert.equal(await store.update({ ...session, version: 1 }), true);
    assert.equal((await store.latest(session, clock.now()))?.version, 1);
    await store.end(session);
    assert.equal(await store.update({ ...session, version: 2 }), false);
    assert.equal(await store.open(ticket, clock.now()), null);
  });

  test("one machine at a time may renew", async () => {
    const { store } = open();
    const session = sessionNamed(store.newHandle());
    assert.equal(await store.claim(session), true);
    assert.equal(await store.claim(session), false);
    store.release(session);
    await new Promise(setImmediate);
    assert.equal(await store.claim(session), true);
  });
});
