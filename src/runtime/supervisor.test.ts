import assert from "node:assert/strict";
import { get } from "node:http";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { FakeAnswer } from "../../test/support/fake-data-plane.ts";
import { freePort } from "../../test/support/free-port.ts";
import { type Log, logTo } from "../base/log/log.ts";
import { SharedCounters } from "../base/shared-counters.ts";
import { validate } from "../config/validate.ts";
import type { DataPlanePayload } from "./data-plane.ts";
import { makePayload } from "./make-payload.ts";
import { SharedState } from "./shared-state.ts";
import { Supervisor, type SupervisorTimes } from "./supervisor.ts";

const fake = new URL("../../test/support/fake-data-plane.ts", import.meta.url).href;

interface Bench {
  supervisor: Supervisor;
  /** The main thread's view of the counters that workers share. */
  counters: SharedCounters;
  /** `level message reason delay` of each entry. */
  said: string[];
  retired: string[];
  /** What workers had of the counters when they were settled. */
  settled: string[];
  payload(revision: number, ...routes: string[]): DataPlanePayload;
  ask(path?: string): Promise<string>;
  /** What each worker that answers says of itself, by worker. */
  survey(): Promise<FakeAnswer[]>;
}

async function makeBench(
  context: TestContext,
  workers: number,
  times: Partial<SupervisorTimes> = {},
): Promise<Bench> {
  const port = await freePort();
  const said: string[] = [];
  const retired: string[] = [];
  const settled: string[] = [];
  const log: Log = logTo((level, message, { reason = "", delayMs = "" }) => {
    said.push(`${level} ${message} ${String(reason)} ${String(delayMs)}`.trim());
  });
  const shared = new SharedState(workers, log);
  const supervisor = new Supervisor({
    worker: {
      workerCount: workers,
      shared: shared.memory,
      metricIndex: shared.registry.lease([]).index,
      board: shared.board.buffer,
      writeTurns: shared.writeTurns,
      dataPlaneModule: fake,
    },
    board: shared.board,
    log,
    onLog: ({ level, message, fields }) =>
      said.push(`${level} ${message} from ${String(fields["worker"])}`),
    onCommit: () => {},
    onEndpoints: (endpoints) => ({
      counters: { "api.test": endpoints["api.test"]?.length ?? 0 },
      settle: () => settled.push(Object.keys(endpoints).join()),
    }),
    onRetired: (worker, revision) => retired.push(`${revision} in ${worker}`),
    onGone: (worker) => shared.clearWorker(worker),
    onRestart: () => {},
    times: { drainGraceMs: 1000, ...times },
  });
  context.after(() => supervisor.stop());
  const ask = (path = "/"): Promise<string> => askPort(port, path);
  return {
    supervisor,
    counters: new SharedCounters(shared.memory.counters, 0),
    said,
    retired,
    settled,
    ask,
    payload: (revision, ...routes) => payloadOf(port, shared, revision, routes),
    survey: () => survey(ask, workers),
  };
}

function payloadOf(
  port: number,
  shared: SharedState,
  revision: number,
  routes: string[],
): DataPlanePayload {
  const document = {
    listen: `127.0.0.1:${port}`,
    routes: routes.map((name, index) => ({
      name,
      match: `GET /${index}`,
      respond: { status: 204 },
    })),
  };
  const { config, findings } = validate(document, {});
  assert.ok(config !== undefined, JSON.stringify(findings));
  return makePayload(revision, { config, prepared: {} }, {}, shared.lease(config));
}

async function askPort(port: number, path: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  get({ port, path, agent: false }, (response) => {
    let text = "";
    response.setEncoding("latin1").on("data", (part: string) => (text += part));
    response.on("end", () => resolve(text)).on("error", reject);
  }).on("error", reject);
  return promise;
}

/** Connections are spread by chance: asks until every worker has answered once. */
async function survey(ask: () => Promise<string>, workers: number): Promise<FakeAnswer[]> {
  const answers: FakeAnswer[] = [];
  for (let tries = 0; tries < 500 && Object.keys(answers).length < workers; tries += 1) {
    const answer = JSON.parse(await ask()) as FakeAnswer;
    answers[answer.worker] = answer;
  }
  return answers;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(10);
}

const serving = ({ supervisor }: Bench): number =>
  supervisor.status().filter(({ state }) => state === "serving").length;

test("supervisor: all workers serve the first revision once it has started", async (context) => {
  const bench = await makeBench(context, 3);
  await bench.supervisor.start(bench.payload(1, "a"));
  const answers = await bench.survey();
  assert.deepEqual(
    answers.map(({ worker, revision, routes }) => [worker, revision, routes]),
    [0, 1, 2].map((worker) => [worker, 1, ["a"]]),
  );
  assert.equal(serving(bench), 3);
});

test("supervisor: a revision that one of three workers refuses leaves all of them on the old one", async (context) => {
  const bench = await makeBench(context, 3);
  await bench.supervisor.start(bench.payload(1, "a"));
  await assert.rejects(
    bench.supervisor.apply(bench.payload(2, "refuse in 1")),
    /^Error: refused in 1$/,
  );
  assert.deepEqual(
    (await bench.survey()).map(({ revision }) => revision),
    [1, 1, 1],
  );
  await bench.supervisor.apply(bench.payload(3, "b"));
  assert.deepEqual(
    (await bench.survey()).map(({ revision }) => revision),
    [3, 3, 3],
  );
  assert.deepEqual(bench.retired.toSorted(), ["1 in 0", "1 in 1", "1 in 2"]);
});

test("supervisor: a revision of which a worker dies is refused, and the worker comes back with the old one", async (context) => {
  const bench = await makeBench(context, 2);
  await bench.supervisor.start(bench.payload(1, "a"));
  await assert.rejects(bench.supervisor.apply(bench.payload(2, "die in 1")), /thrown by the fake/);
  await until(() => serving(bench) === 2);
  assert.deepEqual(
    (await bench.survey()).map(({ revision }) => revision),
    [1, 1],
  );
});

test("supervisor: a worker that never answers is ended, and the revision refused", async (context) => {
  const bench = await makeBench(context, 2, { answerMs: 2000 });
  await bench.supervisor.start(bench.payload(1, "a"));
  await assert.rejects(
    bench.supervisor.apply(bench.payload(2, "stuck in 0")),
    /no answer \(prepared\) within 2 s/,
  );
  await until(() => serving(bench) === 2);
});

test("supervisor: a worker that crashes is replaced with the current revision while the other serves", async (context) => {
  const bench = await makeBench(context, 2, { stableMs: 0 });
  await bench.supervisor.start(bench.payload(1, "a"));
  await bench.supervisor.apply(bench.payload(2, "b"));
  await assert.rejects(bench.ask("/crash"));
  await until(() => serving(bench) === 1);
  assert.deepEqual((JSON.parse(await bench.ask()) as FakeAnswer).routes, ["b"]);
  await until(() => serving(bench) === 2);
  assert.deepEqual(
    (await bench.survey()).map(({ revision }) => revision),
    [2, 2],
  );
  assert.ok(
    bench.said.includes(
      "error worker ended and is being replaced uncaught: thrown by the fake data plane 0",
    ),
  );
  const restarts = bench.supervisor.status().map((each) => each.restarts);
  assert.deepEqual(
    restarts.toSorted((a, b) => a - b),
    [0, 1],
  );
});

test("supervisor: what a worker held of the shared counts is given back when it dies", async (context) => {
  const bench = await makeBench(context, 1);
  await bench.supervisor.start(bench.payload(1, "a"));
  for (let held = 1; held <= 3; held += 1) await bench.ask("/hold");
  assert.equal(bench.counters.load(0), 3);
  await bench.ask("/crash").catch(() => {});
  await until(() => serving(bench) === 0);
  assert.equal(bench.counters.load(0), 0);
});

test("supervisor: a worker that keeps dying is started after longer and longer delays", async (context) => {
  const bench = await makeBench(context, 1, { restartDelayMs: 10, restartDelayMsMax: 40 });
  await bench.supervisor.start(bench.payload(1, "a"));
  for (let crash = 1; crash <= 4; crash += 1) {
    await bench.ask("/crash").catch(() => {});
    await until(() => bench.supervisor.status()[0]!.restarts === crash && serving(bench) === 1);
  }
  const ends = bench.said.filter((each) => each.includes("worker ended"));
  assert.deepEqual(
    ends.map((each) => each.split(" ").at(-1)),
    ["10", "20", "40", "40"],
  );
});

test("supervisor: a worker that hangs is noticed by its heart, ended and replaced", async (context) => {
  const bench = await makeBench(context, 2, { hangMs: 3000, stableMs: 0 });
  await bench.supervisor.start(bench.payload(1, "a"));
  const hanging = assert.rejects(bench.ask("/hang"));
  await until(() => bench.said.some((each) => each.includes("hangs")));
  await hanging;
  await until(() => serving(bench) === 2);
  await bench.survey();
});

test("supervisor: a start that one worker refuses fails as a whole and leaves nothing running", async (context) => {
  const bench = await makeBench(context, 2);
  await assert.rejects(bench.supervisor.start(bench.payload(1, "refuse in 0")), /refused in 0/);
  await assert.rejects(bench.ask(), /ECONNREFUSED/);
});

test("supervisor: new addresses and their counters reach every worker, also one that is replaced later", async (context) => {
  const bench = await makeBench(context, 2, { stableMs: 0 });
  await bench.supervisor.start(bench.payload(1, "a"));
  bench.supervisor.updateEndpoints({ "api.test": ["192.0.2.1"] });
  await until(() => bench.settled.length === 1);
  for (const { endpoints, counters } of await bench.survey()) {
    assert.deepEqual(endpoints, { "api.test": ["192.0.2.1"] });
    assert.deepEqual(counters, { "api.test": 1 });
  }
  await bench.ask("/crash").catch(() => {});
  await until(() => serving(bench) === 1);
  await until(() => serving(bench) === 2);
  assert.deepEqual(
    (await bench.survey()).map(({ endpoints }) => endpoints["api.test"]),
    [["192.0.2.1"], ["192.0.2.1"]],
  );
  assert.ok((await bench.survey()).every(({ counters }) => counters["api.test"] === 1));
});

test("supervisor: counters of addresses before are settled although a worker dies of the new ones", async (context) => {
  const bench = await makeBench(context, 2, { stableMs: 0 });
  await bench.supervisor.start(bench.payload(1, "a"));
  bench.supervisor.updateEndpoints({ "die-in-1.test": [], "api.test": ["192.0.2.1"] });
  await until(() => bench.settled.length === 1);
  await until(() => bench.supervisor.status()[1]!.restarts === 1);
  await until(() => serving(bench) === 2);
  assert.ok((await bench.survey()).every(({ counters }) => counters["api.test"] === 1));
});

test("supervisor: names of a later configuration keep their addresses when those before are told late", async (context) => {
  const bench = await makeBench(context, 1, { stableMs: 0 });
  await bench.supervisor.start(bench.payload(1, "a"));
  const applied = bench.supervisor.apply({
    ...bench.payload(2, "a"),
    endpoints: { "new.test": ["192.0.2.2"] },
  });
  bench.supervisor.updateEndpoints({ "api.test": ["192.0.2.1"] });
  await applied;
  await until(() => bench.settled.length === 1);
  await bench.ask("/crash").catch(() => {});
  await until(() => serving(bench) === 0);
  await until(() => serving(bench) === 1);
  const [worker] = await bench.survey();
  assert.deepEqual(worker!.endpoints, { "new.test": ["192.0.2.2"], "api.test": ["192.0.2.1"] });
});

/** Begins a request that is answered after `ms`, and waits until its worker has it. */
async function beginSlow(bench: Bench, ms: number): Promise<Promise<string>[]> {
  const slow = bench.ask(`/slow/${ms}`);
  await until(() => bench.supervisor.status()[0]!.inFlight === 1);
  return [slow];
}

test("supervisor: draining lets what is in flight end, and only then ends the workers", async (context) => {
  const bench = await makeBench(context, 1);
  await bench.supervisor.start(bench.payload(1, "a"));
  const [slow] = await beginSlow(bench, 1200);
  assert.deepEqual(await bench.supervisor.drain(20_000), { cut: 0 });
  assert.equal(await slow, "slow and whole");
  await assert.rejects(bench.ask(), /ECONNREFUSED/);
  assert.equal(bench.supervisor.status()[0]!.state, "stopped");
});

test("supervisor: draining ends at its deadline and says how much was cut", async (context) => {
  const bench = await makeBench(context, 1);
  await bench.supervisor.start(bench.payload(1, "a"));
  const [slow] = await beginSlow(bench, 60_000);
  const cut = assert.rejects(slow!);
  assert.deepEqual(await bench.supervisor.drain(100), { cut: 1 });
  await cut;
});

test("supervisor: what a worker logs arrives with its index", async (context) => {
  const bench = await makeBench(context, 1);
  await bench.supervisor.start(bench.payload(1, "a"));
  await bench.ask("/log");
  await until(() => bench.said.includes("info asked to say something from 0"));
});
