/** Makes the database user of the service. */

import pg from "pg";

import { CommandError } from "./command.js";
import { GRANTS } from "./grants.js";
import { inTransaction } from "./operator.js";
import { verifier } from "./scram.js";

const RIGHTS = ["rolsuper", "rolcreaterole", "rolcreatedb", "rolreplication", "rolbypassrls"];

/** Make the user, or give it its password, and exactly its grants, whatever it had in this schema before. */
export async function allow(client, { user, password }) {
  const role = pg.escapeIdentifier(user);
  await inTransaction(client, async () => {
    const { rows } = await client.query("SELECT * FROM pg_roles WHERE rolname = $1", [user]);
    const held = RIGHTS.filter((right) => rows[0]?.[right]);
    if (held.length > 0) {
      throw new CommandError(`the user ${user} has ${held.join(", ")}: one that has no rights of its own would do`);
    }
    if (rows.length === 0) await client.query(`CREATE ROLE ${role} LOGIN`);
    await client.query(`ALTER ROLE ${role} LOGIN PASSWORD ${pg.escapeLiteral(verifier(password))}`);
    const name = pg.escapeIdentifier(client.database);
    await client.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
    await client.query(`GRANT CONNECT ON DATABASE ${name} TO ${role}`);
    await client.query(`REVOKE ALL ON ALL TABLES IN SCHEMA api FROM ${role}`);
    await client.query(`GRANT USAGE ON SCHEMA api TO ${role}`);
    for (const [table, rights] of Object.entries(GRANTS)) {
      await client.query(`GRANT ${rights.join(", ")} ON api.${table} TO ${role}`);
    }
  });
}
