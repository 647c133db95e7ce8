/** query-pair: what policies need that go through a query, parameter by parameter. */
export { decodeFormText, endOfName, endOfPair } from "../routing/query.ts";
