/** Tokens: JSON Web Tokens of HMAC with SHA-256, which expire. */

import { errors, jwtVerify, SignJWT } from "jose";

import { Refusal } from "./refusal.js";

const ALGORITHM = "HS256";
const ISSUER = "express-api";

/** What a header can reasonably carry; a token of ours has about 300 characters. */
const BEARER = /^Bearer ([A-Za-z0-9._-]{1,2048})$/i;

export class Tokens {
  #keys;
  #minutes;

  /** `key` signs; of `previousKey`, which may be null, what it has signed is still taken. */
  constructor({ key, previousKey, minutes }) {
    this.#keys = previousKey ? [key, previousKey] : [key];
    this.#minutes = minutes;
  }

  /** Return a token that says who the client is, and the second at which it expires. */
  async sign(client, id) {
    const now = Math.floor(Date.now() / 1000);
    const expires = now + 60 * this.#minutes;
    const token = await new SignJWT()
      .setProtectedHeader({ alg: ALGORITHM, typ: "JWT" })
      .setIssuer(ISSUER)
      .setAudience(ISSUER)
      .setSubject(client)
      .setJti(id)
      .setIssuedAt(now)
      .setExpirationTime(expires)
      .sign(this.#keys[0]);
    return { token, expires };
  }

  /** Return the client whose token the `Authorization` header has, or refuse. */
  async client(header) {
    const [, token] = BEARER.exec(header ?? "") ?? [];
    if (!token) throw new Refusal(401, "an Authorization header with a Bearer token would do", challenge());
    for (const key of this.#keys) {
      const payload = await verified(token, key);
      if (payload) return payload.sub;
    }
    throw unusable();
  }
}

/** Return what the token says, undefined where another key has signed it. */
async function verified(token, key) {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [ALGORITHM],
      typ: "JWT",
      issuer: ISSUER,
      audience: ISSUER,
      requiredClaims: ["sub", "jti", "iat", "exp"],
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return undefined;
    if (error instanceof errors.JOSEError) throw unusable();
    throw error;
  }
}

function unusable() {
  return new Refusal(401, "the token is not ours, or has expired: log in again", challenge(' error="invalid_token"'));
}

/** Return what a 401 has to say of how to come in. */
export function challenge(why = "") {
  return { "www-authenticate": `Bearer${why}` };
}
