/** Statuses, looked up by number. */
export interface CountedStatuses {
  has(status: number): boolean;
}

/** @param written statuses and classes of them: `404`, `2xx`. */
export function countedStatuses(written: readonly string[]): CountedStatuses {
  const counted = new Set<number>();
  for (const one of written) {
    if (!one.endsWith("xx")) counted.add(Number(one));
    else for (let last = 0; last < 100; last++) counted.add(Number(one[0]) * 100 + last);
  }
  return counted;
}
