/**
 * Labels as both text formats write them, without the braces: `route="users",service="a\"b"`.
 * Backslash, double quote and line feed are escaped; every other character stands for itself.
 */
export function labelText(names: readonly string[], values: readonly string[]): string {
  let text = "";
  for (let i = 0; i < names.length; i++) {
    if (i > 0) text += ",";
    text += `${names[i]}="${escapeLabel(values[i]!)}"`;
  }
  return text;
}

function escapeLabel(value: string): string {
  // A lone surrogate has no UTF-8 form.
  const whole = value.toWellFormed();
  return whole.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
