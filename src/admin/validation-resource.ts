import type { FindingReport } from "../base/findings/finding-book.ts";
import { type AdminResource, jsonReply } from "./admin-resource.ts";
import { policyResults } from "./policy-results.ts";

/** What did not fit, in messages that were refused or would have been. */
export const validationResource: AdminResource = {
  path: "/validation",
  about: "which fields of requests and responses did not fit what validate holds them against",
  read(gateway) {
    const { since, operations, leftOut } = gateway.findings();
    return jsonReply(200, {
      since,
      places: Object.fromEntries(policyResults(gateway.metrics, "validate")),
      operations: operations.map(operationOf),
      leftOut,
    });
  },
};

/** Begins to count anew. */
export const validationClearResource: AdminResource = {
  path: "/validation/clear",
  about: "POST {}: forget what /validation tells, and count anew",
  write(gateway) {
    gateway.clearFindings();
    return jsonReply(200, { cleared: true });
  },
};

function operationOf({ lines, leftOut, ...subject }: FindingReport) {
  const fields = lines.map(({ firstAtMs, lastAtMs, examples, ...line }) => ({
    ...line,
    firstAt: new Date(firstAtMs).toISOString(),
    lastAt: new Date(lastAtMs).toISOString(),
    examples,
  }));
  return { ...subject, fields, leftOut };
}
