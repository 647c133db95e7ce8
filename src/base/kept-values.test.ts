import assert from "node:assert/strict";
import { test } from "node:test";
import { KeptValues } from "./kept-values.ts";

test("kept values: what a later lease asks for too is the same, and lives until the last is released", () => {
  const values = new KeptValues();
  let disposed = 0;
  const make = () => ({ [Symbol.dispose]: () => void disposed++ });
  const first = values.lease();
  const value = first.keep("a", make);
  assert.equal(first.keep("a", make), value);
  const second = values.lease();
  assert.equal(second.keep("a", make), value);
  first.release();
  first.release();
  assert.equal(disposed, 0);
  second.release();
  assert.equal(disposed, 1);
  assert.equal(values.size, 0);
});

test("kept values: one that nothing asks for any more is made anew", () => {
  const values = new KeptValues();
  const lease = values.lease();
  const value = lease.keep("a", () => ({}));
  lease.release();
  assert.notEqual(
    values.lease().keep("a", () => ({})),
    value,
  );
});
