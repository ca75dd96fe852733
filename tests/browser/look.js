/**
 * Opens a page in a headless browser at the width of a phone and of a desk, and prints as JSON what is seen there:
 *
 *     node look.js <url> <folder>
 *
 * A picture of the whole page is left in the folder for each: phone.png, desktop.png.
 */

import path from "node:path";
import process from "node:process";

import { chromium as browsers } from "playwright-core";

import { chromium } from "./chromium.js";

const SCREENS = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } };

/** Runs in the page. */
function seen() {
  const text = (element) => element?.innerText.trim() ?? "";
  const cards = [...document.querySelectorAll("section.card")].map((card) => ({
    title: text(card.querySelector("h2")),
    latest: [...card.querySelectorAll("h3")].map(text),
    link: card.querySelector(".card-footer a")?.href,
    left: Math.round(card.getBoundingClientRect().left),
    top: Math.round(card.getBoundingClientRect().top),
  }));
  const root = document.documentElement;
  return {
    title: document.title,
    cards,
    overflow: root.scrollWidth - root.clientWidth,
    header: getComputedStyle(document.querySelector("header")).backgroundColor,
    smallest: Math.min(...[...document.querySelectorAll("p, a, h1, h2, h3")].map((each) => parseFloat(getComputedStyle(each).fontSize))),
  };
}

async function look(browser, url, viewport, picture) {
  const page = await browser.newPage({ viewport });
  const complaints = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("requestfailed", (request) => complaints.push(`${request.url()}: ${request.failure().errorText}`));
  page.on("response", (response) => response.ok() || complaints.push(`${response.url()}: ${response.status()}`));
  const response = await page.goto(url, { waitUntil: "networkidle" });
  const found = { status: response.status(), complaints, ...(await page.evaluate(seen)) };
  await page.screenshot({ path: picture, fullPage: true });
  const [first] = found.cards;
  if (first) {
    const answer = await page.goto(first.link);
    found.followed = { url: page.url(), status: answer.status() };
  }
  await page.close();
  return found;
}

const [url, folder] = process.argv.slice(2);
const browser = await browsers.launch(await chromium());
try {
  const screens = {};
  for (const [name, viewport] of Object.entries(SCREENS)) {
    screens[name] = await look(browser, url, viewport, path.join(folder, `${name}.png`));
  }
  process.stdout.write(`${JSON.stringify({ version: browser.version(), ...screens })}\n`);
} finally {
  await browser.close();
}
