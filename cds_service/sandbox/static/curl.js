// A line for a terminal. The body goes in by a quoted here-document, so that no shell reads anything in it, and only in ASCII,
// so that no terminal does either.

const MARK = "END-OF-CALL";

/** @returns {string} what to paste into a POSIX shell */
export function curlLine(address, body) {
  return `curl -sS -H 'Content-Type: application/json' --data-binary @- ${quoted(address)} <<'${MARK}'\n${ascii(body)}\n${MARK}`;
}

// indented JSON: no line of it can be the mark, and none is longer than terminals take
function ascii(body) {
  return JSON.stringify(body, null, 1).replace(/[\u007f-\uffff]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
