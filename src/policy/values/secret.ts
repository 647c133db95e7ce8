import { z } from "zod";
import type { EditorHints } from "./parsed-text.ts";

const LENGTH_MIN = 32;
const HINT = "openssl rand -base64 32 makes a good one";

/** Schema of one secret that keys are made of, or of several. What was written is never repeated in messages. */
export function secrets(): z.ZodType<string[], string | string[]> {
  const hints: EditorHints = { kind: "secret", sample: "${SESSION_SECRET}" };
  const one = z
    .string({ error: `expected a secret in quotes; ${HINT}` })
    .min(LENGTH_MIN, { error: `shorter than ${LENGTH_MIN} characters; ${HINT}` })
    .meta({ ...hints });
  const error = `expected a secret of at least ${LENGTH_MIN} characters, or a list of them; ${HINT}`;
  return z.union([z.array(one, { error }).min(1, { error }), one.transform((text) => [text])], {
    error,
  });
}
