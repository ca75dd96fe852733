/** The files of `migrations/`, each applied once, in the order of their numbers. */

import crypto from "node:crypto";
import fs from "node:fs";

import { CommandError } from "./command.js";
import { log } from "./journal.js";
import { inTransaction } from "./operator.js";

const FOLDER = new URL("migrations/", import.meta.url);
const NAME = /^\d{4}-[a-z0-9-]+\.sql$/;

/** What a migration may wait for a lock: whoever waits for one keeps all others of the table waiting. */
const LOCK_WAIT = "5s";

/** Return `{ name, sql, checksum }` of each file, in order. */
export function found() {
  const names = fs.readdirSync(FOLDER).sort();
  const numbers = names.map((name) => name.slice(0, 4));
  if (!names.every((name) => NAME.test(name)) || new Set(numbers).size < numbers.length) {
    const would = "names like 0001-clients.sql, each number once, would do";
    throw new CommandError(`migrations has ${names.join(", ")}: ${would}`);
  }
  return names.map((name) => {
    const sql = fs.readFileSync(new URL(name, FOLDER), "utf8");
    return { name, sql, checksum: crypto.createHash("sha256").update(sql).digest("hex") };
  });
}

/**
 * Apply those of `migrations` that were not, and return their names. One that fails leaves nothing of itself behind.
 *
 * What a newer image has applied stays: the older one, back after a failure, has to do with it.
 */
export async function apply(client, migrations) {
  await inTransaction(client, async () => {
    await client.query("CREATE SCHEMA IF NOT EXISTS api");
    await client.query(`CREATE TABLE IF NOT EXISTS api.migrations (
      name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
  });
  const { rows } = await client.query("SELECT name, checksum FROM api.migrations");
  const known = new Map(rows.map(({ name, checksum }) => [name, checksum]));
  const changed = migrations.filter(({ name, checksum }) => known.has(name) && known.get(name) !== checksum);
  if (changed.length > 0) {
    const names = changed.map(({ name }) => name).join(", ");
    throw new CommandError(`${names} was applied as something else: a new migration that goes on from there would do`);
  }
  const applied = [];
  for (const { name, sql, checksum } of migrations.filter((each) => !known.has(each.name))) {
    try {
      await inTransaction(client, async () => {
        await client.query(`SET LOCAL lock_timeout = '${LOCK_WAIT}'`);
        await client.query(sql);
        await client.query("INSERT INTO api.migrations (name, checksum) VALUES ($1, $2)", [name, checksum]);
      });
    } catch (error) {
      throw new CommandError(`${name} failed, and was undone: ${error.message}`, { cause: error });
    }
    log("info", "applied", { migration: name });
    applied.push(name);
  }
  return applied;
}
