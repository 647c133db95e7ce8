/** Why a path is refused, as a number: `PATH_OK` when it is not. */
export const PATH_OK = 0;
export const PATH_NOT_ABSOLUTE = 1;
export const PATH_BROKEN_ESCAPE = 2;
export const PATH_CONTROL_CHARACTER = 3;
export const PATH_FORBIDDEN_CHARACTER = 4;
export const PATH_ABOVE_ROOT = 5;
export const PATH_HIDDEN_DOT_SEGMENT = 6;

/** What was wrong, in words for a problem's detail; indexed by the fault. */
export const pathFaultText: readonly string[] = [
  "",
  "the path does not begin with a slash",
  "a percent sign in the path is not followed by two hexadecimal digits",
  "the path has a control character or a space, raw or percent-encoded",
  "the path has a `#` or `?`, which no path can have",
  "dot segments in the path lead above its root",
  "the path hides a dot segment or an empty segment behind a parameter or an encoded slash",
];
