/** The page: one card for each service, with its latest. */

import { html } from "./html.js";

export const STYLE_SHEET = "/assets/bootstrap.min.css";

/** Return the page of `services`, as `Services.latest` has them. */
export function page(services) {
  return String(html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Microservices: the latest</title>
  <meta name="description" content="The latest of each service">
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="${STYLE_SHEET}">
</head>
<body class="bg-body-tertiary">
  <header class="bg-primary text-white py-4 mb-4">
    <div class="container">
      <h1 class="h2 mb-2">Microservices</h1>
      <nav aria-label="Services">
        <ul class="list-inline mb-0">
          ${services.map(
            ({ name }) => html`<li class="list-inline-item">
            <a class="link-light text-capitalize" href="#${name}">${name}</a>
          </li>
          `,
          )}
        </ul>
      </nav>
    </div>
  </header>
  <main class="container">
    <div class="row row-cols-1 row-cols-md-2 g-4 mb-4">
      ${services.map(card)}
    </div>
  </main>
</body>
</html>
`);
}

function card({ name, all, items }) {
  return html`<div class="col">
        <section class="card h-100 shadow-sm" id="${name}" aria-labelledby="${name}-title">
          <div class="card-body">
            <h2 class="card-title h5 text-capitalize" id="${name}-title">${name}</h2>
            ${body(items)}
          </div>
          <div class="card-footer bg-transparent"><a href="${all}">All of ${name}</a></div>
        </section>
      </div>
      `;
}

function body(items) {
  if (items === null) {
    return html`<p class="alert alert-warning mb-0" role="status">This service cannot be reached right now.</p>`;
  }
  if (items.length === 0) return html`<p class="text-body-secondary mb-0">Nothing here yet.</p>`;
  return html`<ul class="list-unstyled vstack gap-3 mb-0">
              ${items.map(
                ({ title, summary, at }) => html`<li class="text-break">
                <h3 class="h6 fw-semibold mb-0">${title}</h3>
                <p class="mb-0">${summary}</p>
                <p class="small text-body-secondary mb-0">${time(at)}</p>
              </li>
              `,
              )}
            </ul>`;
}

/** A day as it is, a moment to the minute. */
function time(at) {
  const found = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}):[\d.]+Z)?$/.exec(at);
  if (!found) return at;
  return html`<time datetime="${at}">${found[1]}${found[2] ? ` ${found[2]} UTC` : ""}</time>`;
}
