/** The container's process: read the environment, listen, and on SIGTERM stop in good order. */

import fs from "node:fs";
import http from "node:http";
import process from "node:process";

import { application } from "./app.js";
import { Attempts } from "./attempts.js";
import { orderly } from "./command.js";
import { Database } from "./database.js";
import { forServing } from "./environment.js";
import { log } from "./journal.js";
import { Login } from "./login.js";
import { Passwords } from "./passwords.js";
import { Prescriptions } from "./prescriptions.js";
import { Tokens } from "./tokens.js";

/** For the requests in flight after SIGTERM. ECS kills 30 s after it, unless told otherwise. */
const DRAIN_MS = 25_000;

/** What reached this host before the drain began may not have been read yet: it is in flight all the same. */
const UNREAD_MS = 100;

const LOOK_EVERY_MS = 20;

const SERVER = {
  // Longer than the 60 s of a load balancer, or it would send a request into a connection that is just being closed.
  keepAliveTimeout: 75_000,
  // A request is small: who takes longer to send one holds a connection, and means to.
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  // Node's own default looks every 30 s.
  connectionsCheckingInterval: 500,
};
const CONNECTIONS = 1_000;

await orderly(() => {
  const environment = forServing(process.env);
  const { bindAddress, largestBody, port, proxies } = environment;
  const { version } = JSON.parse(fs.readFileSync(new URL("package.json", import.meta.url), "utf8"));
  const database = new Database(environment.database, environment.connections);
  const attempts = new Attempts(database, environment.attempts);
  const tokens = new Tokens(environment.tokens);
  const login = new Login({ database, attempts, passwords: new Passwords(), tokens });
  const prescriptions = new Prescriptions(database);
  const state = { draining: false, running: 0 };
  const parts = { database, login, prescriptions, tokens, largestBody, proxies, version };
  const server = http.createServer(SERVER, application(parts, state));
  server.maxConnections = CONNECTIONS;
  server.on("error", (error) => {
    log("error", `cannot listen at ${bindAddress}:${port}`, { error_message: error.message });
    process.exit(1);
  });
  server.listen(port, bindAddress, 512, () => log("info", "listening", { address: bindAddress, port }));
  const stop = () => {
    if (state.draining) return;
    // The listener stays until the end: whoever comes meanwhile is answered, and told to close.
    state.draining = true;
    log("info", "draining");
    const ends = Date.now() + DRAIN_MS;
    const look = () => {
      if (state.running > 0 && Date.now() < ends) {
        setTimeout(look, LOOK_EVERY_MS);
        return;
      }
      const cut = state.running;
      server.close();
      server.closeAllConnections();
      log("info", "stopped", { cut });
      // The database learns of it by its connections' end.
      process.exit(cut ? 1 : 0);
    };
    setTimeout(look, UNREAD_MS);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
});
