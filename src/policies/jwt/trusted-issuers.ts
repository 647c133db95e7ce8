import { createHash } from "node:crypto";
import type { PolicyEnvironment } from "../../policy/environment.ts";
import { fetchKeys, type KeyLocation } from "./fetch-keys.ts";
import { staticKey, trustedIssuers, type JwtOptions, type TrustOptions } from "./jwt-options.ts";
import { KeySet } from "./key-set.ts";
import { StaticKeys, type KeySource } from "./key-source.ts";
import { RemoteKeys } from "./remote-keys.ts";

/** Whose tokens are accepted, and what proves them. */
export interface TrustedIssuer {
  readonly keys: KeySource;
  /** null: any. */
  readonly audiences: ReadonlySet<string> | null;
}

/** Finds the issuer of a token by its `iss`. */
export class TrustedIssuers {
  private readonly byName: ReadonlyMap<string, TrustedIssuer>;
  /** For whatever `iss` says. */
  private readonly unnamed: TrustedIssuer | null;

  /** @throws Refusal for a file that holds no key */
  constructor(options: JwtOptions, environment: PolicyEnvironment) {
    const byName = new Map<string, TrustedIssuer>();
    let unnamed: TrustedIssuer | null = null;
    for (const trust of trustedIssuers(options)) {
      const audiences = trust.audience === undefined ? null : new Set(trust.audience);
      const issuer = { keys: keySource(trust, options, environment), audiences };
      if (trust.issuer === undefined) unnamed = issuer;
      else byName.set(trust.issuer, issuer);
    }
    this.byName = byName;
    this.unnamed = unnamed;
  }

  find(iss: unknown): TrustedIssuer | null {
    const named = typeof iss === "string" ? this.byName.get(iss) : undefined;
    return named ?? this.unnamed;
  }
}

function keySource(
  trust: TrustOptions,
  options: JwtOptions,
  environment: PolicyEnvironment,
): KeySource {
  const { keys } = trust;
  if (keys !== undefined) {
    return new StaticKeys(
      new KeySet(keys.map((key) => staticKey(key, (path) => environment.file(path)))),
    );
  }
  return remoteKeys(locationOf(trust), options, environment);
}

function locationOf({ jwks, issuer }: TrustOptions): KeyLocation {
  return jwks === undefined ? { kind: "issuer", issuer: issuer! } : { kind: "jwks", url: jwks };
}

/** One for all uses that fetch the same keys in the same way, and across reloads. */
function remoteKeys(
  location: KeyLocation,
  { fetch }: JwtOptions,
  environment: PolicyEnvironment,
): KeySource {
  const { clock, log } = environment;
  const ca = fetch.ca === undefined ? undefined : environment.file(fetch.ca);
  const identity = JSON.stringify([location, fetch, ca]);
  const key = `keys ${createHash("sha256").update(identity).digest("hex")}`;
  return environment.keep<KeySource>(key, () => {
    const settings = {
      fetch: environment.fetch,
      timeoutMs: fetch.timeout,
      ca,
    };
    return new RemoteKeys(
      (previous) => fetchKeys(location, settings, previous),
      { refreshMs: fetch.refresh, cooldownMs: fetch.cooldown, outageMs: fetch.outage },
      {
        now: () => clock.now(),
        log: log.child({ keys: "url" in location ? location.url : location.issuer }),
      },
    );
  });
}
