/** Every record carries them beside those that its service named. */
export function urlTag(url: string): string {
  return `url ${url}`;
}

/** A tag that a service has named; never taken for another kind. */
export function namedTag(name: string): string {
  return `tag ${name}`;
}

/** What is to be forgotten: everything, or what has one of these tags. */
export type CachePurge = "all" | readonly string[];
