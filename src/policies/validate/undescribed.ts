/** undescribed: requests that no operation describes, as operators are told of them. */
import type { Finding } from "../../base/findings/finding.ts";

/** Stands where findings have their operation. */
export const UNDESCRIBED = "(not described)";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const SEGMENTS_MAX = 8;

/** @param allow methods that the path has; "" where nothing describes the path */
export function undescribed(method: string, path: string, allow: string): Finding {
  const shown = METHODS.includes(method) ? method : "*";
  return {
    field: `${shown} ${toldPath(path)}`,
    rule: allow === "" ? "path" : "method",
    message:
      allow === "" ? "is described by no operation" : `is not described; the path has ${allow}`,
    example: "",
  };
}

/** Segments of letters are kept unless they are long, since they name resources; others may tell of whom. */
function toldPath(path: string): string {
  const segments = path.slice(1).split("/", SEGMENTS_MAX + 1);
  const told = segments.map((segment) =>
    /^(?:[a-z_-]{0,24}|v\d{1,2})$/i.test(segment) ? segment : "*",
  );
  if (told.length > SEGMENTS_MAX) told[SEGMENTS_MAX] = "...";
  return `/${told.join("/")}`;
}
