/** A password as PostgreSQL keeps it, so that no statement, which a server may log, has the password itself. */

import crypto from "node:crypto";

const ITERATIONS = 4096;
const BYTES = 32;

/** Return the SCRAM-SHA-256 verifier of an ASCII `password` (RFC 5803), which needs no preparing. */
export function verifier(password, salt = crypto.randomBytes(16)) {
  const salted = crypto.pbkdf2Sync(password, salt, ITERATIONS, BYTES, "sha256");
  const keyed = (text) => crypto.createHmac("sha256", salted).update(text).digest();
  const stored = crypto.createHash("sha256").update(keyed("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${stored}:${keyed("Server Key").toString("base64")}`;
}
