/**
 * The candidate nearest to `word` by Damerau-Levenshtein distance (a swap of neighbours is one
 * edit, case is ignored), or undefined when none is near enough to be a slip of the keyboard.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  // A third of the word may be wrong: 1 edit in 2 letters, 2 in 6, never more than 3.
  const distanceMax = word.length < 2 ? 0 : Math.min(3, Math.max(1, Math.floor(word.length / 3)));
  const lower = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = distanceMax + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(lower, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `did you mean "orders"?`, or else the whole choice when it is short, or undefined. */
export function suggestion(word: string, candidates: Iterable<string>): string | undefined {
  const names = [...candidates];
  const near = nearest(word, names);
  if (near !== undefined) return `did you mean ${JSON.stringify(near)}?`;
  if (names.length === 1) return `there is only ${names[0]}`;
  if (names.length === 0 || names.length > 12) return undefined;
  return `one of ${names.join(", ")}`;
}

/** Optimal string alignment: Levenshtein plus swaps of neighbours, in three rows. */
export function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const row = [i];
    for (let j = 1; j <= right.length; j++) {
      const same = left[i - 1] === right[j - 1];
      let cost = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + (same ? 0 : 1));
      const swapped =
        i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
      if (swapped) cost = Math.min(cost, beforeLast[j - 2]! + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[right.length]!;
}
