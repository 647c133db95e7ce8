import {
  addExamples,
  groupKey,
  lineKey,
  placeKey,
  type FindingBatch,
  type FindingGroup,
  type FindingLine,
} from "./finding.ts";

/** Of one operation, and of all. A line has some 500 bytes. */
export const LINES_OF_GROUP_MAX = 100;
export const LINES_MAX = 5000;

/** What was found of one operation's requests or responses. */
export interface FindingReport extends Omit<FindingGroup, "lines"> {
  /** The most frequent first. */
  readonly lines: readonly FindingLine[];
  /** Findings that there was no room for. */
  readonly leftOut: number;
}

interface Entry {
  readonly group: Omit<FindingGroup, "lines">;
  readonly lines: Map<string, FindingLine>;
  leftOut: number;
}

/** What all workers have found since the start, in the main thread: of bounded size, whatever clients send. */
export class FindingBook {
  private readonly entries = new Map<string, Entry>();
  /** null for all. */
  private places: ReadonlySet<string> | null = null;
  private lineCount = 0;
  private leftOutCount = 0;

  /** Findings of operations that there was no room for, and of more than a worker can tell at once. */
  get leftOut(): number {
    return this.leftOutCount;
  }

  add({ groups, leftOut }: FindingBatch): void {
    this.leftOutCount += leftOut;
    for (const group of groups) this.addGroup(group);
  }

  /**
   * Forgets what was found in places that the configuration has no more, and does not hear of them again: workers go
   * on for a while with what they had begun.
   *
   * @param places by `placeKey`
   */
  keepOnly(places: ReadonlySet<string>): void {
    this.places = places;
    for (const [key, { group, lines }] of this.entries) {
      if (places.has(placeKey(group.policy, group.at))) continue;
      this.entries.delete(key);
      this.lineCount -= lines.size;
    }
  }

  clear(): void {
    this.entries.clear();
    this.lineCount = 0;
    this.leftOutCount = 0;
  }

  /** By how many messages they are about, the most first. */
  report(): FindingReport[] {
    const reports = [...this.entries.values()].map(({ group, lines, leftOut }) => {
      const sorted = [...lines.values()].sort((one, other) => other.count - one.count);
      return { ...group, lines: sorted, leftOut };
    });
    return reports.sort((one, other) => other.messages - one.messages);
  }

  private addGroup({ lines, ...added }: FindingGroup): void {
    if (this.places?.has(placeKey(added.policy, added.at)) === false) return;
    const key = groupKey(added);
    let entry = this.entries.get(key);
    if (entry === undefined) {
      if (this.lineCount === LINES_MAX) {
        for (const { count } of lines) this.leftOutCount += count;
        return;
      }
      entry = { group: { ...added, messages: 0, refused: 0 }, lines: new Map(), leftOut: 0 };
      this.entries.set(key, entry);
    }
    entry.group.messages += added.messages;
    entry.group.refused += added.refused;
    for (const line of lines) this.addLine(entry, line);
  }

  private addLine(entry: Entry, added: FindingLine): void {
    const key = lineKey(added);
    const line = entry.lines.get(key);
    if (line !== undefined) {
      line.count += added.count;
      line.refused += added.refused;
      line.firstAtMs = Math.min(line.firstAtMs, added.firstAtMs);
      line.lastAtMs = Math.max(line.lastAtMs, added.lastAtMs);
      addExamples(line.examples, added.examples);
      return;
    }
    if (entry.lines.size === LINES_OF_GROUP_MAX || this.lineCount === LINES_MAX) {
      if (!this.dropRarest(entry)) {
        entry.leftOut += added.count;
        return;
      }
    }
    entry.lines.set(key, added);
    this.lineCount += 1;
  }

  /**
   * Makes room among what was found of the same operation: what clients make up comes once each, and displaces
   * itself; what comes again and again stays. False where there is nothing to drop.
   */
  private dropRarest(entry: Entry): boolean {
    let rarest: [key: string, line: FindingLine] | undefined;
    for (const each of entry.lines) {
      const [, { count, lastAtMs }] = each;
      const least = rarest?.[1];
      if (least === undefined || count < least.count) rarest = each;
      else if (count === least.count && lastAtMs < least.lastAtMs) rarest = each;
    }
    if (rarest === undefined) return false;
    entry.lines.delete(rarest[0]);
    entry.leftOut += rarest[1].count;
    this.lineCount -= 1;
    return true;
  }
}
