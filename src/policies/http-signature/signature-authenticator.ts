import { Fault } from "../../base/faults.ts";
import type { Authenticator, Judgement } from "../../policy/authenticator.ts";
import type { PolicyEnvironment } from "../../policy/environment.ts";
import type { Exchange } from "../../policy/exchange.ts";
import type { Identity } from "../../policy/identity.ts";
import { RequiredComponents } from "./covered-components.ts";
import { KeyRing } from "./key-ring.ts";
import { readSignatures, type ReceivedSignature } from "./received-signature.ts";
import { memoryGuard, redisGuard, type ReplayGuard } from "./replay-guard.ts";
import { replayUnchecked } from "./replay-unchecked.ts";
import { signatureBase } from "./signature-base.ts";
import { flawed } from "./signature-flaw.ts";
import type { SignatureOptions } from "./signature-options.ts";
import type { Algorithm } from "./verification-key.ts";

const UNCHECKED = new Fault(replayUnchecked);

/** Checks message signatures (RFC 9421 section 3.2); the first that holds says who is calling. */
export class SignatureAuthenticator implements Authenticator {
  readonly challenge = "Signature";
  private readonly options: SignatureOptions;
  private readonly environment: PolicyEnvironment;
  private readonly keys: KeyRing;
  private readonly required: RequiredComponents;
  private readonly guard: ReplayGuard | null;

  constructor(options: SignatureOptions, environment: PolicyEnvironment) {
    const { components, contentDigest, replay, maxAge, leeway } = options;
    this.options = options;
    this.environment = environment;
    this.keys = new KeyRing(options, environment);
    this.required = new RequiredComponents(components, contentDigest);
    // A second more, because `created` counts whole ones.
    const validMs = maxAge + leeway + 1000;
    if (replay === "none") this.guard = null;
    else if (replay === "redis") this.guard = redisGuard(environment, validMs);
    else this.guard = memoryGuard(environment, validMs);
  }

  authenticate(exchange: Exchange): Judgement | Promise<Judgement> {
    const signatures = readSignatures(exchange, this.options.tag ?? "");
    if (signatures === null || signatures instanceof Fault) return signatures;
    let refusal: Fault | null = null;
    for (const signature of signatures) {
      const judgement = this.judge(exchange, signature);
      if (!(judgement instanceof Fault)) return judgement;
      refusal ??= judgement;
    }
    return refusal;
  }

  private judge(
    exchange: Exchange,
    received: ReceivedSignature,
  ): Identity | Fault | Promise<Identity | Fault> {
    if (!this.isTimely(received)) return flawed("signature-time");
    if (!this.required.areCovered(exchange, received.components)) {
      return flawed("signature-uncovered");
    }
    const holder = this.keys.find(received.keyId);
    const algorithm = holder?.key.algorithms.find((one) => isMeant(one, received));
    if (holder === undefined || algorithm === undefined) return flawed("signature-key");
    const base = signatureBase(exchange, received);
    if (base === undefined) return flawed("signature-unsupported");
    if (!holder.key.verify(algorithm, base, received.signature)) {
      return flawed("signature-mismatch");
    }
    const identity = holder.identity();
    if (identity === undefined) return flawed("signature-key");
    return this.once(received.keyId, base, identity);
  }

  /** RFC 9421 section 3.2, step 4: what the signature says of its time has to hold by our clock. */
  private isTimely({ created, expires }: ReceivedSignature): boolean {
    const nowMs = this.environment.clock.now();
    const { maxAge, leeway } = this.options;
    const ageMs = nowMs - created * 1000;
    return ageMs <= maxAge && ageMs >= -leeway && expires * 1000 > nowMs;
  }

  /** Only signatures that hold are remembered: others cannot fill the memory. */
  private once(
    keyId: string,
    base: Buffer,
    identity: Identity,
  ): Identity | Fault | Promise<Identity | Fault> {
    if (this.guard === null) return identity;
    const isNew = this.guard.admit(keyId, base);
    if (typeof isNew === "boolean") return isNew ? identity : flawed("signature-replayed");
    return isNew.then(
      (late) => (late ? identity : flawed("signature-replayed")),
      (error: unknown) => {
        this.environment.log.warn("nobody can tell whether a signature is replayed", { error });
        return UNCHECKED;
      },
    );
  }
}

/** A signature that names no algorithm is checked by the first one of its key. */
function isMeant(algorithm: Algorithm, { algorithm: named }: ReceivedSignature): boolean {
  return named === "" || named === algorithm;
}
