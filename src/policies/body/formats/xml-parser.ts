/** xml-parser: the XML library, loaded when the first XML is met. */
import { createRequire } from "node:module";
import type * as Saxes from "saxes";

export type XmlParser = Saxes.SaxesParser<Record<string, never>>;

let library: typeof Saxes | undefined;

/**
 * A parser for one document: well-formed XML 1.0, names with their prefixes as they are written, no entities but
 * the five of XML and references to characters.
 *
 * @param tellsPlaces whether errors have the line and column, which costs time
 */
export function createXmlParser(tellsPlaces = false): XmlParser {
  library ??= createRequire(import.meta.url)("saxes") as typeof Saxes;
  return new library.SaxesParser({
    xmlns: false,
    position: tellsPlaces,
    defaultXMLVersion: "1.0",
    forceXMLVersion: true,
  });
}
