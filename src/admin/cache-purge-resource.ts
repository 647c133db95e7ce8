import {
  type CachePurge,
  FOLDERS_MAX,
  folderTags,
  namedTag,
  PREFIX_LENGTH_MAX,
  prefixOfTag,
  underTag,
  urlTag,
} from "../base/cache/cache-tags.ts";
import { resourceUrl } from "../policy/resource-url.ts";
import { type AdminResource, jsonReply, problemReply } from "./admin-resource.ts";

const EXPECTED = 'Expected {"url": "https://..."}, {"tag": "..."} or {"all": true}.';

/** Forgets stored responses of the policy `cache`, in all workers at once. */
export const cachePurgeResource: AdminResource = {
  path: "/cache/purge",
  about: 'POST {"url"}, {"tag"} or {"all": true}: forget what the policy cache has stored',
  write(gateway, body) {
    const { what, flaw } = purgeOf(body);
    if (what === undefined) return problemReply("malformed-request", flaw ?? EXPECTED);
    return jsonReply(200, { purged: body, responses: gateway.purgeCache(what) });
  },
};

interface PurgeRead {
  /** Undefined where nothing can be purged so. */
  readonly what?: CachePurge;
  readonly flaw?: string;
}

function purgeOf(body: unknown): PurgeRead {
  if (typeof body !== "object" || body === null) return {};
  const entries = Object.entries(body);
  if (entries.length !== 1) return {};
  const [key, value] = entries[0] as [string, unknown];
  if (key === "all" && value === true) return { what: "all" };
  if (typeof value !== "string" || value === "") return {};
  if (key === "tag") return { what: [namedTag(value)] };
  return key === "url" ? urlPurge(value) : {};
}

/**
 * As the policy names what it stores: without a fragment, the host in lower case, the path as it is matched. Where
 * that ends with a segment that is a star, all that is below it.
 */
function urlPurge(text: string): PurgeRead {
  const url = URL.parse(text);
  if (url === null || !url.protocol.startsWith("http")) return {};
  const resource = resourceUrl(url);
  if (resource === undefined) return {};
  if (url.search !== "" || !resource.endsWith("/*")) return { what: [urlTag(resource)] };
  const wanted = underTag(resource.slice(0, -1));
  const nearest = folderTags(resource).at(-1)!;
  if (nearest === wanted) return { what: [wanted] };
  // To purge less than what was asked for would look as if all of it was gone.
  const bound = `more than ${FOLDERS_MAX} folders or ${PREFIX_LENGTH_MAX} characters`;
  const hint = `purge ${prefixOfTag(nearest)}*, or what services give a tag`;
  return { flaw: `The address is too deep, ${bound}: ${hint}.` };
}
