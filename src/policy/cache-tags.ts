export { type CachePurge, namedTag, urlTag } from "../base/cache/cache-tags.ts";
