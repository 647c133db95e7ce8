/** purge-cache: what `gateward cache purge` does: asks a gateway that runs, at its admin address. */
import { Refusal } from "../policy/values/refusal.ts";
import { adminAddress, type AdminPlace } from "./admin-address.ts";
import { askAdmin } from "./ask-admin.ts";
import { EXIT_FAILURE, EXIT_MISTAKE, EXIT_OK } from "./exit-code.ts";

/** What is to be forgotten, as the admin API takes it. */
export type PurgeOrder =
  | { readonly url: string }
  | { readonly tag: string }
  | { readonly all: true };

/** Not a last segment that is nothing else, or in a query. */
const LITERAL_STAR = /[^/]\*|\*.|\?.*\*/;

/** Sends the orders one after the other; says on standard error what went wrong. */
export async function purgeCache(
  place: AdminPlace,
  orders: readonly PurgeOrder[],
): Promise<number> {
  const address = await adminAddress(place);
  if (address === undefined) return EXIT_MISTAKE;
  for (const order of orders) {
    const answer = await askAdmin<Purged>(address, "/cache/purge", order, isPurged);
    if (answer.trouble !== undefined) {
      console.error(`gateward: ${answer.trouble}`);
      return EXIT_FAILURE;
    }
    const outcome = answer.value.responses;
    const [[kind, value]] = Object.entries(order) as [[string, unknown]];
    const what = value === true ? "everything" : `${kind} ${String(value)}`;
    console.log(`${what}: ${outcome === 1 ? "1 response" : `${outcome} responses`} forgotten`);
    if (outcome === 0) {
      console.error("gateward: nothing in the gateway's memory matched (Redis is not counted)");
      if ("url" in order && LITERAL_STAR.test(order.url)) {
        console.error("gateward: a * stands for itself, but for /* at the end: all that is below");
      }
    }
  }
  return EXIT_OK;
}

interface Purged {
  readonly responses: number;
}

function isPurged({ responses }: Partial<Purged>): boolean {
  return typeof responses === "number";
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
