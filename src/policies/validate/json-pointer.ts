/** json-pointer: places in a document (RFC 6901). */

/** What a pointer leads to; undefined for nothing. */
export function valueAt(value: unknown, pointer: string): unknown {
  let at = value;
  for (const part of pointer.split("/").slice(1)) {
    if (typeof at !== "object" || at === null) return undefined;
    const name = unescapeName(part);
    if (!Object.hasOwn(at, name)) return undefined;
    at = (at as Record<string, unknown>)[name];
  }
  return at;
}

/** How deep a field is told. Schemas that contain themselves have no end of them. */
const DEPTH_SHOWN_MAX = 10;

/** A pointer with `*` for indexes and for names that are not known: clients may choose those. */
export function fieldOf(pointer: string, known: ReadonlySet<string>): string {
  if (pointer === "") return "";
  const parts = pointer.split("/").slice(1);
  const shown = parts.slice(0, DEPTH_SHOWN_MAX).map((part) => {
    return /^\d+$/.test(part) || !known.has(unescapeName(part)) ? "*" : part;
  });
  return `/${shown.join("/")}${parts.length > DEPTH_SHOWN_MAX ? "/..." : ""}`;
}

/** A name as it is written in a pointer. */
export function escapeName(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

function unescapeName(part: string): string {
  return part.replaceAll("~1", "/").replaceAll("~0", "~");
}
