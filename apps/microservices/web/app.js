/** What each request gets. */

import crypto from "node:crypto";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import zlib from "node:zlib";

import express from "express";

import { log } from "./journal.js";
import { page, STYLE_SHEET } from "./page.js";

const BOOTSTRAP = fs.readFileSync(createRequire(import.meta.url).resolve("bootstrap/dist/css/bootstrap.min.css"));
/** An eighth of it: a phone sees the difference. */
const BOOTSTRAP_GZIP = zlib.gzipSync(BOOTSTRAP, { level: 9 });
const BOOTSTRAP_ETAG = `"${crypto.createHash("sha256").update(BOOTSTRAP).digest("hex").slice(0, 32)}"`;

const HEADERS = {
  // Nothing from elsewhere, no scripts at all; Bootstrap's own pictures are data.
  "content-security-policy":
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "cache-control": "no-store",
};

/** What a log and a header can carry as it is. */
const SANE_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** Make the application of `services`. `state.draining` says that the task is stopping; `state.running` counts. */
export function application(services, state) {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use((request, response, next) => {
    accompany(request, response, state);
    next();
  });
  serve(app, "/", async (request, response) => {
    response.type("html").send(page(await services.latest(response.locals.requestId)));
  });
  serve(app, "/whoami", (request, response) => {
    // The address at which this very connection came in: the task's own, or with bridge networking the container's.
    const ip = request.socket.localAddress?.replace(/^::ffff:/, "");
    response.json({ ip, host: os.hostname(), service: "web" });
  });
  serve(app, "/health", (request, response) => {
    response.status(state.draining ? 503 : 200).json({ status: state.draining ? "draining" : "ok" });
  });
  serve(app, STYLE_SHEET, (request, response) => {
    response.type("css");
    response.set({ "cache-control": "public, max-age=3600", etag: BOOTSTRAP_ETAG, vary: "accept-encoding" });
    const small = request.acceptsEncodings("gzip") === "gzip";
    if (small) response.set("content-encoding", "gzip");
    response.send(small ? BOOTSTRAP_GZIP : BOOTSTRAP);
  });
  app.use((request, response) => {
    refuse(response, 404, "there is nothing here: / would do");
  });
  // Express knows a handler of errors by its four arguments.
  app.use((error, request, response, _next) => {
    if (error.status >= 400 && error.status < 500) {
      refuse(response, error.status, "the request cannot be read");
      return;
    }
    const why = { request_id: response.locals.requestId, error_message: String(error), traceback: error.stack };
    log("error", "this should not have happened", why);
    if (response.headersSent) response.destroy();
    else refuse(response, 500, "something went wrong here; the log says what");
  });
  return app;
}

function serve(app, path, handle) {
  app.get(path, handle);
  app.all(path, (request, response) => {
    response.set("allow", "GET, HEAD");
    refuse(response, 405, "GET would do here");
  });
}

function refuse(response, status, message) {
  response.status(status).json({ error: { message }, request_id: response.locals.requestId });
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
    if (request.path === "/health" && status === 200) return;
    // The route, not the path: what callers make up is not for a log's fields.
    const route = request.route?.path ?? "none";
    const ms = Math.round(performance.now() - began);
    log("info", "request", { request_id: requestId, route, method: request.method, status, ms });
  });
}
