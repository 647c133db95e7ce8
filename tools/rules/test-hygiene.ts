import { blankInsides, codeOnly } from "./code-only.ts";
import type { RepositoryFile } from "./repository-files.ts";
import type { Violation } from "./violation.ts";

const rules: readonly (readonly [RegExp, string])[] = [
  [
    /\b(test|it|describe|suite)\.(skip|only|todo)\b/,
    "every test runs, always: repair or remove it",
  ],
  [/\b(only|todo):/, "every test runs, always: repair or remove it"],
  [/\bskip:\s*(true|["'`])/, "skip only for what the machine lacks: skip: requires(...), computed"],
  [/\b(t|context|ctx)\.(skip|todo)\(/, "decide before the test runs: { skip: requires(...) }"],
];

/** Rule: no test is switched off by hand. Only files that use node:test are looked at. */
export function checkSwitchedOffTests(files: readonly RepositoryFile[]): Violation[] {
  return files.filter(usesNodeTest).flatMap(({ path, text }) =>
    codeOnly(text)
      .split("\n")
      .flatMap((code, index) =>
        rules
          .filter(([pattern]) => pattern.test(code))
          .map(([, message]) => ({ path, line: index + 1, message })),
      ),
  );
}

/**
 * Rule: a test's title is a sentence, `subject: behaviour`, that says what holds, so that a red one
 * tells what broke. Titles made of variables are not looked into.
 */
export function checkTestTitles(files: readonly RepositoryFile[]): Violation[] {
  return files.filter(usesNodeTest).flatMap((file) => {
    const calls = [...blankInsides(file.text).matchAll(/^test\(\s*(["'`])( *)\1/dgm)];
    return calls.flatMap((match) => {
      const [start, end] = match.indices?.[2] ?? [0, 0];
      const message = objectionTo(file.text.slice(start, end));
      if (message === undefined) return [];
      const line = file.text.slice(0, start).split("\n").length;
      return [{ path: file.path, line, message }];
    });
  });
}

function objectionTo(title: string): string | undefined {
  const [subject = "", behaviour = ""] = title.split(/:\s(.*)/s);
  if (subject === "" || behaviour === "") return `"${title}": write it as "subject: behaviour"`;
  if (/^should\b/i.test(behaviour)) return `"${title}": say what it does, not what it should do`;
  if (/\b(works|is correct|is ok)$/i.test(behaviour)) return `"${title}": say what it does`;
  if (!behaviour.includes(" ")) return `"${title}": one word is no sentence`;
  return undefined;
}

function usesNodeTest({ path, text }: RepositoryFile): boolean {
  return path.endsWith(".ts") && /from "node:test"/.test(text);
}
