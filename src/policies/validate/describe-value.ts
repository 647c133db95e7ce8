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
