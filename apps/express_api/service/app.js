/** What each request gets. */

import crypto from "node:crypto";

import express from "express";

import { callerOf } from "./address.js";
import { told, UnavailableError } from "./database.js";
import { log } from "./journal.js";
import { Refusal } from "./refusal.js";

/** For a request, once it is read. */
const DEADLINE_MS = 5_000;

const HEADERS = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

/** What a log and a header can carry as it is. */
const SANE_ID = /^[A-Za-z0-9._:-]{1,128}$/;

const INFO = "/api/info";

/**
 * Make the application of `parts`: `database`, `login`, `prescriptions`, `tokens`, `largestBody`, `proxies` and
 * `version`. `state.draining` says that the task is stopping; `state.running` counts.
 */
export function application(parts, state) {
  const { database, login, prescriptions, tokens, largestBody, proxies, version } = parts;
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use((request, response, next) => {
    accompany(request, response, state);
    next();
  });
  serve(app, "GET", INFO, async (request, response) => {
    // Until the database has met this task, nothing shows that it can serve: with a wrong password, a missing right or
    // a wrong host it never will, and must not replace a task that does. From then on a database that is away is told
    // and no more: another task would not bring it back, and a load balancer that takes all of them out, and ECS that
    // replaces them, would turn its outage into a longer one of ours.
    const answers = await database.answers();
    const status = state.draining ? "draining" : database.met ? "ok" : "starting";
    response.status(status === "ok" ? 200 : 503).json({ status, version, database: answers ? "ok" : "unavailable" });
  });
  // What is compressed may become more than it was, and is refused.
  const body = express.json({ limit: largestBody, inflate: false });
  serve(app, "POST", "/api/client/auth/login", body, async (request, response) => {
    if (!request.is("application/json")) throw new Refusal(415, "a body of application/json would do");
    response.json(await login.login(request.body, callerOf(request, proxies), Date.now() + DEADLINE_MS));
  });
  serve(app, "GET", "/api/client/prescription", async (request, response) => {
    const client = await tokens.client(request.get("authorization"));
    response.json(await prescriptions.page(client, request.query, Date.now() + DEADLINE_MS));
  });
  app.use((request, response) => {
    refuse(response, 404, `there is nothing here: ${INFO} would do`);
  });
  // Express knows a handler of errors by its four arguments.
  app.use((error, request, response, _next) => fail(error, response));
  return app;
}

function serve(app, method, path, ...handlers) {
  app[method.toLowerCase()](path, ...handlers);
  app.all(path, (request, response) => {
    response.set("allow", method === "GET" ? "GET, HEAD" : method);
    refuse(response, 405, `${method} would do here`);
  });
}

function refuse(response, status, message) {
  response.status(status).json({ error: { message }, request_id: response.locals.requestId });
}

function fail(error, response) {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { requestId } = response.locals;
  if (error instanceof Refusal) {
    response.set(error.headers);
    refuse(response, error.status, error.message);
  } else if (error instanceof UnavailableError) {
    log("warning", error.message, { request_id: requestId, ...told(error.cause) });
    response.set("retry-after", "2");
    refuse(response, 503, "the database cannot be reached: try again");
  } else if (error.status >= 400 && error.status < 500) {
    // Its message may quote the body, and a body has a password.
    refuse(response, error.status, "the request cannot be read");
  } else {
    log("error", "this should not have happened", { request_id: requestId, ...told(error), traceback: error.stack });
    refuse(response, 500, "something went wrong here; the log says what");
  }
}

/** Give a request its id, its headers, and its line in the log. */
function accompany(request, response, state) {
  const began = performance.now();
  const given = request.get("x-request-id") ?? "";
  const requestId = SANE_ID.test(given) ? given : crypto.randomUUID();
  response.locals.requestId = requestId;
  response.set({ ...HEADERS, "x-request-id": requestId });
  if (state.draining) response.set("connection", "close");
  state.running += 1;
  response.once("close", () => {
    state.running -= 1;
    const { statusCode: status } = response;
    if (request.path === INFO && status === 200) return;
    // The route, not the path: what callers make up is not for a log's fields.
    const route = request.route?.path ?? "none";
    const ms = Math.round(performance.now() - began);
    log("info", "request", { request_id: requestId, route, method: request.method, status, ms });
  });
}
