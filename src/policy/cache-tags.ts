export {
  type CachePurge,
  folderTags,
  namedTag,
  prefixOfTag,
  underTag,
  urlOfTags,
  urlTag,
} from "../base/cache/cache-tags.ts";
