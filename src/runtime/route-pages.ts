/**
 * The routes of a configuration on their way to the workers: written once by the main thread, in memory that all
 * threads share, in pages that a worker reads one at a time between serving its clients.
 *
 *     text    | [route, route, ...] | [route, ...] | ...     JSON in UTF-8; `ends` tells where each page ends
 *     cells   | requests, duration | requests, duration | ... two for each route: where it is counted
 */
import type { RouteConfig } from "../config/config.ts";

export interface RoutePages {
  readonly count: number;
  readonly text: Uint8Array;
  readonly ends: readonly number[];
  readonly cells: Int32Array;
}

/** What a page costs to read and compile is less than a millisecond. */
const ROUTES_PER_PAGE = 50;

/** @param cells in the order of the routes, in shared memory. */
export function packRoutes(routes: readonly RouteConfig[], cells: Int32Array): RoutePages {
  const pages: Buffer[] = [];
  const ends: number[] = [];
  let bytes = 0;
  for (let start = 0; start < routes.length; start += ROUTES_PER_PAGE) {
    const page = Buffer.from(JSON.stringify(routes.slice(start, start + ROUTES_PER_PAGE)));
    bytes += page.length;
    pages.push(page);
    ends.push(bytes);
  }
  const text = new Uint8Array(new SharedArrayBuffer(bytes));
  for (const [index, page] of pages.entries()) text.set(page, ends[index]! - page.length);
  return { count: routes.length, text, ends, cells };
}

/** The routes in their order, page by page. */
export function* readPages({ text, ends }: RoutePages): Generator<RouteConfig[], void, void> {
  let start = 0;
  for (const end of ends) {
    const page = Buffer.from(text.buffer, text.byteOffset + start, end - start);
    yield JSON.parse(page.toString()) as RouteConfig[];
    start = end;
  }
}

/** In place of pages that have been read. */
export const noPages: RoutePages = {
  count: 0,
  text: new Uint8Array(0),
  ends: [],
  cells: new Int32Array(0),
};
