/**
 * The container's health check: exit 0 when the server answers 200 at `/api/info`, 1 when it does not.
 *
 * A slim image has no curl. Run in the server's own environment, of which it reads `BIND_ADDRESS` and `PORT`.
 */

import process from "node:process";

/** ECS gives a health check 5 s. */
const TIMEOUT_MS = 4_000;

const address = process.env.BIND_ADDRESS || "0.0.0.0";
const host = ["0.0.0.0", "::"].includes(address) ? "localhost" : address.includes(":") ? `[${address}]` : address;
const url = `http://${host}:${process.env.PORT || 3344}/api/info`;
try {
  const { status } = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (status !== 200) throw new Error(`it answered ${status}`);
} catch (error) {
  process.stderr.write(`${url}: ${error.cause?.message ?? error.message}\n`);
  process.exitCode = 1;
}
