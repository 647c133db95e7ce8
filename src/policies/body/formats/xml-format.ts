import { BodyFlaw } from "../body-flaw.ts";
import { charsetNamed, charsetOf, decode, withCharset, type Charset } from "./charset.ts";
import type { Format } from "./format.ts";
import { XmlReader, type XmlReadingRules } from "./xml-reader.ts";
import { writeXml } from "./write-xml.ts";

export interface XmlSettings extends XmlReadingRules {
  /** Name of the root element where the value itself has none. */
  readonly root: string;
  /** Media type of what is written. */
  readonly contentType: string;
}

const DECLARED = /^<\?xml[^>]*?encoding\s*=\s*["']([^"'>]*)["']/;
const HEAD_BYTES = 200;

/** XML 1.0 as maps: `@name` for attributes, `#text` for text beside them, lists for elements that repeat. */
export function xmlFormat(settings: XmlSettings): Format {
  return {
    mediaTypes: ["application/xml", "text/xml", "*+xml"],
    contentType: withCharset(settings.contentType),
    read(bytes, contentType) {
      const text = decode(bytes, charsetOfXml(bytes, contentType));
      return new XmlReader(settings).read(text);
    },
    write: (value) => Buffer.from(writeXml(value, settings.root)),
  };
}

/**
 * By Content-Type, else the declaration, else UTF-8 (RFC 7303 section 3). Where the two contradict each other
 * the next reader might take the other one, so that is refused.
 */
function charsetOfXml(bytes: Buffer, contentType: string): Charset {
  const told = charsetOf(contentType);
  if ((bytes[0] === 0xfe && bytes[1] === 0xff) || (bytes[0] === 0xff && bytes[1] === 0xfe)) {
    throw new BodyFlaw("unsupported", "charset", "UTF-16 is not supported; send UTF-8.");
  }
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const name = DECLARED.exec(bytes.toString("latin1", hasMark ? 3 : 0, HEAD_BYTES))?.[1];
  const declared = name === undefined ? undefined : charsetNamed(name);
  const charset = told ?? declared ?? "utf8";
  if ((declared !== undefined && declared !== charset) || (hasMark && charset !== "utf8")) {
    throw new BodyFlaw(
      "malformed",
      "charset",
      "The document contradicts itself about its charset.",
    );
  }
  return charset;
}
