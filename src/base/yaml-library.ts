/** yaml-library: reads and writes YAML 1.2; loaded when it is first needed, which most threads never do. */
import { createRequire } from "node:module";
import type * as Yaml from "yaml";

export type { Document, Node, Pair, YAMLError } from "yaml";

let library: typeof Yaml | undefined;

export function yamlLibrary(): typeof Yaml {
  library ??= createRequire(import.meta.url)("yaml") as typeof Yaml;
  return library;
}
