/** Names of the parameters of a path pattern, `*` for the rest. */
export function pathParams(pattern: string): string[] {
  return [];
}
