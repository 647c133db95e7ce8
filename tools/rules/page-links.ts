import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import type { RepositoryFile } from "./repository-files.ts";
import { repositoryRoot } from "./repository-files.ts";
import type { Violation } from "./violation.ts";

interface Link {
  readonly target: string;
  readonly line: number;
}

/**
 * Rule: a link of a page leads to a file of the repository, and its `#anchor` to a heading there. Files
 * that pages only name, as `wire/transport.ts`, exist too: below src, or from the repository's folder.
 */
export function checkPageLinks(
  files: readonly RepositoryFile[],
  exists: (path: string) => boolean = (path) => existsSync(join(repositoryRoot, path)),
): Violation[] {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  const pages = files.filter(({ path }) => path.endsWith(".md"));
  return pages.flatMap(({ path, text }) => {
    const lines = linesOutsideBlocks(text);
    const objections = [
      ...linksIn(lines).map((link) => ({ ...link, message: objection(path, link, texts, exists) })),
      ...filesNamedIn(lines, path).map(({ target, line }) => {
        const isThere = isNamed(target, texts);
        return { line, message: isThere ? undefined : `there is no ${target}: name it as it is` };
      }),
    ];
    return objections.flatMap(({ line, message }) =>
      message === undefined ? [] : [{ path, line, message }],
    );
  });
}

/** Lines by their number from 1; those of code blocks are empty. */
function linesOutsideBlocks(text: string): string[] {
  let isInBlock = false;
  return text.split("\n").map((line) => {
    const isFence = /^\s*```/.test(line);
    if (isFence) isInBlock = !isInBlock;
    return isFence || isInBlock ? "" : line;
  });
}

function linksIn(lines: readonly string[]): Link[] {
  return lines.flatMap((text, index) =>
    [...text.matchAll(/\]\(([^()\s]+)\)/g)]
      .map(([, target = ""]) => ({ target, line: index + 1 }))
      .filter(({ target }) => !/^[a-z]+:/.test(target)),
  );
}

function objection(
  page: string,
  { target }: Link,
  texts: ReadonlyMap<string, string>,
  exists: (path: string) => boolean,
): string | undefined {
  const [file = "", anchor] = target.split("#");
  const path = file === "" ? page : posix.join(posix.dirname(page), file).replace(/\/$/, "");
  if (!exists(path)) return `the link ${target} leads nowhere: there is no ${path}`;
  if (anchor === undefined || !path.endsWith(".md")) return undefined;
  if (headingAnchors(texts.get(path) ?? "").has(anchor)) return undefined;
  return `the link ${target} leads nowhere: ${path} has no heading with that anchor`;
}

/** As GitHub makes them: lower case, no punctuation, blanks become hyphens. */
function headingAnchors(text: string): Set<string> {
  const headings = linesOutsideBlocks(text).flatMap((line) => /^#+ +(.*)$/.exec(line)?.[1] ?? []);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}_ -]/gu, "")
        .trim()
        .replaceAll(" ", "-"),
    ),
  );
}

/** Only the page about the code says where things are by name. */
function filesNamedIn(lines: readonly string[], page: string): Link[] {
  if (page !== "ARCHITECTURE.md") return [];
  return lines.flatMap((text, index) =>
    [...text.matchAll(/`([a-z0-9/-]+\.ts)`/g)].map(([, target = ""]) => ({
      target,
      line: index + 1,
    })),
  );
}

/** A name without its folder stands for the one file of that name. */
function isNamed(target: string, texts: ReadonlyMap<string, string>): boolean {
  if (target.includes("/")) return texts.has(target) || texts.has(`src/${target}`);
  return [...texts.keys()].some((path) => path.startsWith("src/") && path.endsWith(`/${target}`));
}
