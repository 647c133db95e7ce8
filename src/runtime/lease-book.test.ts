import assert from "node:assert/strict";
import { test } from "node:test";
import { LeaseBook } from "./lease-book.ts";

interface Bench {
  book: LeaseBook;
  released: number[];
  begin(revision: number, workers: number[]): void;
}

function makeBench(): Bench {
  const book = new LeaseBook();
  const released: number[] = [];
  return {
    book,
    released,
    begin: (revision, workers) => book.begin(revision, () => released.push(revision), workers),
  };
}

test("lease book: a superseded revision is released when the last worker is done with it", () => {
  const { book, released, begin } = makeBench();
  begin(1, []);
  begin(2, [0, 1]);
  book.retired(0, 1);
  assert.deepEqual(released, []);
  book.retired(1, 1);
  assert.deepEqual(released, [1]);
});

test("lease book: a worker that ended uses nothing any more", () => {
  const { book, released, begin } = makeBench();
  begin(1, []);
  begin(2, [0, 1]);
  begin(3, [0, 1]);
  book.gone(1);
  book.retired(0, 2);
  book.retired(0, 1);
  assert.deepEqual(released, [2, 1]);
});

test("lease book: the current revision is never released", () => {
  const { book, released, begin } = makeBench();
  begin(1, []);
  book.retired(0, 1);
  book.gone(0);
  assert.deepEqual(released, []);
});

test("lease book: a revision that no worker served is released at once", () => {
  const { released, begin } = makeBench();
  begin(1, []);
  begin(2, []);
  assert.deepEqual(released, [1]);
});

test("lease book: revisions that never end wait only in bounded number", () => {
  const { book, released, begin } = makeBench();
  for (let revision = 1; revision <= 200; revision += 1) begin(revision, [0]);
  assert.equal(book.size, 64);
  assert.equal(released[0], 1);
});
