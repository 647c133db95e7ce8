// HOT
const AMPERSAND = 0x26;

/** Parameters of a query: parts between ampersands, empty ones left out. */
export function countParameters(query: string): number {
  let count = 0;
  let isEmpty = true;
  for (let index = 0; index < query.length; index++) {
    if (query.charCodeAt(index) === AMPERSAND) isEmpty = true;
    else if (isEmpty) {
      isEmpty = false;
      count++;
    }
  }
  return count;
}
