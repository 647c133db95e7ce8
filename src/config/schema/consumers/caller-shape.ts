import { z } from "zod";
import { expected } from "../../../policy/values/expected.ts";
import { text } from "../../../policy/values/text.ts";
import { identity } from "../identity.ts";
import { planSchema } from "../plan.ts";
import type { PolicySchemas } from "../policy-use.ts";
import { callerName, consumerSchema } from "./consumer.ts";

/** Where keys and the like are kept unless the document says otherwise. */
export const DATA_FOLDER = "gateward-data";

/** The document's keys about who is calling, and where what is known of callers is kept. */
export function callerShape(policies: PolicySchemas) {
  return {
    identity: identity
      .prefault({})
      .describe(
        "Headers that tell services who is calling, once a policy has found that out; `false`: none. " +
          "What clients send in them is dropped.",
      ),
    data: text("a folder")
      .prefault(DATA_FOLDER)
      .describe(
        "Folder for what is kept on this machine, relative to the config file: keys, quotas. Made " +
          "when something is to be kept.",
      ),
    consumers: z
      .record(callerName("consumer"), consumerSchema(policies), {
        error: expected("a map of names to consumers"),
      })
      .prefault({})
      .describe("Who may call, by name: applications, partners, teams."),
    plans: z
      .record(callerName("plan"), planSchema(policies), {
        error: expected("a map of names to plans"),
      })
      .prefault({})
      .describe("What consumers may share, by name: routes, and policies such as limits."),
  };
}
