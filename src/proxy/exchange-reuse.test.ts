/** Exchange objects serve one request after another; what waits for one must never reach the next. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DeadlineWheel } from "../base/deadline-wheel.ts";
import { silentLog } from "../base/log/log.ts";
import { TrustedAddresses } from "../base/trusted-addresses.ts";
import type { Exchange as PolicyExchange } from "../policy/exchange.ts";
import { Identity } from "../policy/identity.ts";
import type { Verdict } from "../policy/policy.ts";
import { reply } from "../policy/reply.ts";
import { compileRoutes } from "../routing/route-table.ts";
import type { ClientStream } from "../wire/exchange-streams.ts";
import { parseRequestHead } from "../wire/http1/parse-request-head.ts";
import { ProxyRuntime } from "./proxy-runtime.ts";
import type { CompiledRoute, Snapshot } from "./snapshot.ts";

const limits = { headBytesMax: 1000, uriBytesMax: 1000, fieldCountMax: 10 };
const nothing = { add() {}, addAt() {}, observe() {} };

const connection = {
  peerAddress: "192.0.2.1",
  peerPort: 1,
  localPort: 80,
  isTls: false,
  listenerKey: "",
  serverName: "",
  tlsSocket: null,
  forwarding: null,
};
const stream = { connection, protocol: "HTTP/1.1", abort() {}, sendHead() {}, sendEnd() {} };

/** A runtime with one route, whose only policy is `onRequest`. */
function runtimeWith(onRequest: (exchange: PolicyExchange) => Verdict | Promise<Verdict>) {
  const route = {
    name: "a route",
    service: null,
    hooks: { onRequest: [onRequest], onResponse: [], onEnd: [] },
    requests: nothing,
    duration: nothing,
  } as unknown as CompiledRoute;
  const { matcher } = compileRoutes([{ value: route, name: "", match: {} }]);
  const runtime = new ProxyRuntime(new DeadlineWheel(), silentLog);
  runtime.swap({
    matcher,
    trusted: new TrustedAddresses([]),
    accessLog: null,
    overload: null,
    callers: null,
    identityHeaders: null,
    inFlight: nothing,
    faultCounter: () => nothing,
    exchangeCount: 0,
    onUnused: null,
  } as unknown as Snapshot);
  return runtime;
}

function begin(runtime: ProxyRuntime) {
  const exchange = runtime.acquire();
  const head = Buffer.from("GET / HTTP/1.1\r\nhost: a.example\r\n\r\n");
  parseRequestHead(head, 0, head.length, exchange.request, limits);
  exchange.onRequest(stream as unknown as ClientStream, false);
  return exchange;
}

test("exchange: who was found out to be calling once the client has gone is not the next request's caller", async () => {
  let settle = (): void => {};
  const runtime = runtimeWith(async (exchange) => {
    await new Promise<void>((resolve) => (settle = resolve));
    exchange.identify(new Identity({ method: "slow", subject: "first" }));
  });
  const first = begin(runtime);
  const settleFirst = settle;
  first.onClientGone();
  const second = begin(runtime);
  assert.notEqual(second, first);
  settleFirst();
  await new Promise(setImmediate);
  assert.equal(second.identity, null);
});

test("exchange: an object is used again once no policy waits with it", async () => {
  let settle = (): void => {};
  const runtime = runtimeWith(
    () => new Promise<Verdict>((resolve) => (settle = () => resolve(reply(204)))),
  );
  const first = begin(runtime);
  settle();
  await new Promise(setImmediate);
  assert.equal(runtime.acquire(), first);
});
