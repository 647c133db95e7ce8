/**
 * basic-auth: lets callers pass who give the user name and the password of a consumer (RFC 7617).
 */
import { hash, randomBytes } from "node:crypto";
import { defineFaultType, Fault, faults, faultTypes } from "../../base/faults.ts";
import { GenerationCache } from "../../base/generation-cache.ts";
import {
  defineAuthenticator,
  type Authenticator,
  type Judgement,
} from "../../policy/authenticator.ts";
import type { Consumers } from "../../policy/consumers.ts";
import { identityOfCredential } from "../../policy/credential-identity.ts";
import type { Clock } from "../../policy/environment.ts";
import type { Exchange } from "../../policy/exchange.ts";
import { Identity } from "../../policy/identity.ts";
import { duration } from "../../policy/values/duration.ts";
import { flag } from "../../policy/values/number.ts";
import { challengeOf, realm } from "../../policy/values/realm.ts";
import { section } from "../../policy/values/section.ts";
import { basicToken, parseBasic } from "./parse-basic.ts";
import { PasswordChecks } from "./password-checks.ts";

const REMEMBERED_MAX = 10_000;
const REFUSED_MAX = 1000;
/** A client that tries a wrong pair again and again is not worth a check each time. */
const REFUSED_FOR_MS = 5000;

const tooManyChecks = defineFaultType("too-many-password-checks", {
  status: 503,
  title: "Too many passwords to check",
  whose: "gateway",
  retrySafe: "always",
  cause:
    "More users at once than the gateway can check the passwords of, which is costly on purpose: many have just come, or somebody is guessing.",
  remedy: "Try again. Put a `rate-limit` by address before `basic-auth` against those who guess.",
});
const busy = new Fault(tooManyChecks, "", "", { "retry-after": "2" });
const refused = faults["invalid-credentials"];
const expired = new Fault(
  faultTypes["invalid-credentials"],
  "The password has expired.",
  "expired",
);

interface Settings {
  readonly realm: string;
  /** 0: not at all. */
  readonly remember: number;
  readonly forward: boolean;
}

interface Remembered {
  readonly identity: Identity;
  readonly untilMs: number;
}

/** One for each worker, since the threads that check are few. */
const checks = new PasswordChecks();

class BasicAuthenticator implements Authenticator {
  readonly challenge: string;
  private readonly settings: Settings;
  private readonly consumers: Consumers;
  private readonly clock: Clock;
  /** What is remembered of pairs is kept under a hash that only this process can make. */
  private readonly digestKey = randomBytes(32).toString("latin1");
  private readonly accepted = new GenerationCache<Remembered>(REMEMBERED_MAX, Infinity);
  private readonly refused = new GenerationCache<number>(REFUSED_MAX, Infinity);
  /** Checks under way: requests that come with the same pair wait for one. */
  private readonly pending = new Map<string, Promise<Identity | Fault>>();
  private version: number;

  constructor(settings: Settings, consumers: Consumers, clock: Clock) {
    this.settings = settings;
    this.consumers = consumers;
    this.clock = clock;
    this.version = consumers.version;
    this.challenge = `${challengeOf("Basic", settings.realm)}, charset="UTF-8"`;
  }

  authenticate(exchange: Exchange): Judgement | Promise<Judgement> {
    const header = exchange.header("authorization");
    const token = header === undefined ? null : basicToken(header);
    if (token === null) return null;
    this.forgetChanged();
    const digest = hash("sha256", Buffer.from(this.digestKey + token, "latin1"), "base64");
    const now = this.clock.now();
    const known = this.accepted.get(digest);
    if (known !== undefined && known.untilMs > now) return this.accept(exchange, known.identity);
    if ((this.refused.get(digest) ?? 0) > now) return refused;
    let judging = this.pending.get(digest);
    if (judging === undefined) {
      const pair = parseBasic(token);
      if (pair === undefined) return refused;
      if (checks.isFull) return busy;
      judging = this.judge(pair.username, pair.password, digest);
      this.pending.set(digest, judging);
    }
    return judging.then((judgement) => {
      return judgement instanceof Identity ? this.accept(exchange, judgement) : judgement;
    });
  }

  private async judge(
    username: string,
    password: string,
    digest: string,
  ): Promise<Identity | Fault> {
    const { version } = this;
    try {
      const credential = this.consumers.find("basic", username);
      const isRight = await checks.check(password, credential?.secret);
      const now = this.clock.now();
      if (credential === undefined || !isRight) {
        this.refused.set(digest, now + REFUSED_FOR_MS, 1);
        return refused;
      }
      if (credential.expiresAtMs <= now) return expired;
      const identity = identityOfCredential("basic-auth", credential);
      const untilMs = Math.min(now + this.settings.remember, credential.expiresAtMs);
      // Not what has changed while it was looked at.
      if (version === this.consumers.version) this.accepted.set(digest, { identity, untilMs }, 1);
      return identity;
    } finally {
      this.pending.delete(digest);
    }
  }

  private accept(exchange: Exchange, identity: Identity): Identity {
    if (!this.settings.forward) exchange.request.fields.remove("authorization");
    return identity;
  }

  private forgetChanged(): void {
    const { version } = this.consumers;
    if (version === this.version) return;
    this.version = version;
    this.accepted.clear();
    this.refused.clear();
  }
}

export default defineAuthenticator({
  name: "basic-auth",
  summary: "Lets callers pass who give the user name and password of a consumer.",
  schema: section({
    realm: realm().prefault("api").describe("Named in the 401; browsers show it to their users."),
    remember: duration({ none: true, maxMs: 3_600_000 })
      .prefault("5m")
      .describe("How long a pair that was right is not checked again."),
    forward: flag().prefault(false).describe("Leave the password in the request to the service."),
  }).prefault({}),
  faults: [tooManyChecks],
  compile: (options, { consumers, clock }) => new BasicAuthenticator(options, consumers, clock),
});
