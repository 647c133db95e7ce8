/**
 * api-key: lets callers pass who bring the key of a consumer.
 */
import { GenerationCache } from "../../base/generation-cache.ts";
import { Fault, faultTypes } from "../../base/faults.ts";
import { hashApiKey } from "../../policy/api-key-hash.ts";
import {
  defineAuthenticator,
  type Authenticator,
  type Judgement,
} from "../../policy/authenticator.ts";
import type { Consumers } from "../../policy/consumers.ts";
import { identityOfCredential } from "../../policy/credential-identity.ts";
import type { Clock } from "../../policy/environment.ts";
import type { Exchange } from "../../policy/exchange.ts";
import type { Identity } from "../../policy/identity.ts";
import { flag } from "../../policy/values/number.ts";
import { challengeOf, realm } from "../../policy/values/realm.ts";
import { section } from "../../policy/values/section.ts";
import { clearPlace, keyPlaces, readPlace, SEVERAL, type KeyPlace } from "./key-place.ts";

/** No key is longer; what is, need not be hashed to be refused. */
const KEY_LENGTH_MAX = 512;
const KNOWN_MAX = 10_000;

const unknownKey = new Fault(faultTypes["invalid-credentials"]);
const severalKeys = new Fault(
  faultTypes["invalid-credentials"],
  "The request brings several API keys.",
  "several-keys",
);
const expiredKey = new Fault(
  faultTypes["invalid-credentials"],
  "The API key has expired.",
  "expired",
);

interface Settings {
  readonly in: readonly KeyPlace[];
  readonly forward: boolean;
  readonly realm: string;
}

/**
 * Finds keys by their SHA-256, so the time that takes tells nothing of how much of a wrong key is right. A key
 * that was found is remembered as it came, with who it is of, until any key changes: most requests cost one
 * look into a table whose hashes are seeded, and no SHA-256.
 */
class ApiKeyAuthenticator implements Authenticator {
  readonly challenge: string;
  private readonly places: readonly KeyPlace[];
  private readonly forwards: boolean;
  private readonly consumers: Consumers;
  private readonly clock: Clock;
  private readonly known = new GenerationCache<Identity>(KNOWN_MAX, Infinity);
  private knownVersion: number;

  constructor(settings: Settings, consumers: Consumers, clock: Clock) {
    const places = settings.in;
    this.places = places;
    this.forwards = settings.forward;
    this.consumers = consumers;
    this.clock = clock;
    this.knownVersion = consumers.version;
    const scheme = places.find(({ kind }) => kind === "authorization")?.name ?? "ApiKey";
    this.challenge = challengeOf(scheme, settings.realm);
  }

  authenticate(exchange: Exchange): Judgement {
    const key = this.read(exchange);
    if (key === null) return null;
    if (key === SEVERAL) return severalKeys;
    const identity = this.ownerOf(key);
    // Several header lines of one name were joined by a comma and a blank, which no key has.
    if (identity === undefined) return key.includes(" ") ? severalKeys : unknownKey;
    if (identity.expiresAtMs !== Infinity && identity.expiresAtMs <= this.clock.now()) {
      return expiredKey;
    }
    if (!this.forwards) this.clearAuthorization(exchange);
    return identity;
  }

  conceal(exchange: Exchange): void {
    if (this.forwards) return;
    for (const place of this.places) clearPlace(exchange, place);
  }

  private read(exchange: Exchange): string | typeof SEVERAL | null {
    let found: string | typeof SEVERAL | null = null;
    for (const place of this.places) {
      const here = readPlace(exchange, place);
      if (here === null) continue;
      if (found !== null) return SEVERAL;
      found = here;
    }
    return found;
  }

  private ownerOf(key: string): Identity | undefined {
    const { version } = this.consumers;
    if (version !== this.knownVersion) {
      this.known.clear();
      this.knownVersion = version;
    }
    return this.known.get(key) ?? this.lookUp(key);
  }

  /** Costs a SHA-256, and a look into the store: some microseconds, also where the key is nobody's. */
  private lookUp(key: string): Identity | undefined {
    if (key === "" || key.length > KEY_LENGTH_MAX) return undefined;
    const credential = this.consumers.find("api-key", hashApiKey(key));
    if (credential === undefined) return undefined;
    const identity = identityOfCredential("api-key", credential);
    this.known.set(copyOf(key), identity, 1);
    return identity;
  }

  /** Only where the key that was accepted came in it: other policies may want what else is there. */
  private clearAuthorization(exchange: Exchange): void {
    for (const place of this.places) {
      if (place.kind !== "authorization" || readPlace(exchange, place) === null) continue;
      exchange.request.fields.remove("authorization");
    }
  }
}

/** A text of its own: a part of a request's head would keep all of it in memory. */
function copyOf(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

export default defineAuthenticator({
  name: "api-key",
  summary: "Lets callers pass who bring the API key of a consumer.",
  schema: section({
    in: keyPlaces
      .prefault([{ header: "x-api-key" }])
      .describe(
        "Where keys are looked for: maps of `header`, `query`, `cookie` or `authorization` (a scheme).",
      ),
    forward: flag().prefault(false).describe("Leave the key in the request to the service."),
    realm: realm().prefault("api").describe("Named in the `WWW-Authenticate` of a 401."),
  }).prefault({}),

  check({ in: places }) {
    return places.flatMap(({ kind, name }, index) => {
      const first = places.findIndex((place) => place.kind === kind && place.name === name);
      if (first === index) return [];
      return [{ path: ["in", index], message: "is listed twice", hint: "write each place once" }];
    });
  },

  compile: (options, { consumers, clock }) => new ApiKeyAuthenticator(options, consumers, clock),
});
