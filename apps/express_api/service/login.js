/** `POST /api/client/auth/login`: an email address and a password for a token. */

import crypto from "node:crypto";

import { bucket } from "./attempts.js";
import { Refusal } from "./refusal.js";
import { challenge } from "./tokens.js";

const LONGEST_EMAIL = 254;
const LONGEST_PASSWORD = 1024;
const EMAIL = /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u;

const FIND = "SELECT id, password_hash FROM api.clients WHERE email = $1";

/** What is acknowledged is written before; and who has logged in may err again. */
const RECORD = `
  WITH forgiven AS (UPDATE api.login_attempts SET count = 0 WHERE kind = 'account' AND bucket = $4)
  INSERT INTO api.logins (id, client_id, expires_at) VALUES ($1, $2, to_timestamp($3))`;

export class Login {
  #database;
  #attempts;
  #passwords;
  #tokens;

  constructor({ database, attempts, passwords, tokens }) {
    this.#database = database;
    this.#attempts = attempts;
    this.#passwords = passwords;
    this.#tokens = tokens;
  }

  /** Return `{ token, expires_at }`, or refuse; whether the address or the password was wrong is not said. */
  async login(body, address, deadline) {
    const { email, password } = credentials(body);
    await this.#attempts.count(address, email, deadline);
    const [client] = await this.#database.query(FIND, [email], deadline);
    if (!(await this.#passwords.verify(password, client?.password_hash, deadline))) {
      throw new Refusal(401, "no client has this email address and password", challenge());
    }
    const id = crypto.randomUUID();
    const { token, expires } = await this.#tokens.sign(client.id, id);
    await this.#database.query(RECORD, [id, client.id, expires, bucket(email)], deadline);
    return { token, expires_at: new Date(1000 * expires).toISOString() };
  }
}

/** As an address is kept and looked up: in lower case, composed. */
export function normalized(email) {
  return email.normalize("NFC").toLowerCase();
}

/** Return the `email`, normalized, and the `password` of a body, which may be anything that JSON can say. */
export function credentials(body) {
  const { email, password } = body ?? {};
  const usable =
    typeof email === "string" &&
    typeof password === "string" &&
    email.length <= LONGEST_EMAIL &&
    EMAIL.test(email) &&
    password.length >= 1 &&
    password.length <= LONGEST_PASSWORD;
  if (!usable) throw new Refusal(400, 'a JSON object with an "email" address and a "password" would do');
  return { email: normalized(email), password };
}
