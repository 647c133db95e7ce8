import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseActiveOpens } from "./connections.ts";
import { parseCoreList } from "./cores.ts";
import { parseCoreBusyMs, readGroupCpu } from "./cpu.ts";
import { parseKilobytes } from "./memory.ts";
import { parseProcessStat } from "./process-group.ts";

test("process stat: a name with spaces and parentheses does not shift the fields", () => {
  const line = `4711 (nginx: (old) w) S 1 4700 4700 0 -1 4194560 9 8 7 6 150 250 10 20 20 0 1 0`;
  assert.deepEqual(parseProcessStat(line), {
    pid: 4711,
    group: 4700,
    userTicks: 160,
    systemTicks: 270,
  });
});

test("core time: everything but idle and iowait counts", () => {
  const stat =
    "cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 1 2 3 1000 2000 4 5 6 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0\n";
  assert.equal(parseCoreBusyMs(stat, 0), 210);
  assert.throws(() => parseCoreBusyMs(stat, 2), /no core 2/);
});

test("connections: those opened are found by the name of their column", () => {
  const snmp =
    "Ip: Forwarding\nIp: 1\nTcp: RtoMin ActiveOpens PassiveOpens\nTcp: 200 42 7\nUdp: 1\n";
  assert.equal(parseActiveOpens(snmp), 42);
});

test("cores: a list with ranges names each of them", () => {
  assert.deepEqual(parseCoreList("0,2-4"), [0, 2, 3, 4]);
});

test("group time: work of this process shows up in its group", () => {
  const group = readOwnGroup();
  const before = readGroupCpu(group);
  const until = process.cpuUsage().user + 60_000;
  while (process.cpuUsage().user < until);
  const after = readGroupCpu(group);
  assert.ok(after.userMs + after.systemMs - before.userMs - before.systemMs >= 40);
});

test("memory: a line of /proc is found by its whole name", () => {
  const text = "Rss:       20 kB\nPss_Anon:    7 kB\nPss:        10 kB\n";
  assert.equal(parseKilobytes(text, "Pss"), 10_240);
  assert.equal(parseKilobytes(text, "Swap"), 0);
});

function readOwnGroup(): number {
  return parseProcessStat(readFileSync("/proc/self/stat", "utf8")).group;
}
