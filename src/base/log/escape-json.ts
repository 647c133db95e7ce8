// HOT

/** Anything but printable ASCII without `"` and `\`. A test of a clean value costs about 20 ns. */
const needsEscape = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;
const notAscii = /[^\x00-\x7f]/;
const aboveLatin1 = /[^\x00-\xff]/;

/**
 * The inside of a JSON string for bytes held as latin1, one character a byte. Bytes that are UTF-8 are
 * shown as what they mean, others as U+FFFD. The result is printable ASCII only, so that neither a
 * line break, nor a terminal sequence, nor a turn of writing direction can leave the log line.
 */
export function escapeOctets(value: string): string {
  return needsEscape.test(value) ? escapeUnclean(decodeOctets(value)) : value;
}

/** The same for a string that is text already: names from the config. */
export function escapeText(value: string): string {
  return needsEscape.test(value) ? escapeUnclean(value) : value;
}

function decodeOctets(value: string): string {
  // A decoded string got here where bytes were due (a policy wrote it): take it as the text it is.
  if (!notAscii.test(value) || aboveLatin1.test(value)) return value;
  return Buffer.from(value, "latin1").toString("utf8");
}

/** JSON.stringify knows quotes, backslashes, C0 controls and lone surrogates; the rest is done here. */
function escapeUnclean(text: string): string {
  const quoted = JSON.stringify(text);
  let escaped = "";
  let copied = 1;
  for (let at = 1; at < quoted.length - 1; at += 1) {
    const unit = quoted.charCodeAt(at);
    if (unit < 0x7f) continue;
    escaped += quoted.slice(copied, at) + "\\u" + unit.toString(16).padStart(4, "0");
    copied = at + 1;
  }
  return escaped + quoted.slice(copied, quoted.length - 1);
}
