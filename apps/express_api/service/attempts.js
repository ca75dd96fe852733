/** How often one may try to log in: by account and by address, counted in the database, so that tasks share it. */

import crypto from "node:crypto";
import { isIPv6 } from "node:net";

import { Refusal } from "./refusal.js";
import { Turns } from "./turns.js";

const WINDOW_S = 15 * 60;

/** A table that nobody can make grow: who tries a million accounts has some counted together. */
const BUCKETS = 2 ** 20;

/** What is refused already is refused without asking, of so many at most. */
const REMEMBERED = 10_000;

/** Those of one address and of one account wait for each other in the database, each with a connection. */
const AT_ONCE = 2;
const WAITING = 1_000;

/**
 * In one statement, which is one wait for the disk: first the address, then, unless that has had its attempts, the
 * account. Nobody waits for another's in a circle, since all take the two in this order.
 */
const COUNT = `
  WITH address AS (${counted("SELECT 'address', $1::integer, now(), 1")}),
  account AS (${counted("SELECT 'account', $2::integer, now(), 1 FROM address WHERE count <= $4")})
  SELECT * FROM address UNION ALL SELECT * FROM account`;

function counted(attempt) {
  const over = "kept.began <= now() - make_interval(secs => $3)";
  return `
    INSERT INTO api.login_attempts AS kept (kind, bucket, began, count) ${attempt}
    ON CONFLICT (kind, bucket) DO UPDATE SET
      began = CASE WHEN ${over} THEN now() ELSE kept.began END,
      count = CASE WHEN ${over} THEN 1 ELSE kept.count + 1 END
    RETURNING kind, count, ceil(extract(epoch FROM began - now()) + $3)::integer AS seconds`;
}

export class Attempts {
  #database;
  #limits;
  #refused = new Map();
  #turns = new Turns(AT_ONCE, WAITING);

  /** `limits` has the attempts in a quarter of an hour, `account` and `address`. */
  constructor(database, limits) {
    this.#database = database;
    this.#limits = limits;
  }

  /** Count an attempt before anything is worked out for it, or refuse: 429, and when to come again. */
  async count(address, email, deadline) {
    const buckets = { address: bucket(network(address)), account: bucket(email) };
    // Whoever sends many at once finds, when their turn comes, that the first have used them up.
    await this.#turns.take(deadline, () => this.#count(buckets, deadline));
  }

  async #count(buckets, deadline) {
    const now = Date.now();
    for (const [kind, key] of Object.entries(buckets)) {
      const until = this.#refused.get(`${kind} ${key}`) ?? 0;
      if (until > now) throw tooMany(Math.ceil((until - now) / 1000));
    }
    const values = [buckets.address, buckets.account, WINDOW_S, this.#limits.address];
    for (const { kind, count, seconds } of await this.#database.query(COUNT, values, deadline)) {
      if (count > this.#limits[kind]) {
        this.#remember(`${kind} ${buckets[kind]}`, now + 1000 * seconds);
        throw tooMany(seconds);
      }
    }
  }

  #remember(what, until) {
    // The oldest goes; put anew, it is the youngest.
    this.#refused.delete(what);
    if (this.#refused.size >= REMEMBERED) this.#refused.delete(this.#refused.keys().next().value);
    this.#refused.set(what, until);
  }
}

/** Return where attempts on an account are counted. */
export function bucket(text) {
  return crypto.createHash("sha256").update(text).digest().readUInt32BE() % BUCKETS;
}

/** Whoever has one address of version 6 has 2^64 of them. */
function network(address) {
  return isIPv6(address) ? prefix(address) : address;
}

function prefix(address) {
  const [head, tail] = address.split("%")[0].split("::");
  const groups = head ? head.split(":") : [];
  const rest = tail ? tail.split(":") : [];
  const zeros = tail === undefined ? [] : Array(Math.max(0, 8 - groups.length - rest.length)).fill("0");
  return [...groups, ...zeros, ...rest]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}

function tooMany(seconds) {
  const headers = { "retry-after": String(Math.max(1, seconds)) };
  return new Refusal(429, "too many attempts to log in: try again later", headers);
}
