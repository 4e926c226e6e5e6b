// The WebSocket: opens it, opens it again when it breaks, and tells the clocks of both ends apart.

const PATH = "/api/v1/ws?coords=metres&subscribe=state,trajectory,alert";
const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 15000;
const PING_EVERY_MS = 2000;
// The server sends a state every half second and answers every ping: silence means that the line is dead.
const SILENCE_MS = 6000;

export class Connection {
  #socket = null;
  #tries = 0;
  #retry = 0;
  #lastHeardAt = 0;
  #pingSentAt = 0;
  #handlers;

  /** Server clock minus this one, milliseconds; null before the first pong. */
  clockOffsetMs = null;
  /** To the server and back, milliseconds; null before the first pong. */
  roundTripMs = null;

  /** handlers: `message(type, data)`, `status(state, retryInMs)` with state connecting, open or lost. */
  constructor(handlers) {
    this.#handlers = handlers;
    setInterval(() => this.#tick(), PING_EVERY_MS);
    addEventListener("online", () => this.#openNow());
    document.addEventListener("visibilitychange", () => document.hidden || this.#openNow());
  }

  open() {
    clearTimeout(this.#retry);
    this.#handlers.status("connecting");
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${PATH}`);
    this.#socket = socket;
    this.#lastHeardAt = performance.now();
    socket.onopen = () => {
      this.#handlers.status("open");
      this.#ping();
    };
    socket.onmessage = (event) => this.#receive(event);
    socket.onclose = () => socket === this.#socket && this.#lose();
  }

  #openNow() {
    if (this.#socket === null) {
      this.#tries = 0;
      this.open();
    }
  }

  #lose() {
    this.#socket = null;
    this.roundTripMs = null;
    const longest = Math.min(FIRST_PAUSE_MS * 2 ** this.#tries, LONGEST_PAUSE_MS);
    // Spread, so that a server that starts again is not met by all its clients at once.
    const pause = longest * (0.5 + 0.5 * Math.random());
    this.#tries += 1;
    this.#handlers.status("lost", pause);
    this.#retry = setTimeout(() => this.open(), pause);
  }

  #receive(event) {
    this.#lastHeardAt = performance.now();
    let message;
    try {
      message = JSON.parse(event.data);
    } catch {
      return;
    }
    if (typeof message.data !== "object" || message.data === null) return;
    this.#tries = 0;
    if (message.type === "pong") this.#compareClocks(message.data);
    else this.#handlers.message(message.type, message.data);
  }

  #compareClocks(pong) {
    this.roundTripMs = performance.now() - this.#pingSentAt;
    const offset = Date.parse(pong.timestamp) - (Date.now() - this.roundTripMs / 2);
    const known = this.clockOffsetMs;
    this.clockOffsetMs = known === null || Math.abs(offset - known) > 1000 ? offset : known + 0.2 * (offset - known);
  }

  #ping() {
    this.#pingSentAt = performance.now();
    this.#socket.send(JSON.stringify({ type: "ping", timestamp: new Date().toISOString(), data: {}, sequence: 0 }));
  }

  #tick() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    if (performance.now() - this.#lastHeardAt > SILENCE_MS) {
      this.#socket.onclose = null;
      this.#socket.close();
      this.#lose();
    } else {
      this.#ping();
    }
  }
}
