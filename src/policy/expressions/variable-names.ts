/**
 * What an expression can name, and what is below each name: a map for what has known members, ANY where
 * everything may be asked for.
 */
export interface Members {
  readonly [name: string]: Members | typeof ANY | typeof LEAF;
}

/** Members are not known beforehand: headers, claims. */
export const ANY = "any";
/** A text, a number or a list. */
export const LEAF = "leaf";

const consumer: Members = {
  name: LEAF,
  groups: LEAF,
  roles: LEAF,
  scopes: LEAF,
  metadata: ANY,
  plan: LEAF,
};

export const variableNames: Members = {
  request: {
    method: LEAF,
    scheme: LEAF,
    host: LEAF,
    path: LEAF,
    query: ANY,
    headers: ANY,
    cookies: ANY,
    params: ANY,
    protocol: LEAF,
    contentLength: LEAF,
  },
  client: { address: LEAF },
  identity: {
    method: LEAF,
    subject: LEAF,
    issuer: LEAF,
    consumer,
    scopes: LEAF,
    roles: LEAF,
    groups: LEAF,
    claims: ANY,
  },
  route: LEAF,
  service: LEAF,
  failure: LEAF,
  now: LEAF,
  response: { status: LEAF, headers: ANY },
};
