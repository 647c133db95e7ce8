import { defineFaultType } from "../../base/faults.ts";

export const unknownEncoding = defineFaultType("unknown-content-encoding", {
  status: 415,
  title: "Content encoding not accepted",
  whose: "client",
  retrySafe: "never",
  cause: "The body has a Content-Encoding that the policy `decompress` does not take, or too many.",
  remedy:
    "Send the body in one of the encodings that `Accept-Encoding` of the answer names, or in none.",
});
export const badEncoding = defineFaultType("bad-content-encoding", {
  status: 400,
  title: "Body is not encoded as it says",
  whose: "client",
  retrySafe: "never",
  cause: "The body cannot be decoded by its Content-Encoding, or ends too soon.",
  remedy: "Send what Content-Encoding says, whole.",
});
export const decodedTooLarge = defineFaultType("decoded-body-too-large", {
  status: 413,
  title: "Body too large once decoded",
  whose: "client",
  retrySafe: "never",
  closes: true,
  cause:
    "Decoded, the body is longer than `sizeMax` or `ratioMax` of the policy `decompress` allow.",
  remedy: "Send less in one request, or raise the limit.",
});
export const decompressBusy = defineFaultType("decompress-busy", {
  status: 503,
  title: "Too many bodies are being decoded",
  whose: "gateway",
  retrySafe: "always",
  cause: "As many bodies as `concurrentMax` of the policy `decompress` allows are under way.",
  remedy: "Try again in a moment.",
});
export const answerUndecodable = defineFaultType("undecodable-response", {
  status: 502,
  title: "Service's response cannot be decoded",
  whose: "upstream",
  retrySafe: "never",
  cause:
    "The response is not what its Content-Encoding says, or longer, decoded, than `decompress` allows.",
  remedy: "Look at the service, or raise `sizeMax`.",
});
