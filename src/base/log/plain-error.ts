/** An error as data that can be cloned and written; anything else as it is. Causes are kept three deep. */
export function plainError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack, cause } = error;
  const code = (error as NodeJS.ErrnoException).code;
  return {
    name,
    message,
    ...(code === undefined ? {} : { code }),
    ...(stack === undefined ? {} : { stack }),
    ...(cause === undefined || depth >= 3 ? {} : { cause: plainError(cause, depth + 1) }),
  };
}
