/**
 * A command: add the clients that standard input has, with their prescriptions. Those who are there get the password
 * and the prescriptions that it says; run again, it changes nothing but the passwords' salts.
 *
 *     [{"email": "ada@example.com", "password": "...", "prescriptions":
 *       [{"issued_on": "2026-01-05", "medicine": "Amoxicillin 500 mg", "directions": "One, three times a day"}]}]
 *
 * Standard input, since a command line and an environment are read by others. Passwords have 12 characters or more.
 */

import process from "node:process";
import { json } from "node:stream/consumers";

import { CommandError, orderly } from "./command.js";
import { forAdding } from "./environment.js";
import { log } from "./journal.js";
import { credentials } from "./login.js";
import { asMaster, inTransaction } from "./operator.js";
import { hashed } from "./passwords.js";
import { Refusal } from "./refusal.js";

const SHORTEST_PASSWORD = 12;

const CLIENT = `
  INSERT INTO api.clients (email, password_hash) VALUES ($1, $2)
  ON CONFLICT (email) DO UPDATE SET password_hash = excluded.password_hash
  RETURNING id`;
const PRESCRIPTIONS = `
  INSERT INTO api.prescriptions (client_id, issued_on, medicine, directions)
  SELECT $1, issued_on, medicine, directions
  FROM json_to_recordset($2::json) AS each (issued_on date, medicine text, directions text)
  ON CONFLICT (client_id, issued_on, medicine) DO UPDATE SET directions = excluded.directions`;

await orderly(async () => {
  const { database } = forAdding(process.env);
  const clients = await given();
  await asMaster(database, (client) =>
    inTransaction(client, async () => {
      for (const { email, password, prescriptions } of clients) {
        const [{ id }] = (await client.query(CLIENT, [email, await hashed(password)])).rows;
        await client.query(PRESCRIPTIONS, [id, JSON.stringify(prescriptions)]);
      }
    }),
  );
  log("info", "added", { clients: clients.length });
});

async function given() {
  // Nothing of the input is quoted in a message: it has passwords.
  const said = await json(process.stdin).catch(() => {
    throw new CommandError("standard input is no JSON");
  });
  if (!Array.isArray(said)) throw new CommandError("standard input is no list of clients");
  return said.map((each, place) => {
    try {
      const { email, password } = credentials(each);
      if (password.length < SHORTEST_PASSWORD) {
        throw new CommandError(`client ${place + 1}: a password of ${SHORTEST_PASSWORD} characters or more would do`);
      }
      return { email, password, prescriptions: each.prescriptions ?? [] };
    } catch (error) {
      if (error instanceof Refusal) throw new CommandError(`client ${place + 1}: ${error.message}`);
      throw error;
    }
  });
}
