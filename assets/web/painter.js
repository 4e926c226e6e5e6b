// Draws the table to scale: metres in (origin in the middle, x along the long axis, y up), device pixels out.

import { ballSprite } from "./balls.js";

const CUSHION = 0.05;
const RAIL = 0.105;
const BORDER = CUSHION + RAIL + 0.012;
const LINE_STYLES = {
  primary: { color: "#ffffff", dash: [], width: 1 },
  reflection: { color: "#7fd4ff", dash: [9, 6], width: 1 },
  collision: { color: "#ffc861", dash: [1, 6], width: 1.4 },
};

export class Painter {
  #canvas;
  #g;
  #backdrop = null;
  #backdropKey = "";
  #length = 2.54;
  #width = 1.27;
  #table = null;
  #isUpright = false;
  #scale = 100;
  #center = [0, 0];

  constructor(canvas) {
    this.#canvas = canvas;
    this.#g = canvas.getContext("2d");
  }

  /** The table of a state message, or null. */
  setTable(table) {
    this.#table = table;
    if (table) [this.#length, this.#width] = [table.width, table.height];
  }

  /** Fits the canvas to its place. A tall, narrow window shows the table upright: its right end is up. */
  fit() {
    const box = this.#canvas.parentElement;
    const room = box.clientWidth;
    this.#isUpright = room < 560 && innerHeight > innerWidth;
    const [long, short] = [this.#length + 2 * BORDER, this.#width + 2 * BORDER];
    const [across, down] = this.#isUpright ? [short, long] : [long, short];
    const ratio = Math.min(devicePixelRatio || 1, 3);
    // Leaves room for the page around it, so that the whole table is seen at once.
    const tallest = Math.max(240, innerHeight - (this.#isUpright ? 165 : 190));
    const width = Math.min(room, (tallest * across) / down);
    const [w, h] = [Math.round(width * ratio), Math.round(((width * down) / across) * ratio)];
    if (this.#canvas.width !== w || this.#canvas.height !== h) {
      [this.#canvas.width, this.#canvas.height] = [w, h];
      this.#canvas.style.width = `${width}px`;
      this.#canvas.style.margin = "0 auto";
    }
    this.#scale = w / across;
    this.#center = [w / 2, h / 2];
  }

  /** Everything, as it is now. */
  paint({ balls, cue, trajectory }) {
    const g = this.#g;
    this.#paintBackdrop();
    g.save();
    if (trajectory) this.#paintPaths(trajectory, balls);
    for (const ball of balls) this.#paintTrail(ball);
    for (const ball of balls) this.#paintShadow(ball);
    for (const ball of balls) this.#paintBall(ball);
    if (trajectory) this.#paintGhosts(trajectory);
    if (cue) this.#paintCue(cue);
    g.restore();
  }

  #px(x, y) {
    const [cx, cy] = this.#center;
    const s = this.#scale;
    return this.#isUpright ? [cx - y * s, cy - x * s] : [cx + x * s, cy - y * s];
  }

  #path(points, g = this.#g) {
    g.beginPath();
    for (const [x, y] of points) g.lineTo(...this.#px(x, y));
  }

  #disc(x, y, radius, g = this.#g) {
    g.beginPath();
    g.arc(...this.#px(x, y), radius * this.#scale, 0, 2 * Math.PI);
  }

  #paintBackdrop() {
    const { width, height } = this.#canvas;
    const pockets = this.#table?.pockets ?? [];
    // A window that is being folded away has no room to paint in.
    if (width === 0 || height === 0) return;
    const key = [width, height, this.#length, this.#width, this.#isUpright, JSON.stringify(pockets)].join();
    if (key !== this.#backdropKey) {
      this.#backdropKey = key;
      this.#backdrop = document.createElement("canvas");
      [this.#backdrop.width, this.#backdrop.height] = [width, height];
      this.#drawBackdrop(this.#backdrop.getContext("2d"), pockets);
    }
    this.#g.clearRect(0, 0, width, height);
    this.#g.drawImage(this.#backdrop, 0, 0);
  }

  #drawBackdrop(g, pockets) {
    const [hl, hw, s] = [this.#length / 2, this.#width / 2, this.#scale];
    const rectangle = (grow, radius) => {
      const [x0, y0] = this.#px(-hl - grow, hw + grow);
      const [x1, y1] = this.#px(hl + grow, -hw - grow);
      g.beginPath();
      g.roundRect(Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0), radius * s);
    };
    const [cx, cy] = this.#center;
    const reach = hl * s;

    // Rail: dark wood with a lit upper edge.
    rectangle(CUSHION + RAIL, 0.075);
    const wood = g.createLinearGradient(0, cy - reach, 0, cy + reach);
    wood.addColorStop(0, "#5a3b28");
    wood.addColorStop(0.5, "#3d271b");
    wood.addColorStop(1, "#2b1b13");
    g.fillStyle = wood;
    g.fill();
    g.lineWidth = Math.max(1, 0.005 * s);
    g.strokeStyle = "rgba(255,220,180,.16)";
    g.stroke();

    // Cloth, brightest under the lamp.
    rectangle(CUSHION, 0.02);
    const cloth = g.createRadialGradient(cx, cy, 0.1 * reach, cx, cy, 1.15 * reach);
    cloth.addColorStop(0, "#1b8a78");
    cloth.addColorStop(0.55, "#157263");
    cloth.addColorStop(1, "#0d4a41");
    g.fillStyle = cloth;
    g.fill();

    this.#drawCushions(g);

    // String and spots, as faint as on a real cloth.
    g.strokeStyle = "rgba(255,255,255,.10)";
    g.lineWidth = Math.max(1, 0.003 * s);
    this.#path([[-hl / 2, -hw], [-hl / 2, hw]], g);
    g.stroke();
    g.fillStyle = "rgba(255,255,255,.22)";
    for (const x of [-hl / 2, hl / 2]) {
      this.#disc(x, 0, 0.007, g);
      g.fill();
    }

    this.#drawDiamonds(g);

    const radius = this.#table?.pocket_radius ?? 0;
    for (const { x, y } of pockets) {
      this.#disc(x, y, radius + 0.012, g);
      g.fillStyle = "#17110d";
      g.fill();
      this.#disc(x, y, radius, g);
      const [px, py] = this.#px(x, y);
      const depth = g.createRadialGradient(px, py, 0.2 * radius * s, px, py, radius * s);
      depth.addColorStop(0, "#000");
      depth.addColorStop(1, "#0b0c0e");
      g.fillStyle = depth;
      g.fill();
    }
  }

  /** Six cushions that end before the pockets, their faces in the light or in the shade. */
  #drawCushions(g) {
    const [hl, hw] = [this.#length / 2, this.#width / 2];
    const r = this.#table?.pocket_radius ?? 0.06;
    const [corner, side] = [1.25 * r, 1.05 * r];
    const slant = 0.75 * CUSHION;
    const face = (points, shade) => {
      this.#path(points, g);
      g.closePath();
      g.fillStyle = shade;
      g.fill();
      this.#path([points[0], points[1]], g);
      g.strokeStyle = "rgba(255,255,255,.18)";
      g.lineWidth = Math.max(1, 0.003 * this.#scale);
      g.stroke();
    };
    for (const y of [1, -1]) {
      for (const x of [1, -1]) {
        face(
          [
            [x * side, y * hw],
            [x * (hl - corner), y * hw],
            [x * (hl - corner + slant), y * (hw + CUSHION)],
            [x * (side - 0.3 * slant), y * (hw + CUSHION)],
          ],
          y > 0 ? "#0a4d42" : "#19816f",
        );
      }
    }
    for (const x of [1, -1]) {
      face(
        [
          [x * hl, -hw + corner],
          [x * hl, hw - corner],
          [x * (hl + CUSHION), hw - corner + slant],
          [x * (hl + CUSHION), -hw + corner - slant],
        ],
        x > 0 ? "#147365" : "#0f6658",
      );
    }
  }

  #drawDiamonds(g) {
    const [hl, hw] = [this.#length / 2, this.#width / 2];
    const out = CUSHION + 0.5 * RAIL;
    const places = [];
    for (const k of [-3, -2, -1, 1, 2, 3]) for (const y of [1, -1]) places.push([(k * hl) / 4, y * (hw + out)]);
    for (const k of [-1, 0, 1]) for (const x of [1, -1]) places.push([x * (hl + out), (k * hw) / 2]);
    g.fillStyle = "#d9cdb4";
    for (const [x, y] of places) {
      const [a, b] = [0.011, 0.011];
      this.#path([[x - a, y], [x, y + b], [x + a, y], [x, y - b]], g);
      g.fill();
    }
  }

  #hair(width) {
    return Math.max(width * 1.4 * Math.min(devicePixelRatio || 1, 3), width * 0.0062 * this.#scale);
  }

  #paintPaths(trajectory, balls) {
    const g = this.#g;
    g.lineCap = "round";
    g.lineJoin = "round";
    // Pieces of one kind and ball that touch are one stroke: dashes run on through curves.
    let piece = null;
    const strokes = [];
    for (const line of trajectory.lines) {
      const follows = piece && piece.type === line.type && piece.ball_id === line.ball_id
        && Math.hypot(piece.points.at(-1).x - line.start.x, piece.points.at(-1).y - line.start.y) < 1e-3;
      if (follows) piece.points.push(line.end);
      else strokes.push(piece = { type: line.type, ball_id: line.ball_id, confidence: line.confidence, points: [line.start, line.end] });
    }
    for (const { type, points, confidence } of strokes) {
      const style = LINE_STYLES[type] ?? LINE_STYLES.primary;
      const width = this.#hair(style.width);
      this.#path(points.map(({ x, y }) => [x, y]));
      g.setLineDash([]);
      g.globalAlpha = 0.35;
      g.strokeStyle = "#04211c";
      g.lineWidth = 2.4 * width;
      g.stroke();
      g.globalAlpha = 0.45 + 0.5 * confidence;
      g.strokeStyle = style.color;
      g.lineWidth = width;
      g.setLineDash(style.dash.map((part) => (part * width) / 1.6));
      g.stroke();
    }
    g.setLineDash([]);
    g.globalAlpha = 1;
    for (const { x, y, type } of trajectory.collisions) {
      if (type !== "ball_cushion") continue;
      this.#disc(x, y, 0.009);
      g.fillStyle = LINE_STYLES.reflection.color;
      g.fill();
    }
    const radius = balls[0]?.radius ?? 0.028;
    for (const { position, pocketed } of trajectory.rest) {
      if (pocketed) this.#markPocket(position);
      else this.#markRest(position, radius);
    }
  }

  #markRest({ x, y }, radius) {
    const g = this.#g;
    this.#disc(x, y, radius);
    g.fillStyle = "rgba(86,209,180,.16)";
    g.fill();
    g.strokeStyle = "#56d1b4";
    g.lineWidth = this.#hair(0.8);
    g.stroke();
    this.#disc(x, y, 0.25 * radius);
    g.fillStyle = "#56d1b4";
    g.fill();
  }

  /** The pocket that a ball will fall into. */
  #markPocket({ x, y }) {
    const distance = (pocket) => Math.hypot(pocket.x - x, pocket.y - y);
    const pockets = this.#table?.pockets ?? [];
    const nearest = [...pockets].sort((a, b) => distance(a) - distance(b))[0];
    if (!nearest) return;
    const g = this.#g;
    this.#disc(nearest.x, nearest.y, this.#table.pocket_radius);
    g.strokeStyle = "#56d1b4";
    g.lineWidth = this.#hair(1.6);
    g.stroke();
  }

  #paintGhosts(trajectory) {
    const g = this.#g;
    const radius = this.ballRadius;
    g.strokeStyle = "#fff";
    g.lineWidth = this.#hair(0.8);
    for (const { position } of trajectory.ghost_balls) {
      this.#disc(position.x, position.y, radius);
      g.fillStyle = "rgba(255,255,255,.14)";
      g.fill();
      g.setLineDash([0.35 * radius * this.#scale, 0.25 * radius * this.#scale]);
      g.stroke();
      g.setLineDash([]);
    }
  }

  /** Of the balls painted last, metres. */
  ballRadius = 0.028;

  #paintTrail(ball) {
    const g = this.#g;
    const trail = ball.trail;
    if (trail.length < 2) return;
    const color = ball.id === "cue" ? "#ffffff" : ball.color;
    const fade = g.createLinearGradient(...this.#px(...trail[0]), ...this.#px(ball.x, ball.y));
    fade.addColorStop(0, `${color}00`);
    fade.addColorStop(1, `${color}70`);
    g.lineCap = "butt";
    g.lineJoin = "round";
    g.strokeStyle = fade;
    g.lineWidth = 1.3 * ball.radius * this.#scale;
    this.#path(trail);
    g.stroke();
  }

  #paintShadow(ball) {
    const g = this.#g;
    const [x, y] = this.#px(ball.x, ball.y);
    const r = ball.radius * this.#scale;
    const [dx, dy] = [0.22 * r, 0.28 * r];
    const shadow = g.createRadialGradient(x + dx, y + dy, 0.5 * r, x + dx, y + dy, 1.35 * r);
    shadow.addColorStop(0, "rgba(0,0,0,.5)");
    shadow.addColorStop(1, "rgba(0,0,0,0)");
    g.fillStyle = shadow;
    g.beginPath();
    g.arc(x + dx, y + dy, 1.35 * r, 0, 2 * Math.PI);
    g.fill();
  }

  #paintBall(ball) {
    const g = this.#g;
    this.ballRadius = ball.radius;
    const sprite = ballSprite(ball, ball.radius * this.#scale);
    const [x, y] = this.#px(ball.x, ball.y);
    g.globalAlpha = ball.visible ? 1 : 0.5;
    g.drawImage(sprite, x - sprite.width / 2, y - sprite.height / 2);
    g.globalAlpha = 1;
    if (!ball.visible) {
      // Believed to be here, but not seen now.
      this.#disc(ball.x, ball.y, 1.1 * ball.radius);
      g.strokeStyle = "rgba(255,255,255,.7)";
      g.lineWidth = this.#hair(0.6);
      g.setLineDash([3, 3]);
      g.stroke();
      g.setLineDash([]);
    }
  }

  /** A tapered shaft, its shadow, the white ferrule and the blue leather. */
  #paintCue({ tip, butt }) {
    const g = this.#g;
    const length = Math.hypot(tip.x - butt.x, tip.y - butt.y);
    if (length < 0.02) return;
    const [ux, uy] = [(tip.x - butt.x) / length, (tip.y - butt.y) / length];
    const at = (along, across) => [tip.x - ux * along - uy * across, tip.y - uy * along + ux * across];
    // 13 mm at the tip, 29 mm at the end of a whole stick of 1.47 m.
    const half = (along) => 0.0065 + (0.008 * along) / 1.47;
    const part = (from, to) => [at(from, half(from)), at(to, half(to)), at(to, -half(to)), at(from, -half(from))];
    const fill = (points, style) => {
      this.#path(points);
      g.closePath();
      g.fillStyle = style;
      g.fill();
    };
    g.save();
    g.translate(0.012 * this.#scale, 0.02 * this.#scale);
    fill(part(0, length), "rgba(0,0,0,.35)");
    g.restore();
    const shaft = g.createLinearGradient(...this.#px(...at(0, 0)), ...this.#px(...at(length, 0)));
    shaft.addColorStop(0, "#ecd3a0");
    shaft.addColorStop(0.55, "#d6a967");
    shaft.addColorStop(0.75, "#6f3d22");
    shaft.addColorStop(1, "#33190f");
    fill(part(0, length), shaft);
    const ferrule = Math.min(0.03, length);
    fill(part(0, ferrule), "#f7f3e8");
    fill(part(0, Math.min(0.01, length)), "#3f7fd0");
  }
}
