import { codeOnly } from "./code-only.ts";
import type { RepositoryFile } from "./repository-files.ts";
import type { Violation } from "./violation.ts";

/**
 * Rule: what a file that begins with `// HOT` may not contain, since it runs for every request.
 *
 * Found by pattern, not by meaning, so it also finds what runs once, when a snapshot is built or a
 * listener opened. There the line, or the one above it, ends with `// cold: why`; if the line opens
 * a block, all of the block is meant. Such marks are read in review: they must stay rare.
 */
export function checkHotFiles(files: readonly RepositoryFile[]): Violation[] {
  return files.filter(isHot).flatMap(checkHotFile);
}

export function isHot({ path, text }: RepositoryFile): boolean {
  return path.endsWith(".ts") && /^\/\/ HOT\b/.test(text);
}

const closure = /=>|\bfunction\s*\*?\s*\(/;
const forbidden: readonly (readonly [RegExp, string])[] = [
  [
    /\basync\b|\bawait\b|\bnew Promise\b|\bPromise\./,
    "a promise per call: call back, or keep a state number",
  ],
  [/\.\.\./, "spread and rest copy: write the fields, or index the array"],
  [
    /(?<!\bBuffer)\.(map|filter|forEach|reduce|reduceRight|flatMap|some|every|find|findIndex|concat)\(/,
    "array methods call a closure or copy: write a for loop",
  ],
  [closure, "a closure: write a method, or a function beside the class"],
];

function checkHotFile({ path, text }: RepositoryFile): Violation[] {
  const lines = codeOnly(text).split("\n");
  const cold = coldLines(text.split("\n"));
  let depth = 0;
  return lines.flatMap((line, index) => {
    const atModuleLevel = depth === 0;
    depth += line.split("{").length - line.split("}").length;
    if (cold.has(index)) return [];
    const found = forbidden.filter(([pattern]) => pattern.test(line));
    // What stands outside of every block is made once, when the module is loaded.
    const real = found.filter(([pattern]) => !(pattern === closure && atModuleLevel));
    return real.map(([, message]) => ({ path, line: index + 1, message }));
  });
}

/** Indices of the lines that a `// cold: why` excuses. */
function coldLines(lines: readonly string[]): Set<number> {
  const cold = new Set<number>();
  for (const [index, line] of lines.entries()) {
    const mark = /^(.*?)\/\/ cold: \S/.exec(line);
    if (mark === null) continue;
    const first = mark[1]?.trim() === "" ? endOfComment(lines, index) : index;
    for (let at = first; at <= endOfBlock(lines, first); at++) cold.add(at);
  }
  return cold;
}

/** A reason may go on over several comment lines; what it excuses comes after them. */
function endOfComment(lines: readonly string[], from: number): number {
  let at = from;
  while (/^\s*\/\//.test(lines[at] ?? "")) at += 1;
  return at;
}

/** The formatter puts the end of a block at the indentation of the line that opened it. */
function endOfBlock(lines: readonly string[], first: number): number {
  const line = (lines[first] ?? "").replace(/\s*\/\/.*$/, "");
  if (!/[{([]$/.test(line)) return first;
  const indentation = /^\s*/.exec(line)?.[0] ?? "";
  const closes = new RegExp(`^${indentation}[})\\]]`);
  let at = first + 1;
  // `}) {` and `} else {` close one block and open the next.
  while (
    at < lines.length - 1 &&
    !(closes.test(lines[at] ?? "") && !/[{([]$/.test(lines[at] ?? ""))
  ) {
    at += 1;
  }
  return at;
}
