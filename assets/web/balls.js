// Pictures of balls, drawn once for each size and kept.

const IVORY = "#f6f2e6";
const cache = new Map();
const MAX_CACHED = 400;

/** What is printed on a ball: its number, the name of one that is not known yet, or nothing. */
export function labelOf(ball) {
  if (ball.id === "cue") return "";
  if (ball.number > 0) return String(ball.number);
  return ball.id.startsWith("t") && ["unknown", "solid", "stripe"].includes(ball.type) ? ball.id : "";
}

/** How a ball is called where there is room for a word. */
export function nameOf(ball) {
  if (ball.id === "cue") return "cue ball";
  if (ball.number > 0) return `${ball.number} (${ball.type})`;
  return ball.type === "unknown" ? `ball ${ball.id}` : `${ball.type} ${ball.id}`;
}

/** A canvas with the ball in its middle, `radius` device pixels; it is 1.3 diameters wide. */
export function ballSprite(ball, radius) {
  const label = labelOf(ball);
  const key = `${ball.color}|${ball.type}|${label}|${radius.toFixed(1)}`;
  let sprite = cache.get(key);
  if (!sprite) {
    if (cache.size >= MAX_CACHED) cache.clear();
    sprite = paintBall(ball, label, radius);
    cache.set(key, sprite);
  }
  return sprite;
}

function paintBall(ball, label, radius) {
  const side = Math.ceil(2.6 * radius);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const g = canvas.getContext("2d");
  const c = side / 2;
  const disc = (x, y, r) => { g.beginPath(); g.arc(x, y, r, 0, 2 * Math.PI); };

  g.save();
  disc(c, c, radius);
  g.clip();
  const isStripe = ball.type === "stripe";
  g.fillStyle = isStripe || ball.id === "cue" ? IVORY : ball.color;
  g.fillRect(0, 0, side, side);
  if (isStripe) {
    g.fillStyle = ball.color;
    g.fillRect(0, c - 0.56 * radius, side, 1.12 * radius);
  }
  if (label) {
    const isNumber = !label.startsWith("t");
    if (isNumber) {
      g.fillStyle = IVORY;
      disc(c, c, 0.52 * radius);
      g.fill();
    }
    const size = (isNumber ? [0.86, 0.7] : [0.8, 0.66])[label.length > 1 ? 1 : 0] * radius;
    if (size >= 5) {
      g.font = `700 ${size}px system-ui, "Liberation Sans", sans-serif`;
      g.textAlign = "center";
      g.textBaseline = "middle";
      g.fillStyle = "#101216";
      g.fillText(label, c, c + 0.05 * radius);
    }
  }
  // The lamp hangs above, a little to the top left.
  const shade = g.createRadialGradient(c - 0.3 * radius, c - 0.35 * radius, 0.1 * radius, c, c, 1.02 * radius);
  shade.addColorStop(0, "rgba(255,255,255,.28)");
  shade.addColorStop(0.35, "rgba(255,255,255,0)");
  shade.addColorStop(0.7, "rgba(0,0,0,.08)");
  shade.addColorStop(1, "rgba(0,0,0,.5)");
  g.fillStyle = shade;
  g.fillRect(0, 0, side, side);
  g.restore();

  const glint = g.createRadialGradient(c - 0.38 * radius, c - 0.42 * radius, 0, c - 0.38 * radius, c - 0.42 * radius, 0.3 * radius);
  glint.addColorStop(0, "rgba(255,255,255,.85)");
  glint.addColorStop(1, "rgba(255,255,255,0)");
  g.fillStyle = glint;
  disc(c - 0.38 * radius, c - 0.42 * radius, 0.3 * radius);
  g.fill();
  return canvas;
}
