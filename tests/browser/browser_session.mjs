// usage: node browser_session.mjs http://HOST:PORT CHROMIUM

import { chromium } from "playwright-core";
import { session } from "../peers/session.mjs";

const [origin, executablePath] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
try {
  const page = await browser.newPage();
  await page.goto(origin);
  // The page's own rules forbid to evaluate text, not to run what the debugger hands in.
  const outcome = await page.evaluate(`(async () => {
    const inflate = async (data) => {
      const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate"));
      return new Response(stream).text();
    };
    return (${session.toString()})((url) => new WebSocket(url), location.origin.replace("http", "ws") + "/api/v1/ws", inflate);
  })()`);
  console.log(outcome);
} finally {
  await browser.close();
}
