/** The master's connection, for the commands that change what the service may not. */

import { setTimeout as sleep } from "node:timers/promises";

import pg from "pg";

import { CommandError } from "./command.js";
import { connection } from "./database.js";
import { log } from "./journal.js";

/** A database that is just being made, restarted or failed over. */
const WAIT_MS = 60_000;
const EVERY_MS = 1_000;

/** Run `work` with a client of `database`, and close it. */
export async function asMaster(database, work) {
  const client = await connected(database);
  // Without a listener its loss would be an end without a word; with one, the statement that it was lost in fails.
  client.on("error", () => {});
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Run `work` in a transaction of `client`. */
export async function inTransaction(client, work) {
  await client.query("BEGIN");
  try {
    const result = await work();
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    throw error;
  }
}

async function connected(database) {
  const ends = Date.now() + WAIT_MS;
  for (;;) {
    const client = new pg.Client(connection(database));
    try {
      await client.connect();
      return client;
    } catch (error) {
      client.end().catch(() => {});
      // A password, a name or a certificate that is wrong stays so.
      const hopeless = /^(28|3D)/.test(error.code ?? "") || /CERT|SSL|ALTNAME/i.test(`${error.code} ${error.message}`);
      if (hopeless || Date.now() >= ends) {
        throw new CommandError(`cannot connect to ${database.host}:${database.port}: ${error.message}`);
      }
      log("warning", "the database cannot be reached yet", { error_message: error.message || error.code });
    }
    await sleep(EVERY_MS);
  }
}
