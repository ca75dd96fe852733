/** Whose request it is: the caller's address, behind so many proxies. */

import { isIP } from "node:net";

/** Return the address that the outermost of `proxies` has seen, whatever callers write into the header themselves. */
export function callerOf(request, proxies) {
  const forwarded = request.get("x-forwarded-for")?.split(",") ?? [];
  const chain = [...forwarded, request.socket.remoteAddress ?? ""];
  const found = plain(chain[Math.max(0, chain.length - 1 - proxies)]);
  return isIP(found) ? found : plain(request.socket.remoteAddress ?? "");
}

function plain(address) {
  return address.trim().replace(/^::ffff:/i, "");
}
