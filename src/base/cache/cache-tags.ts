const URL_OF = "url ";

/** Every record carries them beside those that its service named. */
export function urlTag(url: string): string {
  return URL_OF + url;
}

/** A tag that a service has named; never taken for another kind. */
export function namedTag(name: string): string {
  return `tag ${name}`;
}

const UNDER = "under ";
/** Beneath its host, so many folders of an address are looked at: each record has a tag for each. */
export const FOLDERS_MAX = 8;
/** Of an address up to one of its folders, characters: Redis gives every hit all those purged of late. */
export const PREFIX_LENGTH_MAX = 512;

/** For all that is below an address, which ends with a slash: see `folderTags`. */
export function underTag(prefix: string): string {
  return UNDER + prefix;
}

/** The address that an `underTag` is of; undefined for any other tag. */
export function prefixOfTag(tag: string): string | undefined {
  return tag.startsWith(UNDER) ? tag.slice(UNDER.length) : undefined;
}

/**
 * An `underTag` for the host of a URL and each folder of its path, the widest first; none for those deeper than
 * FOLDERS_MAX or longer than PREFIX_LENGTH_MAX. Slashes of the query make no folders.
 */
export function folderTags(url: string): string[] {
  const tags: string[] = [];
  const queryAt = url.indexOf("?");
  const end = Math.min(queryAt < 0 ? url.length : queryAt, PREFIX_LENGTH_MAX);
  let slash = url.indexOf("/", url.indexOf("://") + "://".length);
  while (slash >= 0 && slash < end && tags.length <= FOLDERS_MAX) {
    tags.push(underTag(url.slice(0, slash + 1)));
    slash = url.indexOf("/", slash + 1);
  }
  return tags;
}

/** The URL that one of the tags of a record is of. */
export function urlOfTags(tags: readonly string[]): string | undefined {
  return tags.find((tag) => tag.startsWith(URL_OF))?.slice(URL_OF.length);
}

/** What is to be forgotten: everything, or what has one of these tags. */
export type CachePurge = "all" | readonly string[];
