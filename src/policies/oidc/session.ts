/** What is kept of someone who has signed in. Never changed once made: a renewed one is another object. */
export interface Session {
  /** Names it as long as it lasts; random, and a secret where it is all that the browser has. */
  readonly handle: string;
  /** One more each time the provider has given new tokens. */
  readonly version: number;
  /** Epoch milliseconds. */
  readonly startedAtMs: number;
  /** When it was last in use, or some time before. */
  readonly seenAtMs: number;
  /** End of the access token; 0 when that was not said. */
  readonly accessEndsAtMs: number;
  /** When to ask for new tokens; 0: never. */
  readonly renewAtMs: number;
  /** What the provider granted, with blanks. */
  readonly scope: string;
  readonly idToken: string;
  /** "" where nobody needs it. */
  readonly accessToken: string;
  /** "" where there is none, or it is not used. */
  readonly refreshToken: string;
  /** What the provider said when asked about the user; null when it was not asked. */
  readonly userinfo: Readonly<Record<string, unknown>> | null;
}

/** How long sessions last. */
export interface SessionLimits {
  /** From sign-in on. */
  readonly ttlMs: number;
  /** Without a request; 0: no limit. */
  readonly idleMs: number;
}

/** When it is over, as far as it is known; epoch milliseconds. */
export function sessionEndsAt(session: Session, { ttlMs, idleMs }: SessionLimits): number {
  const endsAt = session.startedAtMs + ttlMs;
  return idleMs === 0 ? endsAt : Math.min(endsAt, session.seenAtMs + idleMs);
}

type Packed = readonly [
  handle: string,
  version: number,
  startedAtMs: number,
  seenAtMs: number,
  accessEndsAtMs: number,
  renewAtMs: number,
  scope: string,
  idToken: string,
  accessToken: string,
  refreshToken: string,
  userinfo: Session["userinfo"],
];

/** As short as JSON can be: it travels with every request. */
export function formatSession(session: Session): string {
  const packed: Packed = [
    session.handle,
    session.version,
    session.startedAtMs,
    session.seenAtMs,
    session.accessEndsAtMs,
    session.renewAtMs,
    session.scope,
    session.idToken,
    session.accessToken,
    session.refreshToken,
    session.userinfo,
  ];
  return JSON.stringify(packed);
}

/** @param text as `formatSession` made it: it was sealed, and nobody else can have written it. */
export function parseSession(text: string): Session {
  const packed = JSON.parse(text) as Packed;
  const [handle, version, startedAtMs, seenAtMs, accessEndsAtMs, renewAtMs, ...rest] = packed;
  const [scope, idToken, accessToken, refreshToken, userinfo] = rest;
  return {
    handle,
    version,
    startedAtMs,
    seenAtMs,
    accessEndsAtMs,
    renewAtMs,
    scope,
    idToken,
    accessToken,
    refreshToken,
    userinfo,
  };
}

/** The claims of a token that has been verified; {} for what has none. */
export function claimsOf(token: string): Readonly<Record<string, unknown>> {
  const payload = token.split(".")[1];
  if (payload === undefined) return {};
  return JSON.parse(Buffer.from(payload, "base64url").toString()) as Record<string, unknown>;
}
