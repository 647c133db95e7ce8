import type { Json } from "../json-value.ts";

/** Deepest nesting of a body; deeper ones are malformed. */
export const BODY_DEPTH_MAX = 64;

export type FormatName = "json" | "xml" | "form";

/** One way to write a body as bytes. */
export interface Format {
  /** Media types that it is meant by, where the options name none. */
  readonly mediaTypes: readonly string[];
  /** Sent with what `write` makes. */
  readonly contentType: string;
  /**
   * @param contentType as the message says; its charset counts
   * @throws BodyFlaw for what is malformed, or in a charset that is not supported
   */
  read(bytes: Buffer, contentType: string): Json;
  /** @throws BodyFlaw for what cannot be written so */
  write(value: Json): Buffer;
}
