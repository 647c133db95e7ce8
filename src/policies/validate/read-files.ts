import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { PolicyEnvironment } from "../../policy/environment.ts";

/** What prepared files hold, by their normalised paths. */
export function readFiles(
  files: readonly string[],
  contentOf: (file: string) => string,
): Map<string, unknown> {
  return new Map(files.map((file) => [posix.normalize(file), JSON.parse(contentOf(file))]));
}

/** The same in a worker, with what tells contents apart: what many uses name is parsed once, and kept once. */
export function keepFiles(files: readonly string[], environment: PolicyEnvironment) {
  const contents = new Map<string, unknown>();
  const digests: string[] = [];
  for (const file of files) {
    const text = environment.file(file);
    const digest = createHash("sha256").update(text).digest("base64");
    const keep = environment.keep<{ value: unknown } & Partial<Disposable>>;
    const { value } = keep(`file ${digest}`, () => ({ value: JSON.parse(text) }));
    contents.set(posix.normalize(file), value);
    digests.push(digest);
  }
  return { contents, digests };
}
