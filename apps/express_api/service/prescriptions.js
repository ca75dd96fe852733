/** `GET /api/client/prescription`: a client's own prescriptions, the newest first, page by page. */

import { Refusal } from "./refusal.js";

const DEFAULT = 20;
const MOST = 100;

/** One more than is asked for tells whether there is a next page. The order is by the columns, not by their texts. */
const PAGE = `
  SELECT id::text, medicine, directions, to_char(issued_on, 'YYYY-MM-DD') AS issued_on
  FROM api.prescriptions AS own
  WHERE client_id = $1 AND ($2::date IS NULL OR (own.issued_on, own.id) < ($2::date, $3::bigint))
  ORDER BY own.issued_on DESC, own.id DESC
  LIMIT $4`;

const CURSOR = /^(\d{4}-\d{2}-\d{2})\.(\d{1,18})$/;

export class Prescriptions {
  #database;

  constructor(database) {
    this.#database = database;
  }

  /**
   * Return `{ items, next }`, where `next` is the cursor of the page that follows, null at the end.
   *
   * A page begins behind the last of the one before, whatever was added meanwhile. A cursor says where, and not whose:
   * one of another client gives nobody anything of another's.
   */
  async page(client, { limit = String(DEFAULT), cursor }, deadline) {
    const size = /^\d{1,3}$/.test(limit) ? Number(limit) : 0;
    if (size < 1 || size > MOST) throw new Refusal(400, `a limit from 1 to ${MOST} would do`);
    const after = cursor === undefined ? [null, null] : place(cursor);
    const found = await this.#database.query(PAGE, [client, ...after, size + 1], deadline);
    const items = found.slice(0, size);
    const last = items.at(-1);
    const next = found.length > size ? Buffer.from(`${last.issued_on}.${last.id}`).toString("base64url") : null;
    return { items, next };
  }
}

function place(cursor) {
  const [, day, id] = CURSOR.exec(typeof cursor === "string" ? Buffer.from(cursor, "base64url").toString() : "") ?? [];
  if (!day || !real(day)) throw new Refusal(400, "a cursor that a page came with would do");
  return [day, id];
}

function real(day) {
  const time = Date.parse(`${day}T00:00:00Z`);
  // JavaScript knows a 30th of February, and PostgreSQL no year 0.
  return !Number.isNaN(time) && !day.startsWith("0000") && new Date(time).toISOString().startsWith(day);
}
