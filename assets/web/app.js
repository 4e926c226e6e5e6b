// What comes in over the connection, on the page.

import { ballSprite, nameOf } from "./balls.js";
import { Connection } from "./connection.js";
import { Painter } from "./painter.js";

const byId = (id) => document.getElementById(id);
const prefersStill = matchMedia("(prefers-reduced-motion: reduce)");
const TRAIL_MS = 350;
// A ball that is suddenly elsewhere was put there: it does not slide.
const JUMP_M = 0.4;

const painter = new Painter(byId("table"));
const model = { balls: new Map(), cue: null, table: null, trajectory: null, state: null };
const figures = { arrivals: [], stepMs: 33, lastStateAt: 0, lastFrame: -1, lastFrameAt: 0, latencyMs: null, drawn: 0 };

// ---- state ---------------------------------------------------------------------------------------------------------

function takeState(state) {
  const now = performance.now();
  const gap = now - figures.lastStateAt;
  if (gap < 200) figures.stepMs += 0.1 * (gap - figures.stepMs);
  figures.lastStateAt = now;
  if (state.frame_number !== figures.lastFrame) {
    [figures.lastFrame, figures.lastFrameAt] = [state.frame_number, now];
    figures.arrivals.push([Date.parse(state.captured_at), state.frame_number]);
    if (figures.arrivals.length > 90) figures.arrivals.shift();
  }
  if (connection.clockOffsetMs !== null && gap < 400) {
    const latency = Date.now() + connection.clockOffsetMs - Date.parse(state.captured_at);
    figures.latencyMs = figures.latencyMs === null ? latency : figures.latencyMs + 0.1 * (latency - figures.latencyMs);
  }

  const tableBefore = JSON.stringify(model.table);
  model.state = state;
  model.table = state.table;
  model.cue = state.cue ? moved(model.cue, state.cue, now) : null;
  const seen = new Set();
  for (const ball of state.balls) {
    seen.add(ball.track_id);
    model.balls.set(ball.track_id, followed(model.balls.get(ball.track_id), ball, now));
  }
  for (const id of model.balls.keys()) if (!seen.has(id)) model.balls.delete(id);
  painter.setTable(state.table);
  if (JSON.stringify(state.table) !== tableBefore) painter.fit();
  byId("notice").hidden = state.table !== null;
  if (!state.table) byId("notice").textContent = "No table is found in the picture";
  repaint();
}

/** The ball as it is shown, on its way from where it is shown now to where it is. */
function followed(before, ball, now) {
  const { x, y } = ball.position;
  const at = before ?? { x, y, trail: [] };
  const jumps = Math.hypot(at.x - x, at.y - y) > JUMP_M;
  const from = jumps || prefersStill.matches ? { x, y } : { x: at.x, y: at.y };
  return { ...ball, x: from.x, y: from.y, from, to: { x, y }, since: now, trail: jumps ? [] : at.trail, track: at.track ?? [] };
}

function moved(before, cue, now) {
  const [tip, butt] = [cue.tip_position, cue.butt_position];
  const from = before && !prefersStill.matches ? { tip: before.tip, butt: before.butt } : { tip, butt };
  return { from, to: { tip, butt }, since: now, ...from };
}

// ---- drawing: only while something is on its way --------------------------------------------------------------------

let isScheduled = false;

function repaint() {
  if (isScheduled) return;
  isScheduled = true;
  requestAnimationFrame(draw);
}

function draw(now) {
  isScheduled = false;
  const between = (a, b, t) => ({ x: a.x + (b.x - a.x) * t, y: a.y + (b.y - a.y) * t });
  const share = (since) => (prefersStill.matches ? 1 : Math.min(1, Math.max(0, (now - since) / figures.stepMs)));
  let isMoving = false;
  for (const ball of model.balls.values()) {
    const t = share(ball.since);
    Object.assign(ball, between(ball.from, ball.to, t));
    follow(ball, now);
    isMoving ||= ball.trail.length > 1 || (t < 1 && (ball.from.x !== ball.to.x || ball.from.y !== ball.to.y));
  }
  if (model.cue) {
    const { cue } = model;
    const t = share(cue.since);
    cue.tip = between(cue.from.tip, cue.to.tip, t);
    cue.butt = between(cue.from.butt, cue.to.butt, t);
    isMoving ||= t < 1;
  }
  painter.paint({ balls: [...model.balls.values()], cue: model.cue, trajectory: model.trajectory });
  figures.drawn += 1;
  if (isMoving) repaint();
}

/** Where a moving ball has been in the last moments. */
function follow(ball, now) {
  if (prefersStill.matches) return;
  if (ball.is_moving) ball.track.push([now, ball.x, ball.y]);
  while (ball.track.length > 0 && now - ball.track[0][0] > TRAIL_MS) ball.track.shift();
  ball.trail = ball.track.map(([, x, y]) => [x, y]);
}

// ---- words and figures ------------------------------------------------------------------------------------------------

/** The countdown is not read out: the state is, once. */
function showConnection(state, text, countdown = "") {
  byId("connection-retry").textContent = countdown;
  const pill = byId("connection");
  if (pill.dataset.state === state && byId("connection-text").textContent === text) return;
  pill.dataset.state = state;
  document.body.dataset.connection = state;
  byId("connection-text").textContent = text;
}

let retryAt = 0;

function showFigures() {
  const now = performance.now();
  const isOpen = connection.roundTripMs !== null || figures.lastStateAt > now - 1500;
  const isFlowing = figures.lastFrameAt > now - 2000 && figures.lastFrameAt > 0;
  if (retryAt > now) {
    showConnection("lost", "Connection lost, trying again", `in ${Math.ceil((retryAt - now) / 1000)} s`);
  } else if (isOpen) {
    showConnection(isFlowing ? "live" : "waiting", isFlowing ? "Live" : "Connected, no new frames");
  }
  const [first, last] = [figures.arrivals[0], figures.arrivals.at(-1)];
  const span = first ? (last[0] - first[0]) / 1000 : 0;
  byId("fps").textContent = isOpen && isFlowing && span > 0.2 ? `${((last[1] - first[1]) / span).toFixed(1)} fps` : "–";
  byId("ball-count").textContent = model.state ? String(model.state.ball_count) : "–";
  byId("latency").textContent = isOpen && isFlowing && figures.latencyMs !== null
    ? `${Math.max(0, Math.round(figures.latencyMs))} ms` : "–";
  figures.arrivals = figures.arrivals.filter(([at]) => last[0] - at < 3000 && at <= last[0]);
  showTray();
  showShot();
}

let trayKey = "";

function showTray() {
  const order = (ball) => (ball.id === "cue" ? -1 : ball.number > 0 ? ball.number : 100 + ball.track_id);
  const balls = [...model.balls.values()].sort((a, b) => order(a) - order(b));
  const key = balls.map((ball) => `${ball.id}${ball.type}${ball.visible}`).join();
  if (key === trayKey) return;
  trayKey = key;
  byId("tray").replaceChildren(...balls.map((ball) => {
    const item = document.createElement("li");
    item.dataset.visible = ball.visible;
    item.title = ball.visible ? nameOf(ball) : `${nameOf(ball)}, hidden`;
    const sprite = ballSprite(ball, 26);
    const picture = document.createElement("canvas");
    [picture.width, picture.height] = [64, 64];
    picture.getContext("2d").drawImage(sprite, 32 - sprite.width / 2, 32 - sprite.height / 2);
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", item.title);
    item.append(picture);
    return item;
  }));
  const names = balls.map(nameOf).join(", ");
  byId("table").setAttribute("aria-label", `The table seen from above with ${balls.length} balls: ${names}`);
}

/** The words follow once a second, so that they can be read; at once where there was no path, or is none any more. */
function takeTrajectory(trajectory) {
  const hasPath = (of) => of?.lines.length > 0;
  const isNews = hasPath(trajectory) !== hasPath(model.trajectory);
  model.trajectory = trajectory;
  if (isNews) showShot();
  repaint();
}

function showShot() {
  const trajectory = model.trajectory;
  let text = [...model.balls.values()].some((ball) => ball.is_moving)
    ? "No prediction for the balls in motion." : "Nothing to predict: no ball moves, no cue is aimed.";
  if (trajectory?.lines.length > 0) {
    const name = (id) => (id === "cue" ? "the cue ball" : id.startsWith("t") ? `ball ${id}` : `the ${id}`);
    const first = trajectory.collisions.find((c) => c.ball_id === trajectory.ball_id);
    const meets = { ball_ball: () => `meets ${name(first.ball2_id)}`, ball_cushion: () => "meets a cushion", ball_pocket: () => "falls into a pocket" };
    const subject = name(trajectory.ball_id);
    const pots = trajectory.rest.filter((rest) => rest.pocketed).map((rest) => {
      const outcome = trajectory.outcomes.find((o) => o.ball_id === rest.ball_id && o.pocket === rest.pocketed);
      const chance = outcome ? ` (${Math.round(100 * outcome.probability)} %)` : "";
      return `${name(rest.ball_id)} ${rest.pocketed.replace("_", " ")}${chance}`;
    });
    const start = subject[0].toUpperCase() + subject.slice(1);
    text = first ? `${start} ${meets[first.type]()} ${first.time_to_collision < 0.05 ? "now" : `in ${first.time_to_collision.toFixed(1)} s`}.` : `${start} rolls to rest.`;
    if (pots.length > 0) text += ` Potted: ${pots.join(", ")}.`;
  }
  const element = byId("shot");
  if (element.textContent !== text) element.textContent = text;
}

function takeAlert(alert) {
  const box = byId("alerts");
  [...box.children].filter((line) => line.dataset.code === alert.code).forEach((line) => line.remove());
  if (alert.details?.condition === "ends") return;
  const line = document.createElement("p");
  line.dataset.code = alert.code;
  line.dataset.level = alert.level;
  line.textContent = alert.message;
  box.append(line);
}

// ---- video ----------------------------------------------------------------------------------------------------------

const video = byId("video");
let isVideoWanted = true;
let videoRetry = 0;

function showVideo() {
  clearTimeout(videoRetry);
  const isOn = isVideoWanted && !document.hidden;
  byId("video-box").hidden = !isVideoWanted;
  byId("video-toggle").textContent = isVideoWanted ? "Hide" : "Show";
  byId("video-toggle").setAttribute("aria-pressed", String(isVideoWanted));
  if (isOn) {
    const width = byId("video-box").clientWidth * (devicePixelRatio || 1) > 700 ? 1280 : 640;
    // A new address each time: a browser that has seen the stream break would not ask again.
    video.src = `/api/v1/stream/video?width=${width}&t=${Date.now()}`;
  } else {
    hideVideo("No picture yet");
  }
}

function hideVideo(why) {
  video.removeAttribute("src");
  video.hidden = true;
  byId("video-notice").hidden = false;
  byId("video-notice").textContent = why;
}

video.addEventListener("load", () => {
  video.hidden = false;
  byId("video-notice").hidden = true;
});
video.addEventListener("error", () => {
  if (!video.hasAttribute("src")) return;
  hideVideo("No picture");
  videoRetry = setTimeout(showVideo, 2000);
});
byId("video-toggle").addEventListener("click", () => {
  isVideoWanted = !isVideoWanted;
  showVideo();
});
document.addEventListener("visibilitychange", showVideo);

// ---- wiring -----------------------------------------------------------------------------------------------------------

const connection = new Connection({
  message(type, data) {
    if (type === "state") takeState(data);
    else if (type === "trajectory") takeTrajectory(data);
    else if (type === "alert") takeAlert(data);
  },
  status(state, retryInMs) {
    retryAt = state === "lost" ? performance.now() + retryInMs : 0;
    if (state === "connecting") showConnection("connecting", "Connecting");
    if (state === "lost") {
      clearTimeout(videoRetry);
      hideVideo("No picture until the connection is back");
    }
    if (state === "open") {
      byId("alerts").replaceChildren();
      figures.arrivals = [];
      figures.latencyMs = null;
      if (!model.state) byId("notice").textContent = "Waiting for the first frame";
      showVideo();
    }
    showFigures();
  },
});

// For tests and the console: what is shown, and how often it was drawn.
window.ghostball = { model, figures };

new ResizeObserver(() => { painter.fit(); repaint(); }).observe(document.querySelector(".stage"));
addEventListener("resize", () => { painter.fit(); repaint(); });
prefersStill.addEventListener("change", repaint);
setInterval(showFigures, 500);
painter.fit();
repaint();
connection.open();
