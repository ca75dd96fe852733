/** The log: one JSON object a line on standard output. */

import process from "node:process";

export function log(level, message, fields = {}) {
  const line = { time: new Date().toISOString(), level, message, ...fields };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
