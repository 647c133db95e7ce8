import {
  addExamples,
  groupKey,
  lineKey,
  type Finding,
  type FindingBatch,
  type FindingGroup,
  type FindingLine,
  type FindingSubject,
} from "./finding.ts";

/** In one batch: what a flood of requests, each wrong in a new way, makes the main thread read. */
const LINES_MAX = 500;

interface Counted {
  readonly group: FindingGroup;
  readonly lines: Map<string, FindingLine>;
}

/** What one worker finds, until the main thread is told. Costs nothing where nothing is found. */
export class FindingTally {
  private groups = new Map<string, Counted>();
  private lineCount = 0;
  private leftOut = 0;

  /** What one message was found to be. */
  note(
    subject: FindingSubject,
    isRefused: boolean,
    findings: readonly Finding[],
    nowMs: number,
  ): void {
    // A group without lines would count for nothing in the bound.
    if (findings.length === 0) return;
    const counted = this.groupOf(subject);
    if (counted === undefined) {
      this.leftOut += findings.length;
      return;
    }
    const refused = isRefused ? 1 : 0;
    counted.group.messages += 1;
    counted.group.refused += refused;
    const touched = new Set<FindingLine>();
    for (const finding of findings) {
      const line = this.lineOf(counted, finding, nowMs);
      if (line === undefined) continue;
      addExamples(line.examples, [finding.example]);
      if (touched.has(line)) continue;
      touched.add(line);
      line.count += 1;
      line.refused += refused;
      line.lastAtMs = nowMs;
    }
  }

  /** What there is since the last time; undefined for nothing. */
  take(): FindingBatch | undefined {
    if (this.groups.size === 0) return undefined;
    const groups = [...this.groups.values()].map(({ group }) => group);
    const batch = { groups, leftOut: this.leftOut };
    this.groups = new Map();
    this.lineCount = 0;
    this.leftOut = 0;
    return batch;
  }

  private groupOf(subject: FindingSubject): Counted | undefined {
    const key = groupKey(subject);
    let counted = this.groups.get(key);
    if (counted === undefined) {
      if (this.lineCount === LINES_MAX) return undefined;
      const group = { ...subject, messages: 0, refused: 0, lines: [] };
      counted = { group, lines: new Map() };
      this.groups.set(key, counted);
    }
    return counted;
  }

  private lineOf(counted: Counted, finding: Finding, nowMs: number): FindingLine | undefined {
    const key = lineKey(finding);
    let line = counted.lines.get(key);
    if (line === undefined) {
      if (this.lineCount === LINES_MAX) {
        this.leftOut += 1;
        return undefined;
      }
      const { field, rule, message } = finding;
      const times = { firstAtMs: nowMs, lastAtMs: nowMs };
      line = { field, rule, message, count: 0, refused: 0, ...times, examples: [] };
      counted.lines.set(key, line);
      counted.group.lines.push(line);
      this.lineCount += 1;
    }
    return line;
  }
}
