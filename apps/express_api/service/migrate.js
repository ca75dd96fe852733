/** A command: bring the database to what this image needs, and make the user that the service connects as. */

import process from "node:process";

import { orderly } from "./command.js";
import { forMigrating } from "./environment.js";
import { log } from "./journal.js";
import { apply, found } from "./migrations.js";
import { asMaster } from "./operator.js";
import { allow } from "./roles.js";

/** Any number that nobody else locks by. */
const LOCK = 5_413_344;

/** For another run to end. */
const LOCK_WAIT = "5min";

await orderly(async () => {
  const { database, application } = forMigrating(process.env);
  const migrations = found();
  await asMaster(database, async (client) => {
    // The session's, not a transaction's: each migration has its own. A session that is lost lets go of it.
    await client.query(`SET lock_timeout = '${LOCK_WAIT}'`);
    await client.query("SELECT pg_advisory_lock($1)", [LOCK]);
    const applied = await apply(client, migrations);
    await allow(client, application);
    log("info", "migrated", { applied, known: migrations.length });
  });
});
