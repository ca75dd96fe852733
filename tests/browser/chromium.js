/** The Chromium of @sparticuz/chromium, unpacked once. Its own way of doing so is for AWS Lambda, and for a newer Node. */

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import zlib from "node:zlib";

const MODULES = fileURLToPath(new URL("node_modules/", import.meta.url));
const PACKAGE = path.join(MODULES, "@sparticuz/chromium");
const PARTS = ["chromium", "al2023.tar", "fonts.tar"];

/** Return how playwright is to start it: `CHROMIUM`'s, where that says another than the packaged one. */
export async function chromium() {
  const args = ["--no-sandbox", "--font-render-hinting=none"];
  if (process.env.CHROMIUM) return { executablePath: process.env.CHROMIUM, args };
  if (process.platform !== "linux" || process.arch !== "x64") {
    const machine = `${process.platform} on ${process.arch}`;
    throw new Error(`no browser is packaged for ${machine}: say where a Chromium or Chrome is, as CHROMIUM=/path/to/it`);
  }
  const folder = await unpacked();
  return {
    executablePath: path.join(folder, "chromium"),
    args,
    env: {
      HOME: folder,
      PATH: process.env.PATH,
      LD_LIBRARY_PATH: path.join(folder, "lib"),
      FONTCONFIG_FILE: path.join(folder, "own-fonts.conf"),
    },
  };
}

async function unpacked() {
  const { version } = JSON.parse(fs.readFileSync(path.join(PACKAGE, "package.json"), "utf8"));
  const folder = path.join(MODULES, `.chromium-${version}`);
  if (fs.existsSync(folder)) return folder;
  // Beside its place, then there at once: whoever is interrupted, or comes at the same time, leaves no half of it.
  const aside = fs.mkdtempSync(`${folder}-`);
  for (const part of PARTS) {
    const source = fs.createReadStream(path.join(PACKAGE, "bin", `${part}.br`));
    await pipeline(source, zlib.createBrotliDecompress(), fs.createWriteStream(path.join(aside, part)));
    if (!part.endsWith(".tar")) continue;
    const { status, stderr } = spawnSync("tar", ["-xf", part], { cwd: aside, encoding: "utf8" });
    if (status !== 0) throw new Error(`${part} of @sparticuz/chromium cannot be unpacked: ${stderr}`);
    fs.rmSync(path.join(aside, part));
  }
  fs.chmodSync(path.join(aside, "chromium"), 0o755);
  // Those of the package alone, so that a picture is the same on every machine.
  const fonts = `<fontconfig><dir>${path.join(folder, "fonts")}</dir><cachedir>${path.join(folder, "cache")}</cachedir></fontconfig>`;
  fs.writeFileSync(path.join(aside, "own-fonts.conf"), `<?xml version="1.0"?>${fonts}\n`);
  try {
    fs.renameSync(aside, folder);
  } catch (error) {
    fs.rmSync(aside, { recursive: true });
    if (!fs.existsSync(folder)) throw error;
  }
  return folder;
}
