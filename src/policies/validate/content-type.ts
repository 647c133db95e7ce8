export interface ContentType {
  /** Lower case, without parameters. */
  readonly type: string;
  /** Lower case; "" for none. */
  readonly charset: string;
  /** "" for none. */
  readonly boundary: string;
}

const TYPE = /^[!#$%&'*+\-.^_`|~0-9a-z]+\/[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const PARAMETER =
  /^[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=("(?:[^"\\]|\\.)*"|[!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*$/;

/** Null for what is no media type (RFC 9110, section 8.3), and for two of the same parameter. */
export function parseContentType(text: string): ContentType | null {
  const [first = "", ...rest] = text.split(";");
  const type = first.trim().toLowerCase();
  if (!TYPE.test(type)) return null;
  const parameters = new Map<string, string>();
  for (const part of rest) {
    if (part.trim() === "") continue;
    const [, name = "", value = ""] = PARAMETER.exec(part) ?? [];
    if (name === "" || parameters.has(name.toLowerCase())) return null;
    parameters.set(name.toLowerCase(), value.startsWith('"') ? value.slice(1, -1) : value);
  }
  return {
    type,
    charset: (parameters.get("charset") ?? "").toLowerCase(),
    boundary: parameters.get("boundary") ?? "",
  };
}

export function isJsonType(type: string): boolean {
  return type === "application/json" || /^[^/]+\/[^/]*\+json$/.test(type);
}

/** Text that is read here is UTF-8, of which ASCII is a part. */
export function isReadableCharset(charset: string): boolean {
  return charset === "" || charset === "utf-8" || charset === "utf8" || charset === "us-ascii";
}

/** What is described for a type: itself, its kind (`text/*`, `application/*+json`), or anything. */
export function findContent<Content>(
  contents: ReadonlyMap<string, Content>,
  type: string,
): Content | undefined {
  const kind = `${type.slice(0, type.indexOf("/"))}/*`;
  const suffix = /^([^/]+)\/[^/]*(\+[^+]+)$/.exec(type);
  const names = [type, suffix === null ? kind : `${suffix[1]}/*${suffix[2]}`, kind, "*/*"];
  const name = names.find((one) => contents.has(one));
  return name === undefined ? undefined : contents.get(name);
}
