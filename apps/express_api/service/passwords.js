/** Passwords as they are kept: scrypt, each with a salt of its own. */

import crypto from "node:crypto";
import { promisify } from "node:util";

import { Turns } from "./turns.js";

const scrypt = promisify(crypto.scrypt);

/**
 * 32 MiB and about a quarter of a second of one core for one guess, by OWASP's table as hard as 128 MiB at once, which
 * a task of 1 GiB could not give to many.
 * https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#scrypt
 */
const COST = { logN: 15, r: 8, p: 3 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const MAXMEM = 64 * 1024 * 1024;

/** Half a CPU, as a task has, is what one takes; two would only leave less of it to the requests of all others. */
const AT_ONCE = 1;

/** How many may wait. More would wait longer than they may. */
const WAITING = 16;

const KEPT = /^scrypt\$(\d{1,2})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9_-]{22})\$([A-Za-z0-9_-]{43})$/;

/** Return `password` as it is kept: `scrypt$log2(N)$r$p$salt$hash`. */
export async function hashed(password) {
  const salt = crypto.randomBytes(SALT_BYTES);
  const hash = await derived(password, salt, COST);
  return ["scrypt", COST.logN, COST.r, COST.p, salt.toString("base64url"), hash.toString("base64url")].join("$");
}

/** Verifies passwords, one at a time. */
export class Passwords {
  #turns = new Turns(AT_ONCE, WAITING);
  #nobodys = hashed(crypto.randomBytes(SALT_BYTES).toString("hex"));

  /**
   * Whether `password` is the one of `kept`. Where there is none (undefined), the same work is done for nothing, so
   * that nobody learns by the clock who is a client.
   */
  async verify(password, kept, deadline) {
    const [, logN, r, p, salt, hash] = KEPT.exec(kept ?? (await this.#nobodys));
    const found = await this.#turns.take(deadline, () =>
      derived(password, Buffer.from(salt, "base64url"), { logN, r, p }),
    );
    const same = crypto.timingSafeEqual(found, Buffer.from(hash, "base64url"));
    return same && kept !== undefined;
  }
}

function derived(password, salt, { logN, r, p }) {
  const options = { N: 2 ** Number(logN), r: Number(r), p: Number(p), maxmem: MAXMEM };
  return scrypt(password.normalize("NFC"), salt, HASH_BYTES, options);
}
