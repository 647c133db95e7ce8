import type { IncomingMessage } from "node:http";
import { type AdminReply, problemReply } from "./admin-resource.ts";

const BYTES_MAX = 65_536;

/**
 * A request's body. It has to say that it is JSON: a web page of another origin cannot send that without
 * asking first, and is never given leave.
 */
export async function readJson(
  request: IncomingMessage,
): Promise<{ value: unknown } | { refusal: AdminReply }> {
  const type = request.headers["content-type"] ?? "";
  if (type.split(";", 1)[0]!.trim().toLowerCase() !== "application/json") {
    return refused("malformed-request", "The body has to be sent as application/json.");
  }
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > BYTES_MAX) return refused("body-too-large", "");
    pieces.push(piece);
  }
  try {
    return { value: JSON.parse(Buffer.concat(pieces).toString()) as unknown };
  } catch {
    return refused("malformed-request", "The body is not JSON.");
  }
}

function refused(name: "malformed-request" | "body-too-large", detail: string) {
  return { refusal: problemReply(name, detail) };
}
