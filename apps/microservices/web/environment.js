/** What the container's environment must say, read once and checked whole before anything starts. */

import { isIP } from "node:net";

const NAME = /^[a-z][a-z0-9-]{0,31}$/;

/** The environment cannot be used; the message names each variable, its value, and what would do. */
export class EnvironmentFaultError extends Error {}

/**
 * Read the environment out of `variables` (`process.env`):
 *
 * - `BIND_ADDRESS`: the IP address to listen at, default 0.0.0.0.
 * - `PORT`: 1 to 65535, default 3000.
 * - `SERVICES_URL`: where the services are to be had, such as the load balancer's `https://shop.example.com`; a path
 *   in it goes before theirs.
 * - `SERVICES`: their names, with blanks between, in the order of the page; each is at the path of its name.
 */
export function read(variables) {
  const faults = [];
  const take = (name, fallback, parse, expected) => {
    const text = variables[name] || fallback;
    const value = text === undefined ? undefined : parse(text);
    if (value === undefined) {
      const found = text === undefined ? "is not set" : `is ${JSON.stringify(text.slice(0, 128))}`;
      faults.push(`${name} ${found}: ${expected} would do`);
    }
    return value;
  };
  const environment = {
    bindAddress: take("BIND_ADDRESS", "0.0.0.0", (text) => (isIP(text) ? text : undefined), "an IP address"),
    port: take("PORT", "3000", port, "a port from 1 to 65535"),
    servicesUrl: take("SERVICES_URL", undefined, origin, "an http or https URL with neither user nor query"),
    services: take("SERVICES", undefined, names, "services' names, each once, such as 'blog news',"),
  };
  if (faults.length > 0) throw new EnvironmentFaultError(faults.join("; "));
  return environment;
}

function port(text) {
  const value = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= 65535 ? value : undefined;
}

function origin(text) {
  if (!URL.canParse(text) || /\s/.test(text)) return undefined;
  const url = new URL(text);
  const plain = !url.username && !url.password && !url.search && !url.hash;
  return plain && ["http:", "https:"].includes(url.protocol) ? url.href.replace(/\/+$/, "") : undefined;
}

function names(text) {
  const given = text.trim().split(/\s+/);
  return given.every((name) => NAME.test(name)) && new Set(given).size === given.length ? given : undefined;
}
