// The page as a visitor sees it: opens it in a headless Chromium, watches the balls move, leaves a screenshot.
//
// usage: node check.mjs URL CHROMIUM SCREENSHOT_FOLDER

import { mkdir, writeFile } from "node:fs/promises";
import { chromium } from "playwright-core";

const [url, executablePath, folder] = process.argv.slice(2);
const PATIENCE_MS = 60_000;
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const WINDOWS = [
  { name: "desktop", width: 1440, height: 900, deviceScaleFactor: 1 },
  { name: "phone", width: 390, height: 844, deviceScaleFactor: 2 },
];

const failures = [];
const check = (holds, text) => {
  console.log(`${holds ? "ok" : "FAILED"}: ${text}`);
  if (!holds) failures.push(text);
};

/** The table's pixels: whether they changed, and whether anything is painted. */
const pixels = (page) => page.evaluate(() => {
  const table = document.getElementById("table");
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [table.width, table.height];
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(table, 0, 0);
  const { data } = context.getImageData(0, 0, copy.width, copy.height);
  const inked = new Set();
  let hash = 0;
  for (let i = 0; i < data.length; i += 4) {
    const color = (data[i] << 16) | (data[i + 1] << 8) | data[i + 2];
    hash = (Math.imul(hash, 31) + color) | 0;
    if (i % 1024 === 0) inked.add(color);
  }
  return { hash, colors: inked.size };
});

const positions = (page) => page.evaluate(() =>
  [...window.ghostball.model.balls.values()].map(({ track_id, to }) => [track_id, to.x, to.y]));

const farthestMove = (before, after) => {
  const known = new Map(before.map(([id, x, y]) => [id, [x, y]]));
  return Math.max(0, ...after.filter(([id]) => known.has(id)).map(([id, x, y]) => {
    const [x0, y0] = known.get(id);
    return Math.hypot(x - x0, y - y0);
  }));
};

async function visit(browser, { name, width, height, deviceScaleFactor }) {
  const page = await browser.newPage({ viewport: { width, height }, deviceScaleFactor });
  const complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) complaints.push(`asked elsewhere: ${request.url()}`);
  });
  await page.goto(url);
  const waited = (what, test) => page.waitForFunction(test, null, { timeout: PATIENCE_MS }).then(
    () => check(true, `${name}: ${what}`),
    () => check(false, `${name}: ${what}, within ${PATIENCE_MS / 1000} s`),
  );
  await waited("is connected and live", () => document.getElementById("connection").dataset.state === "live");
  await waited("shows a table with balls", () => window.ghostball.model.table !== null && window.ghostball.model.balls.size >= 2);
  await waited("shows the camera's picture", () => document.getElementById("video").naturalWidth > 0);
  await waited("tells the frame rate", () => /^\d/.test(document.getElementById("fps").textContent));

  // Shots are played with pauses between them: look until something has moved, on the wire and on the canvas.
  const [where, look] = [await positions(page), await pixels(page)];
  const deadline = Date.now() + PATIENCE_MS;
  let moved = 0;
  let now = look;
  while (Date.now() < deadline && (moved < 0.05 || now.hash === look.hash)) {
    await page.waitForTimeout(250);
    moved = Math.max(moved, farthestMove(where, await positions(page)));
    now = await pixels(page);
  }
  check(moved >= 0.05, `${name}: a ball moved (${moved.toFixed(3)} m)`);
  check(now.hash !== look.hash, `${name}: the canvas changed`);
  check(now.colors > 20, `${name}: the canvas is painted (${now.colors} colours)`);
  check(complaints.length === 0, `${name}: the console is silent${complaints.map((text) => `\n  ${text}`).join("")}`);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  check(overflow <= 0, `${name}: nothing sticks out sideways (${overflow} px)`);
  const file = `${folder}/${name}.png`;
  await writeFile(file, await page.screenshot());
  console.log(`${name}: ${file}`);
  return page;
}

await mkdir(folder, { recursive: true });
const browser = await chromium.launch({ executablePath, args: FLAGS });
try {
  for (const window of WINDOWS) await (await visit(browser, window)).close();
} finally {
  await browser.close();
}
if (failures.length > 0) {
  console.error(`${failures.length} checks failed`);
  process.exit(1);
}
