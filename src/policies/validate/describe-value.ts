/** Longer ones are told by their length alone. */
const SHOWN_LENGTH_MAX = 40;

/** What kind of value it is, without telling it. */
export function describeValue(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  switch (typeof value) {
    case "undefined":
      return "";
    case "boolean":
      return "a boolean";
    case "number":
      return Number.isInteger(value) ? "an integer" : "a number";
    case "string":
      return `text of ${value.length} ${value.length === 1 ? "character" : "characters"}`;
    default:
      return "an object";
  }
}

/** How text that should have a known form is written: `99/99/9999` for `24/12/2026`. */
export function describeForm(value: unknown): string {
  if (typeof value !== "string" || value.length > SHOWN_LENGTH_MAX) return describeValue(value);
  const form = value
    .replace(/[a-z]/g, "a")
    .replace(/[A-Z]/g, "A")
    .replace(/[0-9]/g, "9")
    .replace(/[^\x20-\x7e]/g, "?");
  return `text like ${JSON.stringify(form)}`;
}

/** What a JSON Pointer leads to; undefined for nothing. */
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

/** A JSON Pointer with `*` for indexes and for names that are not known: clients may choose those. */
export function fieldOf(pointer: string, known: ReadonlySet<string>): string {
  if (pointer === "") return "";
  const parts = pointer.split("/").slice(1);
  const shown = parts.slice(0, DEPTH_SHOWN_MAX).map((part) => {
    return /^\d+$/.test(part) || !known.has(unescapeName(part)) ? "*" : part;
  });
  return `/${shown.join("/")}${parts.length > DEPTH_SHOWN_MAX ? "/..." : ""}`;
}

function unescapeName(name: string): string {
  return name.replaceAll("~1", "/").replaceAll("~0", "~");
}

export function escapeName(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
