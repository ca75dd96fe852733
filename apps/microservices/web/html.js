/** HTML out of template literals: what is put in is escaped, but for HTML that was made the same way. */

class Html {
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }
}

const ESCAPED = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

export function html(strings, ...values) {
  return new Html(strings.reduce((text, next, place) => text + put(values[place - 1]) + next));
}

function put(value) {
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(put).join("");
  return String(value).replace(/[&<>"']/g, (each) => ESCAPED[each]);
}
