// The page's connection: follows the timeline, sends messages until they are safe, sends taps.
// Nothing here touches the page itself.

import { lang, words } from "/words.js";

/** Where unsent messages outlive the page. */
const OUTBOX = "phonework.outbox";
/** Three beats without a word: the connection is dead, whatever the browser thinks. */
const SILENCE = 45000;
const LONGEST_PAUSE = 15000;
const SEND_TIME = 10000;

/** A new id, also where the page has no secure address. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function pauseAfter(failures) {
  const longest = Math.min(500 * 2 ** failures, LONGEST_PAUSE);
  return longest * (0.5 + Math.random() / 2);
}

async function post(path, body) {
  const cut = new AbortController();
  const timer = setTimeout(() => cut.abort(), SEND_TIME);
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...body, lang }),
      signal: cut.signal,
    });
    const said = await answer.json().catch(() => ({}));
    return { status: answer.status, error: said.error, kept: said.kept };
  } catch {
    return { status: 0 };
  } finally {
    clearTimeout(timer);
  }
}

/** Follows the timeline. `on` holds `state`, `reset`, `entries`, `preview`, `caughtUp`. */
export class Follower {
  #on;
  #store = "";
  #last = 0;
  #failures = 0;
  #heard = 0;
  #socket = null;
  #timer = null;

  constructor(on) {
    this.#on = on;
    setInterval(() => this.#check(), 5000);
    addEventListener("online", () => this.now());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.now();
    });
    this.#connect();
  }

  /** Connects at once if there is no connection. */
  now() {
    if (this.#socket) {
      this.#check();
      return;
    }
    this.#failures = 0;
    clearTimeout(this.#timer);
    this.#connect();
  }

  #connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const from = new URLSearchParams({ store: this.#store, after: String(this.#last) });
    const socket = new WebSocket(`${scheme}://${location.host}/api/follow?${from}`);
    this.#socket = socket;
    this.#heard = Date.now();
    socket.addEventListener("message", (event) => {
      if (socket !== this.#socket) return;
      this.#heard = Date.now();
      this.#take(JSON.parse(event.data));
    });
    socket.addEventListener("close", () => {
      if (socket === this.#socket) this.#lost();
    });
  }

  #take(told) {
    switch (told.type) {
      case "hello":
        // Another timeline, or the first: its numbers mean something else.
        if (told.store !== this.#store) {
          this.#store = told.store;
          this.#last = 0;
          this.#on.reset();
        }
        break;
      case "entries":
        for (const entry of told.entries) this.#last = Math.max(this.#last, entry.seq);
        this.#on.entries(told.entries);
        break;
      case "preview":
        this.#on.preview(told);
        break;
      case "caught_up":
        this.#failures = 0;
        this.#on.state("connected");
        this.#on.caughtUp();
        break;
      default: // a beat
    }
  }

  #check() {
    if (this.#socket && Date.now() - this.#heard > SILENCE) {
      const dead = this.#socket;
      this.#lost();
      dead.close();
    }
  }

  async #lost() {
    this.#socket = null;
    this.#on.state("waiting");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), pauseAfter(this.#failures));
    this.#failures += 1;
    // A refused socket does not say why; the page does.
    const answer = await fetch("/", { method: "HEAD" }).catch(() => null);
    if (answer?.status === 401) this.#on.state("loggedOut");
  }
}

/** Messages on their way: kept until the server has confirmed each, sent one after the other. */
export class Outbox {
  #on;
  #busy = false;
  #failures = 0;
  #timer = null;

  /** `on` holds `changed`, and `state` for a lost login. */
  constructor(on) {
    this.#on = on;
    addEventListener("online", () => this.flush());
    addEventListener("storage", (event) => {
      if (event.key === OUTBOX) this.#on.changed();
    });
  }

  /** What is not confirmed yet, oldest first: `{id, text, files, error?}`. */
  list() {
    try {
      const kept = JSON.parse(localStorage.getItem(OUTBOX) || "[]");
      return Array.isArray(kept) ? kept : [];
    } catch {
      return [];
    }
  }

  add(text, files = []) {
    this.#keep([...this.list(), { id: newId(), text, files }]);
    this.flush();
  }

  discard(id) {
    this.#keep(this.list().filter((one) => one.id !== id));
  }

  /** Sends what waits. The id stays the same over all tries, so a repeat is recognised. */
  async flush() {
    clearTimeout(this.#timer);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (;;) {
        const next = this.list().find((one) => !one.error);
        if (!next) return;
        const { status, error } = await post("/api/messages", { id: next.id, text: next.text, files: next.files || [] });
        if (status === 202) {
          this.#failures = 0;
          this.discard(next.id);
        } else if (status === 400 || status === 413 || status === 422) {
          this.#keep(this.list().map((one) => (one.id === next.id ? { ...one, error: error || words.failed } : one)));
        } else {
          if (status === 401) this.#on.state("loggedOut");
          this.#timer = setTimeout(() => this.flush(), pauseAfter(this.#failures));
          this.#failures += 1;
          return;
        }
      }
    } finally {
      this.#busy = false;
    }
  }

  #keep(list) {
    localStorage.setItem(OUTBOX, JSON.stringify(list));
    this.#on.changed();
  }
}

/** Uploads a file under an id: its size in `bytes`, or what went wrong. */
export async function upload(id, file) {
  try {
    const answer = await fetch(`/api/files/${id}`, { method: "POST", body: file });
    return await answer.json();
  } catch {
    return {};
  }
}

/** How long a tap is tried: long enough for a program that is started again. */
const TAP_TIME = 120000;

/**
 * Sends a tap until it is safe, under one id; `waiting` is called when that takes longer. Returns
 * what went `wrong`, or a `note` on what becomes of it, if there is something to say.
 */
export async function sendTap(card, action, waiting) {
  const id = newId();
  const until = Date.now() + TAP_TIME;
  for (let tries = 0; ; tries += 1) {
    const { status, error, kept } = await post("/api/taps", { id, card, action });
    if (status === 202) return { note: kept };
    const passes = status === 0 || status === 503;
    if (!passes || Date.now() > until) return { wrong: error || words.tapFailed };
    waiting(words.pending);
    await new Promise((done) => setTimeout(done, pauseAfter(Math.min(tries, 2))));
  }
}
