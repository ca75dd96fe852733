/** The database as the service sees it: one pool, TLS only, and no question that waits longer than it may. */

import pg from "pg";

import { GRANTS } from "./grants.js";
import { log } from "./journal.js";

/** For a connection, new or out of the pool. */
const CONNECT_MS = 2_000;

/** After which the server gives a statement up; the client does at the request's own deadline. */
const STATEMENT_MS = 2_500;

/** However many ask for the service's health, the database is asked this often, and has as long to answer. */
const PROBE_MS = 1_000;

/** What the user may not do of what the service does. A table that is not there, or not to be seen, is an error. */
const LACKING = `
  SELECT needed.privilege || ' on api.' || needed.name AS grant
  FROM unnest($1::text[], $2::text[]) AS needed (name, privilege)
  WHERE NOT has_table_privilege('api.' || needed.name, needed.privilege)`;

/** A connection is put by after this, so that tasks find their way back to an even spread after a failover. */
const LIFETIME_S = 1_800;

/** The database cannot be asked now; later the same question may be answered. */
export class UnavailableError extends Error {}

/** What `pg` needs to connect by `database`, as the environment has it. There is no way around TLS. */
export function connection({ host, port, name, authorities, user, password }) {
  return {
    host,
    port,
    database: name,
    user,
    password,
    ssl: { ca: authorities, minVersion: "TLSv1.2" },
    application_name: "express-api",
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
  };
}

export class Database {
  #pool;
  #met = false;
  #probed = { until: 0, asking: undefined };

  constructor(database, connections) {
    this.#pool = new pg.Pool({
      ...connection(database),
      max: connections,
      maxLifetimeSeconds: LIFETIME_S,
      statement_timeout: STATEMENT_MS,
      lock_timeout: STATEMENT_MS,
      idle_in_transaction_session_timeout: STATEMENT_MS,
    });
    // Without a listener the loss of an idle connection would be the end of the process.
    this.#pool.on("error", (error) => log("warning", "a connection to the database was lost", told(error)));
  }

  /**
   * Return the rows that `text` gives with `values`, by `deadline` (of `Date.now()`) at the latest.
   *
   * Throws an UnavailableError where the database cannot say. What it was told to write may be written even so.
   */
  async query(text, values, deadline) {
    const left = deadline - Date.now();
    try {
      if (left <= 0) throw new Error("no time is left to ask it");
      // A query whose answer has not come in time gives its connection up, whatever state that is in.
      const asking = this.#pool.query({ text, values, query_timeout: left });
      const { rows } = await within(asking, left);
      return rows;
    } catch (error) {
      if (!passing(error)) throw error;
      throw new UnavailableError("the database cannot be asked", { cause: error });
    }
  }

  /** Whether the database has answered this process once, and lets its user do all that the service does. */
  get met() {
    return this.#met;
  }

  /** Whether the database answers; never fails, and takes no longer than `PROBE_MS`. */
  answers() {
    const now = Date.now();
    if (now >= this.#probed.until) {
      // Kept as soon as it is asked, so that those who come meanwhile wait for the same.
      this.#probed = { until: now + PROBE_MS, asking: this.#probe(now + PROBE_MS) };
    }
    return this.#probed.asking;
  }

  close() {
    return this.#pool.end();
  }

  async #probe(deadline) {
    try {
      if (this.#met) await this.query("SELECT 1", [], deadline);
      else await this.#meet(deadline);
      return true;
    } catch (error) {
      // Requests tell of what comes later; of a task that is not well yet nobody asks anything else.
      if (!this.#met) log("warning", "the database has not met this task yet", told(error.cause ?? error));
      return false;
    }
  }

  async #meet(deadline) {
    const needed = Object.entries(GRANTS).flatMap(([table, rights]) => rights.map((right) => [table, right]));
    const columns = [needed.map(([table]) => table), needed.map(([, right]) => right)];
    const lacking = await this.query(LACKING, columns, deadline);
    if (lacking.length > 0) throw new Error(`its user lacks ${lacking.map((row) => row.grant).join(", ")}`);
    this.#met = true;
  }
}

/** What a log line may say of a database's error: neither a statement nor the values of one are in it. */
export function told(error) {
  return { code: error.code, error_message: error.message };
}

async function within(promise, milliseconds) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("it did not answer in time")), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Whether an error may pass by itself. One that is not the server's is of the connection. Of the server's, by SQLSTATE:
 * connections (08), a password that is just being changed (28), deadlocks (40), resources (53), shutdowns and timeouts
 * (57), the system's own (58, XX), one that a failover made read-only (25006), a lock that did not come (55P03).
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
function passing(error) {
  if (!(error instanceof pg.DatabaseError)) return true;
  return /^(08|28|40|53|57|58|XX|25006|55P03)/.test(error.code);
}
