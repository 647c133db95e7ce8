import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

const labels: Readonly<Record<string, readonly [string, Style]>> = {
  trace: ["trace", "gray"],
  debug: ["debug", "gray"],
  info: ["info ", "green"],
  warn: ["warn ", "yellow"],
  error: ["error", "red"],
  fatal: ["fatal", ["red", "bold"]],
};

/** What would move the cursor, start a terminal sequence or turn the writing direction. */
const unsafe = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const bare = /^[^\s"'=\\]+$/;

export interface PrettyOptions {
  colors: boolean;
}

/**
 * One entry for people: local time, level, message, then `name=value` for each field. An error's stack
 * follows on lines of its own.
 * @param json a line as the log writes it for machines.
 */
export function prettyLine(json: string, { colors }: PrettyOptions): string {
  const { level, time, msg, error, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const paint = (style: Style, text: string): string =>
    colors ? styleText(style, text, { validateStream: false }) : text;
  const [label, style] = labels[String(level)] ?? [String(level), "reset"];
  let line = `${paint("gray", clockTime(String(time)))} ${paint(style, label)} ${clean(String(msg))}`;
  for (const [name, value] of Object.entries(fields)) {
    line += ` ${paint("gray", `${name}=`)}${clean(shown(value))}`;
  }
  return line + shownError(error) + "\n";
}

function clockTime(rfc3339: string): string {
  const date = new Date(rfc3339);
  const two = (number: number): string => String(number).padStart(2, "0");
  const ms = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}

function shown(value: unknown): string {
  if (typeof value === "string" && bare.test(value)) return value;
  return JSON.stringify(value) ?? "";
}

function shownError(error: unknown): string {
  if (error === undefined || error === null) return "";
  if (typeof error !== "object") return `: ${clean(shown(error))}`;
  const { stack, message, cause } = error as { stack?: string; message?: string; cause?: unknown };
  const text = clean(stack ?? message ?? JSON.stringify(error)).replaceAll(/^/gm, "    ");
  return cause === undefined ? `\n${text}` : `\n${text}\n    caused by${shownError(cause)}`;
}

function clean(text: string): string {
  return text.replaceAll(
    unsafe,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
