/** structured-fields: the library for structured field values (RFC 9651), seen from here. */
import {
  Token,
  isInnerList,
  parseDictionary,
  serializeInnerList,
  serializeItem,
  type BareItem,
  type Dictionary,
  type InnerList,
  type Item,
} from "structured-headers";

export { isInnerList, serializeInnerList, serializeItem, Token };
export type { BareItem, Dictionary, InnerList, Item };

/** undefined for what is no dictionary; of a doubled key the last value counts. */
export function readDictionary(value: string): Dictionary | undefined {
  try {
    return parseDictionary(value);
  } catch {
    return undefined;
  }
}

/** A member of a dictionary as it is written canonically. */
export function serializeMember(member: Item | InnerList): string {
  return isInnerList(member) ? serializeInnerList(member) : serializeItem(member);
}
