/**
 * A value of a claim, of metadata or of an expression as text: scalars as they are, lists of scalars with
 * commas, anything else as JSON. Undefined for null and for what is not there.
 */
export function plainText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (isScalar(value)) return String(value);
  if (Array.isArray(value) && value.every(isScalar)) return value.join(",");
  return JSON.stringify(value instanceof Map ? Object.fromEntries(value) : value);
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}
