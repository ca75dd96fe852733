/** The container's process: read the environment, listen, and on SIGTERM stop in good order. */

import http from "node:http";
import process from "node:process";

import { application } from "./app.js";
import { EnvironmentFaultError, read } from "./environment.js";
import { log } from "./journal.js";
import { Services } from "./services.js";

/** For the requests in flight after SIGTERM. ECS kills 30 s after it, unless told otherwise. */
const DRAIN_MS = 25_000;

/** What reached this host before the drain began may not have been read yet: it is in flight all the same. */
const UNREAD_MS = 100;

const LOOK_EVERY_MS = 20;

function main() {
  let environment;
  try {
    environment = read(process.env);
  } catch (error) {
    if (!(error instanceof EnvironmentFaultError)) throw error;
    log("error", `the environment cannot be used: ${error.message}`);
    process.exitCode = 2;
    return;
  }
  const { bindAddress, port } = environment;
  const state = { draining: false, running: 0 };
  const server = http.createServer(application(new Services(environment), state));
  // Longer than the 60 s of a load balancer, or it would send a request into a connection that is just being closed.
  server.keepAliveTimeout = 75_000;
  server.headersTimeout = 10_000;
  server.requestTimeout = 10_000;
  server.maxConnections = 1000;
  server.on("error", (error) => {
    log("error", `cannot listen at ${bindAddress}:${port}`, { error_message: error.message });
    process.exitCode = 1;
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
      process.exit(cut ? 1 : 0);
    };
    setTimeout(look, UNREAD_MS);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

main();
