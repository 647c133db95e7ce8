import type { Credential } from "../../policy/consumers.ts";
import { identityOfCredential } from "../../policy/credential-identity.ts";
import type { PolicyEnvironment } from "../../policy/environment.ts";
import { Identity } from "../../policy/identity.ts";
import { isKeyFile, type SignatureOptions } from "./signature-options.ts";
import { isPem, verificationKey, type VerificationKey } from "./verification-key.ts";

const METHOD = "http-signature";
/** Keys of consumers that are kept ready; a PEM text takes some 50 us to read. */
const READY_MAX = 1000;

/** A key and who signs with it. */
export interface KeyHolder {
  readonly key: VerificationKey;
  /** undefined where the consumer is gone. */
  identity(): Identity | undefined;
}

/** The keys of the policy and of all consumers. */
export class KeyRing {
  private readonly environment: PolicyEnvironment;
  private readonly own: ReadonlyMap<string, KeyHolder>;
  /** By algorithm and material; null for what is no key. */
  private readonly ready: Map<string, VerificationKey | null>;

  /** @throws Error for a file that holds no key, or not one for its algorithm */
  constructor({ keys }: SignatureOptions, environment: PolicyEnvironment) {
    this.environment = environment;
    this.ready = new Map();
    this.own = new Map(
      keys.map(({ keyId, secret, publicKey, algorithm, consumer }) => {
        const pem = isKeyFile(publicKey) ? environment.file(publicKey) : publicKey;
        const material = secret === "" ? { publicKey: pem } : { secret };
        const key = verificationKey(material, algorithm);
        return [keyId, { key, identity: () => this.ownIdentity(keyId, consumer) }];
      }),
    );
  }

  find(keyId: string): KeyHolder | undefined {
    const own = this.own.get(keyId);
    if (own !== undefined) return own;
    const credential = this.environment.consumers.find("signature", keyId);
    if (credential === undefined) return undefined;
    if (credential.expiresAtMs <= this.environment.clock.now()) return undefined;
    const key = this.keyOf(credential);
    return key === null
      ? undefined
      : { key, identity: () => identityOfCredential(METHOD, credential) };
  }

  private ownIdentity(keyId: string, name: string): Identity | undefined {
    if (name === "") return new Identity({ method: METHOD, subject: keyId });
    const consumer = this.environment.consumers.byName(name);
    if (consumer === undefined) return undefined;
    return new Identity({ method: METHOD, subject: name, consumer, credential: keyId });
  }

  private keyOf({ secret, algorithm = "" }: Credential): VerificationKey | null {
    const name = `${algorithm}\n${secret}`;
    let key = this.ready.get(name);
    if (key === undefined) {
      key = this.read(secret, algorithm);
      if (this.ready.size >= READY_MAX) this.ready.clear();
      this.ready.set(name, key);
    }
    return key;
  }

  private read(secret: string, algorithm: string): VerificationKey | null {
    try {
      const material = isPem(secret) ? { publicKey: secret } : { secret };
      return verificationKey(material, algorithm);
    } catch (error) {
      this.environment.log.warn("a consumer's signature key cannot be used", { error });
      return null;
    }
  }
}
