import { urlTag, namedTag, type CachePurge } from "../base/cache/cache-tags.ts";
import { resourceUrl } from "../policy/resource-url.ts";
import { type AdminResource, jsonReply, problemReply } from "./admin-resource.ts";

const EXPECTED = 'Expected {"url": "https://..."}, {"tag": "..."} or {"all": true}.';

/** Forgets stored responses of the policy `cache`, in all workers at once. */
export const cachePurgeResource: AdminResource = {
  path: "/cache/purge",
  about: 'POST {"url"}, {"tag"} or {"all": true}: forget what the policy cache has stored',
  write(gateway, body) {
    const what = purgeOf(body);
    if (what === undefined) return problemReply("malformed-request", EXPECTED);
    return jsonReply(200, { purged: body, responses: gateway.purgeCache(what) });
  },
};

function purgeOf(body: unknown): CachePurge | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const entries = Object.entries(body);
  if (entries.length !== 1) return undefined;
  const [key, value] = entries[0] as [string, unknown];
  if (key === "all" && value === true) return "all";
  if (typeof value !== "string" || value === "") return undefined;
  if (key === "tag") return [namedTag(value)];
  return key === "url" ? urlPurge(value) : undefined;
}

/** As the policy names what it stores: without a fragment, the host in lower case, the path as it is matched. */
function urlPurge(text: string): CachePurge | undefined {
  const url = URL.parse(text);
  if (url === null || !url.protocol.startsWith("http")) return undefined;
  const resource = resourceUrl(url);
  return resource === undefined ? undefined : [urlTag(resource)];
}
