import assert from "node:assert/strict";
import { test } from "node:test";
import { MissedPurges } from "./missed-purges.ts";

function open() {
  const told: string[] = [];
  const scene = { told, isAway: false };
  const order = (name: string) => async () => {
    if (scene.isAway) throw new Error("away");
    told.push(name);
  };
  return Object.assign(scene, { missed: new MissedPurges(order("all")), order });
}

test("missed purges: each is told until it has been, and once", async () => {
  const scene = open();
  const { missed, order, told } = scene;
  for (const name of ["a", "b", "a"]) missed.add(name, order(name));
  scene.isAway = true;
  assert.equal(await missed.makeUp(), false);
  scene.isAway = false;
  assert.deepEqual(await Promise.all([missed.makeUp(), missed.makeUp()]), [true, true]);
  assert.deepEqual(told, ["a", "b"]);
  assert.equal(missed.isEmpty, true);
});

test("missed purges: one that comes while others are told is told after them", async () => {
  const { missed, order, told } = open();
  missed.add("a", order("a"));
  const telling = missed.makeUp();
  missed.add("a", order("a again"));
  assert.equal(await telling, false);
  assert.equal(await missed.makeUp(), true);
  assert.deepEqual(told, ["a", "a again"]);
});

test("missed purges: in place of very many everything is forgotten", async () => {
  const { missed, order, told } = open();
  for (let count = 0; count < 3000; count++) missed.add(`${count}`, order(`${count}`));
  assert.equal(await missed.makeUp(), true);
  assert.deepEqual(told, ["all"]);
});
