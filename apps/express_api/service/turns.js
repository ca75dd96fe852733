/** Work that is done a little at a time, however much of it comes, so that the rest of the process goes on. */

import { Refusal } from "./refusal.js";

export class Turns {
  #atOnce;
  #most;
  #running = 0;
  #waiting = [];

  /** So many are done `atOnce`, and `most` may wait. */
  constructor(atOnce, most) {
    this.#atOnce = atOnce;
    this.#most = most;
  }

  /** Do `work` when its turn comes, and return what it gives; refuse it if that is not before `deadline`. */
  async take(deadline, work) {
    await this.#turn(deadline);
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }

  /** Take a place among the running, or be handed the one of whoever has done. */
  async #turn(deadline) {
    if (this.#running < this.#atOnce) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.length >= this.#most) throw busy();
    await new Promise((resolve, reject) => {
      const mine = () => {
        clearTimeout(timer);
        resolve();
      };
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(mine), 1);
        reject(busy());
      };
      const timer = setTimeout(giveUp, deadline - Date.now());
      this.#waiting.push(mine);
    });
  }
}

function busy() {
  return new Refusal(503, "too many log in at this moment: try again", { "retry-after": "2" });
}
