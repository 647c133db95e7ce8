/** cel-library: the expression library, loaded when the first expression is met. */
import { createRequire } from "node:module";
import type * as Cel from "@bufbuild/cel";

/** A syntax tree as the library's parser gives it. */
export type ParsedExpression = ReturnType<typeof Cel.parse>;
export type ExpressionNode = ParsedExpression["expr"];

export type { CelEnv, CelFunc, CelInput, CelResult, CelValue } from "@bufbuild/cel";

/** A pattern in the syntax of RE2, which takes linear time. */
export interface LinearPattern {
  test(text: string): boolean;
}

/** What is used of the library and of the packages that it brings along. */
export interface CelLibrary {
  readonly cel: typeof Cel;
  /** Functions on strings of the language's standard extension: `split`, `lowerAscii`, `replace`. */
  readonly strings: Cel.CelFunc[];
  /** @throws Error for what is no pattern */
  compilePattern(pattern: string): LinearPattern;
  /** A `google.protobuf.Timestamp`. */
  timestamp(epochMs: number): Cel.CelInput;
}

let library: CelLibrary | undefined;

/**
 * Synchronous, because a schema that meets an expression cannot wait; and not at start, because it takes
 * 0.1 s and some 20 MB in every thread, which configurations without expressions should not pay.
 */
export function celLibrary(): CelLibrary {
  library ??= load();
  return library;
}

function load(): CelLibrary {
  const require = createRequire(import.meta.url);
  // The library compiles the pattern of `matches` at every call (10 us), and does not export its engine.
  // It is asked for as the library itself does.
  const inner = createRequire(require.resolve("@bufbuild/cel"));
  const { RE2JS } = inner("@bufbuild/re2") as {
    RE2JS: { compile(pattern: string): LinearPattern };
  };
  const { timestampFromMs } = inner("@bufbuild/protobuf/wkt") as {
    timestampFromMs(epochMs: number): Cel.CelInput;
  };
  const { strings } = require("@bufbuild/cel/ext") as { strings: Cel.CelFunc[] };
  return {
    cel: require("@bufbuild/cel") as typeof Cel,
    strings,
    compilePattern: (pattern) => RE2JS.compile(pattern),
    timestamp: timestampFromMs,
  };
}
