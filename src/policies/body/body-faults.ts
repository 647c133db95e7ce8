import { defineFaultType } from "../../base/faults.ts";

export const malformedBody = defineFaultType("malformed-body", {
  status: 400,
  title: "Malformed request body",
  whose: "client",
  retrySafe: "never",
  cause:
    "The request's body is not what its `Content-Type` says, or is written in a way that servers read differently.",
  remedy: "Correct the body. The member `code` says what is wrong with it.",
});

export const unmappableBody = defineFaultType("unmappable-body", {
  status: 422,
  title: "Request body of an unexpected shape",
  whose: "client",
  retrySafe: "never",
  cause: "The request's body is well formed, but cannot become what the service takes.",
  remedy: "Send what the API describes. The member `code` says what stood in the way.",
});

export const unsupportedBody = defineFaultType("unsupported-body", {
  status: 415,
  title: "Unsupported type of request body",
  whose: "client",
  retrySafe: "never",
  cause: "The request's body has another type, charset or coding than `body` takes on this route.",
  remedy: "Send one of the types that the API describes, as UTF-8 and uncompressed.",
});

export const bodyOverLimit = defineFaultType("body-over-limit", {
  status: 413,
  title: "Request body too large to be mapped",
  whose: "client",
  retrySafe: "never",
  cause: "The request's body is longer than `bytesMax` of the policy `body`.",
  remedy: "Send less, or raise `bytesMax`.",
});

export const unmappableResponse = defineFaultType("unmappable-response", {
  status: 502,
  title: "The service's response cannot be passed on",
  whose: "upstream",
  retrySafe: "idempotent",
  cause:
    "The service's response is malformed, too large, or of a type or shape that `body` cannot map.",
  remedy: "Look at what the service answers. The member `code` says what stood in the way.",
});

/** Of requests and of responses: a service may have been asked. */
export const programsBusy = defineFaultType("programs-busy", {
  status: 503,
  title: "Too many bodies to be mapped",
  whose: "gateway",
  retrySafe: "idempotent",
  cause:
    "Bodies wait for JSONata programs of the policy `body` faster than those run: 256 wait in a worker, or one has waited for two seconds.",
  remedy:
    "Make the programs quicker, say with steps what needs no program, or let a limit keep requests away. `Retry-After` is one second.",
});
