/** What users have given; undefined takes the preset's, false is none. */
interface Chosen {
  readonly preset: "api" | "web";
  readonly csp?: string | false | undefined;
  readonly cspReportOnly: boolean;
  readonly contentTypeOptions: boolean;
  readonly frameOptions?: string | false | undefined;
  readonly referrerPolicy?: string | false | undefined;
  readonly permissionsPolicy?: string | false | undefined;
  readonly openerPolicy?: string | false | undefined;
  readonly embedderPolicy?: string | false | undefined;
  readonly resourcePolicy?: string | false | undefined;
}

type Key = Exclude<keyof Chosen, "preset" | "cspReportOnly" | "contentTypeOptions">;

const NAMES: Readonly<Record<Key, string>> = {
  csp: "content-security-policy",
  frameOptions: "x-frame-options",
  referrerPolicy: "referrer-policy",
  permissionsPolicy: "permissions-policy",
  openerPolicy: "cross-origin-opener-policy",
  embedderPolicy: "cross-origin-embedder-policy",
  resourcePolicy: "cross-origin-resource-policy",
};

/**
 * For data nothing is lost by forbidding all that a page could do. Pages load scripts and are linked to in
 * more ways than anybody can guess: their preset leaves out what breaks some.
 */
const PRESETS: Readonly<Record<Chosen["preset"], Partial<Record<Key, string>>>> = {
  api: {
    csp: "default-src 'none'; frame-ancestors 'none'",
    frameOptions: "DENY",
    referrerPolicy: "no-referrer",
    resourcePolicy: "same-origin",
  },
  web: {
    csp: "base-uri 'self'; object-src 'none'; frame-ancestors 'self'",
    frameOptions: "SAMEORIGIN",
    referrerPolicy: "strict-origin-when-cross-origin",
    openerPolicy: "same-origin-allow-popups",
    resourcePolicy: "same-site",
  },
};

/** The headers of every answer, over HTTP too. */
export function headersOf(chosen: Chosen): { name: string; value: string }[] {
  const headers: { name: string; value: string }[] = [];
  if (chosen.contentTypeOptions) headers.push({ name: "x-content-type-options", value: "nosniff" });
  for (const key of Object.keys(NAMES) as Key[]) {
    const value = chosen[key] ?? PRESETS[chosen.preset][key] ?? false;
    if (value === false) continue;
    const isReport = key === "csp" && chosen.cspReportOnly;
    headers.push({ name: isReport ? `${NAMES[key]}-report-only` : NAMES[key], value });
  }
  return headers;
}
