/** What the container's environment must say, read once and checked whole before anything starts. */

import fs from "node:fs";
import { isIP } from "node:net";

/** The environment cannot be used; the message names each variable, its value unless secret, and what would do. */
export class EnvironmentFaultError extends Error {}

/**
 * Read what the server needs out of `variables` (`process.env`):
 *
 * - `BIND_ADDRESS`: the IP address to listen at, default 0.0.0.0.
 * - `PORT`: 1 to 65535, default 3344.
 * - `PROXIES`: how many of what stands in front add to `X-Forwarded-For`, 0 to 5, default 0. An API gateway and a load
 *   balancer make 2. The caller's address, by which attempts are counted, is the one that the outermost of them added.
 * - `TOKEN_KEY`: the secret that tokens are signed with, 32 bytes or more, the same in all tasks.
 * - `TOKEN_KEY_PREVIOUS`: the one before, whose tokens are still taken. Default: none.
 * - `TOKEN_MINUTES`: how long a token is good for, 1 to 1440, default 15. Nothing revokes one before.
 * - `LOGINS_PER_ACCOUNT`, `LOGINS_PER_ADDRESS`: attempts in a quarter of an hour, 1 to 100,000, defaults 10 and 100.
 * - `LARGEST_BODY`: bytes of a request's body, 1024 to 65536, default 8192.
 * - `DATABASE_CONNECTIONS`: the most that this task opens, 1 to 100, default 10.
 * - `APPLICATION_USERNAME`, `APPLICATION_PASSWORD`: the application's own database user, made by `migrate.js`.
 * - Those of `database`, below.
 */
export function forServing(variables) {
  return read(variables, (take, number) => ({
    bindAddress: take("BIND_ADDRESS", "0.0.0.0", (text) => (isIP(text) ? text : undefined), "an IP address"),
    port: number("PORT", "3344", 1, 65535),
    proxies: number("PROXIES", "0", 0, 5),
    tokens: {
      key: take("TOKEN_KEY", undefined, key, "a secret of 32 bytes or more", SECRET),
      previousKey: take("TOKEN_KEY_PREVIOUS", null, key, "a secret of 32 bytes or more, or nothing,", SECRET),
      minutes: number("TOKEN_MINUTES", "15", 1, 1440),
    },
    attempts: {
      account: number("LOGINS_PER_ACCOUNT", "10", 1, 100_000),
      address: number("LOGINS_PER_ADDRESS", "100", 1, 100_000),
    },
    largestBody: number("LARGEST_BODY", "8192", 1024, 65536),
    connections: number("DATABASE_CONNECTIONS", "10", 1, 100),
    database: { ...database(take, number), ...user(take, "APPLICATION") },
  }));
}

/** Read what `migrate.js` needs: the database, its master user, and the application's user, which it makes. */
export function forMigrating(variables) {
  const environment = read(variables, (take, number) => ({
    database: { ...database(take, number), ...user(take, "MASTER") },
    application: user(take, "APPLICATION"),
  }));
  if (environment.application.user === environment.database.user) {
    throw new EnvironmentFaultError("APPLICATION_USERNAME is the master's: a user of its own would do");
  }
  return environment;
}

/** Read what `add-clients.js` needs: the database and its master user. */
export function forAdding(variables) {
  return read(variables, (take, number) => ({
    database: { ...database(take, number), ...user(take, "MASTER") },
  }));
}

/**
 * - `DATABASE_HOST`, `DATABASE_PORT` (default 5432), `DATABASE_NAME`: where the database is.
 * - `DATABASE_CA`: a file with the certificates of those who may sign its, in PEM. The image has RDS's.
 */
function database(take, number) {
  return {
    host: take("DATABASE_HOST", undefined, matching(/^[A-Za-z0-9.:-]{1,253}$/), "a host's name or address"),
    port: number("DATABASE_PORT", "5432", 1, 65535),
    name: take("DATABASE_NAME", undefined, matching(/^[A-Za-z_][A-Za-z0-9_-]{0,62}$/), "a database's name"),
    authorities: take("DATABASE_CA", undefined, certificates, "a readable file of certificates in PEM"),
  };
}

/** Secrets Manager's own keys, `username` and `password`, behind the prefix. */
function user(take, prefix) {
  return {
    user: take(`${prefix}_USERNAME`, undefined, matching(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/), "a database user's name"),
    password: take(
      `${prefix}_PASSWORD`, undefined, matching(/^[\x21-\x7e]{8,128}$/), "8 to 128 characters of ASCII", SECRET,
    ),
  };
}

const SECRET = true;

function read(variables, describe) {
  const faults = [];
  const take = (name, fallback, parse, expected, secret = false) => {
    const text = variables[name] || fallback;
    if (text === null) return null;
    const value = text === undefined ? undefined : parse(text);
    if (value === undefined) {
      const given = secret ? "is set to something else" : `is ${JSON.stringify(text?.slice(0, 128))}`;
      faults.push(`${name} ${text === undefined ? "is not set" : given}: ${expected} would do`);
    }
    return value;
  };
  const number = (name, fallback, least, most) => {
    const parse = (text) => {
      const value = /^[0-9]{1,6}$/.test(text) ? Number(text) : -1;
      return value >= least && value <= most ? value : undefined;
    };
    return take(name, fallback, parse, `a whole number from ${least} to ${most}`);
  };
  const environment = describe(take, number);
  if (faults.length > 0) throw new EnvironmentFaultError(faults.join("; "));
  return environment;
}

function matching(pattern) {
  return (text) => (pattern.test(text) ? text : undefined);
}

function key(text) {
  const bytes = new TextEncoder().encode(text);
  return bytes.length >= 32 ? bytes : undefined;
}

function certificates(path) {
  try {
    const text = fs.readFileSync(path, "utf8");
    return text.includes("-----BEGIN CERTIFICATE-----") ? text : undefined;
  } catch {
    return undefined;
  }
}
