/** The latest of each service, asked for over HTTP. A service that does not answer is one that has none to show. */

import { log } from "./journal.js";

const TIMEOUT_MS = 2_000;
const LARGEST_ANSWER = 64 * 1024;

/** However many look at the page, a service is asked this often. */
const KEPT_MS = 1_000;

export const LATEST = 3;

/** Answers for each service `{ name, all, items }`, where `items` is null when it could not be asked. */
export class Services {
  #url;
  #names;
  #kept = { until: 0, asking: undefined };

  constructor({ servicesUrl, services }) {
    this.#url = servicesUrl;
    this.#names = services;
  }

  /** Never fails, and takes no longer than one service may. */
  latest(requestId) {
    if (Date.now() >= this.#kept.until) {
      // Kept as soon as it is asked for, so that those who come meanwhile wait for the same.
      const asking = Promise.all(this.#names.map((name) => this.#ask(name, requestId)));
      this.#kept = { until: Date.now() + KEPT_MS, asking };
    }
    return this.#kept.asking;
  }

  async #ask(name, requestId) {
    const path = `/${name}`;
    try {
      const said = await fetched(`${this.#url}${path}/latest?limit=${LATEST}`, requestId);
      return { name, all: below(path, said.all) ? said.all : path, items: usable(said.items) };
    } catch (error) {
      const why = error.cause?.message ? `${error.message}: ${error.cause.message}` : error.message;
      log("warning", "a service gave no answer", { service: name, request_id: requestId, error_message: why });
      return { name, all: path, items: null };
    }
  }
}

async function fetched(url, requestId) {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const answer = await fetch(url, {
    headers: { accept: "application/json", "x-request-id": requestId },
    redirect: "error",
    signal,
  });
  let size = 0;
  const parts = [];
  for await (const part of answer.body ?? []) {
    size += part.length;
    if (size > LARGEST_ANSWER) throw new Error(`the answer has more than ${LARGEST_ANSWER} bytes`);
    parts.push(part);
  }
  if (answer.status !== 200) throw new Error(`it answered ${answer.status}`);
  const said = JSON.parse(Buffer.concat(parts).toString("utf8"));
  if (said === null || typeof said !== "object") throw new Error("the answer is no object");
  return said;
}

/** A link is taken from a service as far as it leads into that service. */
function below(path, link) {
  if (typeof link !== "string") return false;
  return link === path || (link.startsWith(`${path}/`) && /^[A-Za-z0-9_~/-]+$/.test(link));
}

function usable(items) {
  if (!Array.isArray(items)) throw new Error("the answer has no items");
  return items.slice(0, LATEST).map((item) => {
    const { title, summary, at } = item ?? {};
    if ([title, summary, at].some((text) => typeof text !== "string")) {
      throw new Error("an item has no title, summary and time");
    }
    return { title, summary, at };
  });
}
