import { admin } from "../config/schema/admin.ts";
import { Refusal } from "../policy/values/refusal.ts";
import { findForCommand } from "./load-for-command.ts";
import { readLeniently } from "./read-leniently.ts";

const HINT = "say where it is: --admin http://127.0.0.1:9090";
/** A server that listens on every address is reached on this machine's own. */
const EVERYWHERE: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

export interface AdminPlace {
  /** URL, or host and port, as it was given. */
  readonly admin: string | undefined;
  readonly config: string | undefined;
  /** The working folder. */
  readonly folder: string;
}

/**
 * Origin of the admin API of a gateway that runs: as it was given, or as the document says. Undefined after
 * saying on standard error that there is no document.
 *
 * @throws Refusal
 */
export async function adminAddress(place: AdminPlace): Promise<string | undefined> {
  if (place.admin !== undefined) return originOf(place.admin);
  const file = await findForCommand(place.folder, place.config);
  if (file === undefined) return undefined;
  const document = await readLeniently(file, HINT);
  const parsed = admin.safeParse(document["admin"] ?? true);
  if (!parsed.success) throw new Refusal(`admin in ${file} is no address`, HINT);
  if (parsed.data === false) throw new Refusal(`admin is false in ${file}: it listens nowhere`);
  const { port } = parsed.data;
  const host = EVERYWHERE[parsed.data.host] ?? parsed.data.host;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function originOf(text: string): string {
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url?.protocol.startsWith("http") === true) return url.origin;
  throw new Refusal(`--admin is no address: ${JSON.stringify(text)}`, HINT);
}
