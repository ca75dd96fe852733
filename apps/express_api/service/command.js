/** How each of the image's commands begins and ends: 0, 1 when it failed, 2 when its environment cannot be used. */

import process from "node:process";

import { EnvironmentFaultError } from "./environment.js";
import { log } from "./journal.js";

/** Nothing is wrong with the program; the message says what is. */
export class CommandError extends Error {}

/** Run `work`; what it throws is logged and becomes the exit code. */
export async function orderly(work) {
  try {
    await work();
  } catch (error) {
    if (error instanceof EnvironmentFaultError) {
      log("error", `the environment cannot be used: ${error.message}`);
      process.exitCode = 2;
      return;
    }
    const known = error instanceof CommandError;
    log("error", error.message, known ? {} : { code: error.code, traceback: error.stack });
    process.exitCode = 1;
  }
}
