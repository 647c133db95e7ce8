/** validate-faults: what is answered to messages that are not as described. */
import { defineFaultType } from "../../base/faults.ts";

export const requestInvalid = defineFaultType("request-invalid", {
  status: 400,
  title: "The request is not as described",
  whose: "client",
  retrySafe: "never",
  cause: "Parameters or the body do not fit the schemas that `validate` holds requests against.",
  remedy:
    "Correct what the member `errors` lists: each entry names the place and what is wrong there.",
});

export const contentTypeUnknown = defineFaultType("content-type-unknown", {
  status: 415,
  title: "The operation does not take this content type",
  whose: "client",
  retrySafe: "never",
  cause:
    "The body's `Content-Type` is none that is described for the operation, missing, doubled or malformed, or the body is compressed or in another charset than UTF-8.",
  remedy:
    "Send one of the types in the `Accept` header of the answer, uncompressed and in UTF-8; the operator can put `decompress` before `validate`.",
});

export const operationUnknown = defineFaultType("operation-unknown", {
  status: 404,
  title: "No such operation",
  whose: "client",
  retrySafe: "never",
  cause: "The document that `validate` holds requests against describes no such path.",
  remedy: "Check the path, or describe it; `unknown: pass` lets such requests through.",
});

export const methodUnknown = defineFaultType("operation-method-unknown", {
  status: 405,
  title: "The path has no operation of this method",
  whose: "client",
  retrySafe: "never",
  cause: "The document that `validate` holds requests against describes the path, not the method.",
  remedy: "Use one of the methods in the `Allow` header of the answer.",
});

export const responseInvalid = defineFaultType("response-invalid", {
  status: 502,
  title: "The service's answer is not as described",
  whose: "upstream",
  retrySafe: "idempotent",
  cause: "`validate` checks responses, and the service's status, headers or body do not fit.",
  remedy: "Correct the service or its description; `gateward validation` says what does not fit.",
});

export const faultTypesOfValidate = [
  requestInvalid,
  contentTypeUnknown,
  operationUnknown,
  methodUnknown,
  responseInvalid,
];
