import type { RepositoryFile } from "./repository-files.ts";
import type { Violation } from "./violation.ts";

/** In pieces, so that this file does not report itself. */
const marks = new RegExp(
  `\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"].join("|")})\\b`,
);

/** Rule: nothing says of itself that it is unfinished. */
export function checkUnfinishedMarks(files: readonly RepositoryFile[]): Violation[] {
  return files.flatMap(({ path, text }) =>
    text.split("\n").flatMap((content, index) => {
      const mark = marks.exec(content)?.[0];
      if (mark === undefined) return [];
      const message = `${mark}: do it now, or open an issue and leave the place clean`;
      return [{ path, line: index + 1, message }];
    }),
  );
}
