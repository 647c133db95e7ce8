import assert from "node:assert/strict";
import { test } from "node:test";
import { Fields } from "../wire/fields.ts";
import { OTHER, VIA } from "../wire/known-header.ts";
import { PASSES_MAX, isForwardingLoop } from "./forwarding-loop.ts";

/** Fields as the parser leaves them. */
function fieldsOf(...lines: [id: number, value: string][]): Fields {
  const fields = new Fields();
  for (const [id, value] of lines) {
    const start = fields.text.length;
    fields.text += value;
    fields.push(id, start, start, start, fields.text.length);
  }
  return fields;
}

function repeated(element: string, count: number): string {
  return Array.from({ length: count }, () => element).join(", ");
}

test("forwarding loop: as many passes as a chain may have are no loop, one more is", () => {
  for (const element of ["1.1 gateward", "2 gateward", "HTTP/1.1 gateward (edge)"]) {
    assert.equal(isForwardingLoop(fieldsOf([VIA, repeated(element, PASSES_MAX)])), false, element);
    const more = repeated(element, PASSES_MAX + 1);
    assert.equal(isForwardingLoop(fieldsOf([VIA, more])), true, element);
  }
});

test("forwarding loop: passes are counted over all lines, between those of other proxies", () => {
  const line: [number, string] = [VIA, "1.1 varnish, 1.1 gateward"];
  const lines = Array.from({ length: PASSES_MAX }, () => line);
  assert.equal(isForwardingLoop(fieldsOf(...lines)), false);
  assert.equal(isForwardingLoop(fieldsOf(...lines, [VIA, "1.1 gateward"])), true);
});

test("forwarding loop: other names and other fields do not count", () => {
  const others = [
    "1.1 gateward-eu",
    "1.1 my-gateward",
    "1.1 gateward.example.org",
    "1.1 gateward:80",
  ];
  for (const element of others) {
    assert.equal(isForwardingLoop(fieldsOf([VIA, repeated(element, 50)])), false, element);
  }
  assert.equal(isForwardingLoop(fieldsOf([OTHER, repeated("1.1 gateward", 50)])), false);
});
