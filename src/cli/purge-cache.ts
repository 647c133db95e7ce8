/** purge-cache: what `gateward cache purge` does: asks a gateway that runs, at its admin address. */
import { Refusal } from "../policy/values/refusal.ts";
import { adminAddress, type AdminPlace } from "./admin-address.ts";
import { EXIT_FAILURE, EXIT_MISTAKE, EXIT_OK } from "./exit-code.ts";

const TIMEOUT_MS = 10_000;

/** What is to be forgotten, as the admin API takes it. */
export type PurgeOrder =
  | { readonly url: string }
  | { readonly tag: string }
  | { readonly all: true };

/** Sends the orders one after the other; says on standard error what went wrong. */
export async function purgeCache(
  place: AdminPlace,
  orders: readonly PurgeOrder[],
): Promise<number> {
  const address = await adminAddress(place);
  if (address === undefined) return EXIT_MISTAKE;
  for (const order of orders) {
    const outcome = await send(address, order);
    if (typeof outcome === "string") {
      console.error(`gateward: ${outcome}`);
      return EXIT_FAILURE;
    }
    const [[kind, value]] = Object.entries(order) as [[string, unknown]];
    const what = value === true ? "everything" : `${kind} ${String(value)}`;
    console.log(`${what}: ${outcome === 1 ? "1 response" : `${outcome} responses`} forgotten`);
    if (outcome === 0) {
      console.error("gateward: nothing in the gateway's memory matched (Redis is not counted)");
      if ("url" in order && order.url.includes("*")) {
        console.error("gateward: a * stands for itself; have services give tags to purge several");
      }
    }
  }
  return EXIT_OK;
}

/** How many responses are forgotten, or what went wrong. */
async function send(address: string, order: PurgeOrder): Promise<number | string> {
  let response: Response;
  try {
    response = await fetch(`${address}/cache/purge`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(order),
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    return `no gateway answers at ${address}: ${reasonOf(error as Error)}`;
  }
  const text = await response.text().catch(() => "");
  const answer = answerOf(text);
  if (response.ok && typeof answer?.responses === "number") return answer.responses;
  const { status } = response;
  if (answer?.title === undefined) return `what answers at ${address} is no admin API (${status})`;
  const detail = answer.detail === undefined ? "" : `; ${answer.detail}`;
  return `${address} refuses: ${status} ${answer.title}${detail}`;
}

function answerOf(text: string) {
  try {
    return JSON.parse(text) as { responses?: number; title?: string; detail?: string } | null;
  } catch {
    return null;
  }
}

/** The system's word for it is in the cause, if there is one. */
function reasonOf({ message, cause }: Error): string {
  const { code } = (cause ?? {}) as NodeJS.ErrnoException;
  return code ?? message;
}

/** @throws Refusal unless one kind of thing was named */
export function purgeOrders(
  urls: string | undefined,
  tags: readonly string[] | undefined,
  all: boolean,
): readonly PurgeOrder[] {
  const kinds = [urls !== undefined, tags !== undefined, all].filter(Boolean).length;
  const hint = "name one of --url URL, --tag NAMES and --all";
  if (kinds === 0) throw new Refusal("what is to be forgotten", hint);
  if (kinds > 1) throw new Refusal("too much at once", hint);
  if (all) return [{ all: true }];
  if (tags !== undefined) {
    if (tags.length === 0) throw new Refusal("--tag names none", hint);
    return tags.map((tag) => ({ tag }));
  }
  if (URL.parse(urls!)?.protocol.startsWith("http") !== true) {
    throw new Refusal(
      `--url is none: ${JSON.stringify(urls)}`,
      "https://HOST/PATH, as clients ask",
    );
  }
  return [{ url: urls! }];
}
