/**
 * Labels as both text formats write them, without the braces: `route="users",service="a\"b"`.
 * Backslash, double quote and line feed are escaped; every other character stands for itself.
 */
export function labelText(names: readonly string[], values: readonly string[]): string {
  const parts: string[] = [];
  for (let i = 0; i < names.length; i++) {
    parts.push(i === 0 ? "" : ",", names[i]!, '="', escapeLabel(values[i]!), '"');
  }
  // Joined, not added up: V8 keeps every sum, and there are tens of thousands of texts.
  return parts.join("");
}

function escapeLabel(value: string): string {
  // A lone surrogate has no UTF-8 form.
  const whole = value.toWellFormed();
  return whole.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
