import assert from "node:assert/strict";
import { test } from "node:test";
import { parseH2load, parseWrk } from "./load-generators.ts";

test("wrk: the line of its script is found among what it prints for people", () => {
  const result = parseWrk(`Running 3s test @ http://127.0.0.1:1
  Requests/sec:  100.00

WRK {"requestCount":300,"micros":3000000,"p50Micros":970,"p99Micros":1640,"badStatusCount":1,"socketErrorCount":2}
`);
  assert.deepEqual(result, {
    requestCount: 300,
    seconds: 3,
    p50Ms: 0.97,
    p99Ms: 1.64,
    badStatusCount: 1,
    socketErrorCount: 2,
  });
});

test("wrk: output without that line is refused", () => {
  assert.throws(() => parseWrk("unable to connect"), /no result:\nunable to connect/);
});

const h2loadOutput = `Application protocol: h2
finished in 2.02s, 43513.00 req/s, 3.49MB/s
requests: 87026 total, 87666 started, 87020 done, 87010 succeeded, 3 failed, 2 errored, 1 timeout
status codes: 87010 2xx, 1 3xx, 2 4xx, 3 5xx
`;

test("h2load: counts come from its output, percentiles from its log", () => {
  const micros = Array.from({ length: 200 }, (_, index) => 200 - index);
  const log = micros.map((each) => `1795251235067431\t200\t${each * 1000}`).join("\n");
  assert.deepEqual(parseH2load(h2loadOutput, `${log}\n`), {
    requestCount: 87_010,
    seconds: 2.02,
    p50Ms: 101,
    p99Ms: 199,
    badStatusCount: 6,
    socketErrorCount: 3,
  });
});

test("h2load: a connection that fell back to HTTP/1.1 is refused", () => {
  const output = h2loadOutput.replace("protocol: h2", "protocol: http/1.1");
  assert.throws(() => parseH2load(output, ""), /spoke http\/1\.1 instead of h2/);
});
