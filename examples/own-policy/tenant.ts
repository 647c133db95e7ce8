/**
 * tenant: which tenant a request is for, from the first label of its host. The service is told; other hosts are
 * refused.
 */
import { definePolicy, defineFaultType, headerToSet, problem, section, text, z } from "gateward";

const unknownTenant = defineFaultType("unknown-tenant", {
  status: 404,
  title: "Unknown tenant",
  whose: "client",
  retrySafe: "never",
  cause: "The first label of the host is the name of no tenant.",
  remedy: "Check the address.",
});

export default definePolicy({
  name: "tenant",
  summary: "Tells services which tenant a request is for.",
  schema: section({
    tenants: z.array(text("a tenant")).min(1).describe("Tenants there are."),
    header: headerToSet().prefault("x-tenant").describe("Header that tells the service."),
  }),
  results: ["known", "unknown"],
  faults: [unknownTenant],

  // Once for each place where it is written: everything that can be worked out beforehand.
  compile({ tenants, header }, { counter }) {
    const names = new Set(tenants);
    const known = counter("known");
    const unknown = counter("unknown");
    const refusal = problem(unknownTenant);
    return {
      // For every request: synchronous, and nothing is made that need not be.
      onRequest({ host, request }) {
        const name = host.slice(0, Math.max(0, host.indexOf(".")));
        if (!names.has(name)) {
          unknown.add(1);
          return refusal;
        }
        known.add(1);
        request.fields.set(header, name);
        return undefined;
      },
    };
  },
});
