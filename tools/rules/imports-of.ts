import { dirname, join } from "node:path/posix";
import { blankInsides } from "./code-only.ts";
import type { RepositoryFile } from "./repository-files.ts";

/** One `import`, `export from`, `import()` or `new URL(..., import.meta.url)` of a file. */
export interface Import {
  readonly line: number;
  /** As written: `./a.ts`, `node:net`, `zod`. */
  readonly specifier: string;
  /** The file meant, from the repository's folder; undefined for Node's and packages' modules. */
  readonly target: string | undefined;
}

const address = /\bnew URL\(\s*"( +)",\s*import\.meta\.url\s*\)/dg;
/** `./worker${ending}`: a module whose ending depends on whether the package was built. */
const addressWithoutEnding = /\bnew URL\(\s*`( +)\{.*?,\s*import\.meta\.url\s*\)/dg;

/** Matched against text whose strings are blank: an import in a string or comment is none. */
const forms = [
  /\bfrom\s*"( +)"/dg,
  /^\s*import\s*"( +)"/dgm,
  /\bimport\s*\(\s*"( +)"\s*\)/dg,
  address,
  addressWithoutEnding,
];

/** All imports of a file, of types too, in no particular order. */
export function importsOf(file: RepositoryFile): Import[] {
  const code = blankInsides(file.text);
  return forms.flatMap((form) =>
    [...code.matchAll(form)].flatMap((match) => {
      const [start, end] = match.indices?.[1] ?? [0, 0];
      const written = file.text.slice(start, end);
      const specifier = written.replace(/(?<=\w)\$$/, ".ts");
      // new URL() also names folders and data: only code is imported.
      if ((form === address || form === addressWithoutEnding) && !/\.[cm]?[jt]s$/.test(specifier))
        return [];
      const line = code.slice(0, start).split("\n").length;
      const isFile = specifier.startsWith(".");
      return [
        { line, specifier, target: isFile ? join(dirname(file.path), specifier) : undefined },
      ];
    }),
  );
}

/** The package a specifier belongs to: `zod/v4` is of `zod`. Undefined for files and Node's own. */
export function packageOf(specifier: string): string | undefined {
  if (/^[.#]|^node:/.test(specifier)) return undefined;
  return /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0];
}
