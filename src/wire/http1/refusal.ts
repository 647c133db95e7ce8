// HOT
/**
 * What the parsers answer in place of a position: a small negative number, so that the plain path makes
 * no object. `refusalFault` turns it into the fault that the client is told.
 */
import { faults, malformedRequests } from "../../base/faults.ts";
import type { Fault } from "../../base/faults.ts";

/** More bytes are needed; no refusal. */
export const INCOMPLETE = -1;
export const BAD_METHOD = -2;
export const BAD_TARGET = -3;
export const BAD_START_LINE = -4;
export const NO_VERSION = -5;
export const BAD_VERSION = -6;
export const VERSION_NOT_SUPPORTED = -7;
export const BARE_LF = -8;
export const BARE_CR = -9;
export const FOLDED_FIELD = -10;
export const NO_COLON = -11;
export const BAD_FIELD_NAME = -12;
export const SPACE_BEFORE_COLON = -13;
export const BAD_FIELD_VALUE = -14;
export const HOST_MISSING = -15;
export const HOST_DOUBLED = -16;
export const BAD_LENGTH = -17;
export const LENGTH_DOUBLED = -18;
export const LENGTH_AND_CODING = -19;
export const BAD_CODING = -20;
export const CODING_IN_HTTP_1_0 = -21;
export const BAD_CHUNK_SIZE = -22;
export const BAD_CHUNK_EXTENSION = -23;
export const BAD_CHUNK_END = -24;
export const BAD_TRAILER = -25;
export const BAD_CONNECTION = -26;
export const CODING_NOT_SUPPORTED = -27;
export const HEAD_TOO_LARGE = -28;
export const TOO_MANY_FIELDS = -29;
export const TARGET_TOO_LONG = -30;
/** The client speaks HTTP/2 without having been asked: not an error, another protocol. */
export const HTTP2_PREFACE = -31;
/** The head did not arrive in time. */
export const HEAD_TIMEOUT = -32;
/** The fields of an HTTP/2 request contradict each other or may not stand there. */
export const BAD_HTTP2_FIELDS = -33;

const FAULTS: Fault[] = [];
FAULTS[-BAD_METHOD] = malformedRequests["method"];
FAULTS[-BAD_TARGET] = malformedRequests["target"];
FAULTS[-BAD_START_LINE] = malformedRequests["request-line"];
FAULTS[-NO_VERSION] = malformedRequests["http-0.9"];
FAULTS[-BAD_VERSION] = malformedRequests["version"];
FAULTS[-VERSION_NOT_SUPPORTED] = faults["http-version-not-supported"];
FAULTS[-BARE_LF] = malformedRequests["bare-lf"];
FAULTS[-BARE_CR] = malformedRequests["bare-cr"];
FAULTS[-FOLDED_FIELD] = malformedRequests["obs-fold"];
FAULTS[-NO_COLON] = malformedRequests["header-without-colon"];
FAULTS[-BAD_FIELD_NAME] = malformedRequests["header-name"];
FAULTS[-SPACE_BEFORE_COLON] = malformedRequests["space-before-colon"];
FAULTS[-BAD_FIELD_VALUE] = malformedRequests["header-value"];
FAULTS[-HOST_MISSING] = malformedRequests["host-missing"];
FAULTS[-HOST_DOUBLED] = malformedRequests["host-doubled"];
FAULTS[-BAD_LENGTH] = malformedRequests["content-length-invalid"];
FAULTS[-LENGTH_DOUBLED] = malformedRequests["content-length-doubled"];
FAULTS[-LENGTH_AND_CODING] = malformedRequests["content-length-and-transfer-encoding"];
FAULTS[-BAD_CODING] = malformedRequests["transfer-encoding"];
FAULTS[-CODING_IN_HTTP_1_0] = malformedRequests["transfer-encoding-in-http-1.0"];
FAULTS[-BAD_CHUNK_SIZE] = malformedRequests["chunk-size"];
FAULTS[-BAD_CHUNK_EXTENSION] = malformedRequests["chunk-extension"];
FAULTS[-BAD_CHUNK_END] = malformedRequests["chunk-end"];
FAULTS[-BAD_TRAILER] = malformedRequests["trailer"];
FAULTS[-BAD_CONNECTION] = malformedRequests["connection"];
FAULTS[-CODING_NOT_SUPPORTED] = faults["transfer-coding-not-supported"];
FAULTS[-HEAD_TOO_LARGE] = faults["headers-too-large"];
FAULTS[-TOO_MANY_FIELDS] = faults["headers-too-large"];
FAULTS[-TARGET_TOO_LONG] = faults["uri-too-long"];
FAULTS[-HEAD_TIMEOUT] = faults["request-timeout"];
FAULTS[-BAD_HTTP2_FIELDS] = malformedRequests["header-value"];

/** The fault of a refusal; an unknown one is answered as a malformed request line. */
export function refusalFault(refusal: number): Fault {
  return FAULTS[-refusal] ?? malformedRequests["request-line"];
}
