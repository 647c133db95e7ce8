/** document-consumers: the consumers of one revision, and those of the store behind it. */
import type {
  Consumer,
  Consumers,
  ConsumerStore,
  Credential,
  CredentialKind,
} from "../policy/consumers.ts";
import type { ConsumerConfig } from "./config.ts";
import { credentialUses, type CredentialUse } from "./consumer-credentials.ts";

/**
 * Looks in the document first, then in the store. A consumer of the document may have credentials in the
 * store; one of the store that has a name of the document's is not seen.
 */
export class DocumentConsumers implements Consumers {
  private readonly consumers = new Map<string, Consumer>();
  private readonly credentials = new Map<string, Credential>();
  private readonly store: ConsumerStore | null;

  /** @param materials contents of PEM files, by path as written */
  constructor(
    consumers: Readonly<Record<string, ConsumerConfig>>,
    materials: Readonly<Record<string, string>> = {},
    store: ConsumerStore | null = null,
  ) {
    this.store = store;
    for (const [name, config] of Object.entries(consumers)) {
      const { groups, roles, scopes, metadata, plan } = config;
      const consumer: Consumer = { name, groups, roles, scopes, metadata, plan };
      this.consumers.set(name, consumer);
      for (const use of credentialUses(name, config)) {
        this.credentials.set(`${use.kind} ${use.id}`, credentialOf(use, consumer, materials));
      }
    }
  }

  get version(): number {
    return this.store === null ? 0 : this.store.version;
  }

  byName(name: string): Consumer | undefined {
    return this.consumers.get(name) ?? this.store?.consumer(name);
  }

  find(kind: CredentialKind, id: string): Credential | undefined {
    const known = this.credentials.get(`${kind} ${id}`);
    if (known !== undefined || this.store === null) return known;
    const stored = this.store.credential(kind, id);
    if (stored === undefined) return undefined;
    const consumer = this.byName(stored.consumer);
    return consumer === undefined ? undefined : { ...stored, consumer };
  }
}

function credentialOf(
  { kind, name, secret, algorithm, expiresAtMs, scopes }: CredentialUse,
  consumer: Consumer,
  materials: Readonly<Record<string, string>>,
): Credential {
  const isFile = kind === "signature" && Object.hasOwn(materials, secret);
  return {
    kind,
    consumer,
    name,
    secret: isFile ? materials[secret]! : secret,
    algorithm,
    expiresAtMs: expiresAtMs === 0 ? Infinity : expiresAtMs,
    scopes,
  };
}
