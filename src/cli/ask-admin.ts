const TIMEOUT_MS = 10_000;

/** What a gateway that runs answers at its admin address, or what went wrong as a sentence. */
export type AdminAnswer<Value> =
  | { readonly value: Value; readonly trouble?: undefined }
  | { readonly trouble: string };

/**
 * @param order what is posted as JSON; undefined only reads
 * @param isExpected whether an answer is one of the admin API
 */
export async function askAdmin<Value>(
  address: string,
  path: string,
  order: unknown,
  isExpected: (answer: Partial<Value>) => boolean,
): Promise<AdminAnswer<Value>> {
  const posted = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(order),
  };
  let response: Response;
  try {
    response = await fetch(`${address}${path}`, {
      ...(order === undefined ? {} : posted),
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    return { trouble: `no gateway answers at ${address}: ${reasonOf(error as Error)}` };
  }
  const answer = parse(await response.text().catch(() => "")) as
    | (Partial<Value> & { title?: string; detail?: string })
    | null;
  if (response.ok && answer !== null && isExpected(answer)) return { value: answer as Value };
  const { status } = response;
  if (answer?.title === undefined) {
    return { trouble: `what answers at ${address} is no admin API (${status})` };
  }
  const detail = answer.detail === undefined ? "" : `; ${answer.detail}`;
  return { trouble: `${address} refuses: ${status} ${answer.title}${detail}` };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The system's word for it is in the cause, if there is one. */
function reasonOf({ message, cause }: Error): string {
  const { code } = (cause ?? {}) as NodeJS.ErrnoException;
  return code ?? message;
}
