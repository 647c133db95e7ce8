/** RFC 9110 section 5.6.7: the fixed form, and the two obsolete ones that have to be read. */
const FORMS = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];
const ASCTIME = 2;

/** Epoch milliseconds; undefined for what is no date, such as the `0` of many an Expires. */
export function parseHttpDate(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const form = FORMS.findIndex((pattern) => pattern.test(text));
  if (form < 0) return undefined;
  const epochMs = Date.parse(form === ASCTIME ? `${text} GMT` : text);
  return Number.isNaN(epochMs) ? undefined : epochMs;
}
