// The page: puts what `wire` brings where it belongs, and hands what the person does to it.

import { file, fillCard, mine, notice } from "/cards.js";
import { Follower, Outbox, newId, sendTap, upload } from "/wire.js";
import { lang, make, words } from "/words.js";

/** As many items as the server keeps. */
const MOST_ITEMS = 500;

const $ = (id) => document.getElementById(id);
const scroll = $("scroll");
const items = $("items");
const field = $("text");

/** Shown items: by place `{seq, element, item}`, and cards by id. */
const shown = new Map();
const cards = new Map();
/** Ids of own messages that the timeline has. */
const known = new Set();
/** Own messages not on the timeline yet, by id. */
const waiting = new Map();
let ready = false;

function wordsIntoPage() {
  document.documentElement.lang = lang;
  $("label").textContent = words.message;
  field.placeholder = words.message;
  $("send").setAttribute("aria-label", words.send);
  $("attach").setAttribute("aria-label", words.attach);
  $("hint").textContent = words.hint;
  $("empty").textContent = words.empty;
  scroll.setAttribute("aria-label", words.timeline);
}

const atEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
const toEnd = () => { scroll.scrollTop = scroll.scrollHeight; };

/** Changes the page and stays at the end if it was there; else says that there is more. */
function changing(work, isNew) {
  const follow = atEnd();
  work();
  if (follow) toEnd();
  else if (isNew && ready) showDown(words.newBelow);
  $("empty").hidden = !ready || shown.size + waiting.size > 0;
}

function showDown(label) {
  $("down").textContent = `↓ ${label}`;
  $("down").hidden = false;
}

function announce(text) {
  if (ready && text) $("announce").textContent = text;
}

function place(pos, element) {
  element.dataset.pos = String(pos);
  let before = items.lastElementChild;
  // Waiting messages stay at the end.
  while (before && (!before.dataset.pos || Number(before.dataset.pos) > pos)) before = before.previousElementSibling;
  if (before) before.after(element);
  else items.prepend(element);
}

function put(entry) {
  const { pos, seq, item } = entry;
  const old = shown.get(pos);
  if (old && old.seq >= seq) return;
  if (item.kind === "card") {
    putCard(entry, old);
    return;
  }
  if (old) return;
  const isMine = item.kind === "mine";
  const element = make("li", "item", shape(item));
  if (isMine) {
    known.add(item.id);
    waiting.get(item.id)?.remove();
    waiting.delete(item.id);
  } else {
    announce(item.kind === "file" ? item.file.name : item.text);
  }
  place(pos, element);
  shown.set(pos, { seq, element });
}

function shape(item) {
  if (item.kind === "mine") return mine(item.text, item.at, item.files);
  if (item.kind === "file") return file(item.file, item.at);
  return notice(item.text, item.at);
}

function putCard({ pos, seq, item }, old) {
  // A card that was dropped from the top may come again at the end.
  const before = cards.get(item.card);
  if (before && before.pos !== pos) {
    before.element.remove();
    shown.delete(before.pos);
  }
  const article = old ? cards.get(item.card).article : make("article", "card");
  const element = old ? old.element : make("li", "item", article);
  const toneChanged = before?.view.tone !== item.view.tone;
  const card = { pos, element, article, rev: item.rev, n: -1, view: item.view, at: item.at };
  cards.set(item.card, card);
  shown.set(pos, { seq, element });
  draw(item.card);
  if (!old) place(pos, element);
  if (!old || toneChanged) announce(`${item.view.title} ${words.tone[item.view.tone] || ""}`);
}

function draw(id) {
  const card = cards.get(id);
  fillCard(card.article, card.view, card.at, (action, say) => sendTap(id, action, say));
}

/** A card in between: drawn at most once a frame, and not under the person's selection. */
function preview(told) {
  const card = cards.get(told.card);
  if (!card || card.rev !== told.rev || told.n <= card.n) return;
  card.n = told.n;
  card.view = told.view;
  if (card.drawing) return;
  card.drawing = true;
  requestAnimationFrame(() => {
    card.drawing = false;
    const selection = getSelection();
    const selected = selection && !selection.isCollapsed && card.article.contains(selection.anchorNode);
    // The card may have got a newer state meanwhile, which drew itself.
    if (cards.get(told.card) === card && !selected) changing(() => draw(told.card), false);
  });
}

function prune() {
  const places = [...shown.keys()].sort((a, b) => a - b);
  for (const pos of places.slice(0, Math.max(0, places.length - MOST_ITEMS))) {
    shown.get(pos).element.remove();
    shown.delete(pos);
  }
  for (const [id, card] of cards) if (!shown.has(card.pos)) cards.delete(id);
}

function showWaiting() {
  const list = outbox.list();
  for (const one of list) {
    if (known.has(one.id)) continue;
    const element = waiting.get(one.id) || make("li", "item");
    const bubble = mine(one.text, null, one.files);
    bubble.classList.add(one.error ? "failed" : "pending");
    const state = make("p", "sending", one.error || words.pending);
    if (one.error) {
      const discard = make("button", "link", words.discard);
      discard.type = "button";
      discard.addEventListener("click", () => outbox.discard(one.id));
      state.append(" ", discard);
    }
    bubble.append(state);
    element.replaceChildren(bubble);
    if (!element.isConnected) items.append(element);
    waiting.set(one.id, element);
  }
  for (const [id, element] of waiting) {
    const gone = !list.some((one) => one.id === id);
    // Confirmed and not on the timeline yet: it will be in a moment. Discarded: away with it.
    if (gone && element.querySelector(".failed")) {
      element.remove();
      waiting.delete(id);
    } else if (gone) {
      element.querySelector(".sending")?.remove();
      element.querySelector(".pending")?.classList.remove("pending");
    }
  }
}

function setState(name) {
  const state = $("state");
  state.dataset.state = name;
  state.textContent = words[name];
  const out = name === "loggedOut";
  $("hint").classList.toggle("alert", out);
  $("hint").textContent = out ? words.loggedOutHelp : words.hint;
}

const outbox = new Outbox({ changed: () => changing(showWaiting, false), state: setState });
wordsIntoPage();
setState("connecting");
changing(showWaiting, false);

new Follower({
  state: (name) => {
    setState(name);
    if (name === "connected") outbox.flush();
  },
  reset: () => {
    for (const { element } of shown.values()) element.remove();
    shown.clear();
    cards.clear();
    known.clear();
  },
  entries: (entries) => changing(() => {
    entries.forEach(put);
    prune();
  }, true),
  preview,
  caughtUp: () => {
    const first = !ready;
    ready = true;
    changing(() => {}, false);
    if (first) toEnd();
  },
});

function send() {
  const text = field.value.trim();
  if (!text) return;
  field.value = "";
  fit();
  outbox.add(text);
  toEnd();
}

/** The most files in one message. */
const MOST_FILES = 20;

/** Uploads files, then sends them as one message with what is in the field. */
async function attach(all) {
  const files = all.slice(0, MOST_FILES);
  const sent = [];
  $("attach").disabled = true;
  for (const one of files) {
    $("hint").textContent = words.uploading(one.name);
    const id = newId();
    const { bytes, error } = await upload(id, one);
    if (bytes === undefined) {
      $("hint").textContent = error || words.uploadFailed(one.name);
      $("attach").disabled = false;
      return;
    }
    const image = ["image/png", "image/jpeg", "image/gif", "image/webp"].includes(one.type);
    sent.push({ id, name: one.name, bytes, image, url: `/api/files/${id}` });
  }
  $("hint").textContent = all.length > files.length ? words.tooManyFiles(MOST_FILES) : words.hint;
  $("attach").disabled = false;
  const text = field.value.trim();
  field.value = "";
  fit();
  outbox.add(text, sent);
  toEnd();
}

$("attach").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => {
  const files = [...$("file").files];
  $("file").value = "";
  if (files.length) attach(files);
});

/** The field grows with its text, up to a third of the page. */
function fit() {
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight + 2, innerHeight / 3)}px`;
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
field.addEventListener("input", fit);
field.addEventListener("keydown", (event) => {
  // While an input method composes, Enter belongs to it.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  send();
});
// Keyboards and turned phones change the size, which moves the content; whoever was at the end
// stays there. So only a scroll at an unchanged size is one of the person's.
let size = [scroll.clientWidth, scroll.clientHeight];
let wasAtEnd = true;
scroll.addEventListener("scroll", () => {
  if (size[0] !== scroll.clientWidth || size[1] !== scroll.clientHeight) return;
  wasAtEnd = atEnd();
  if (wasAtEnd) $("down").hidden = true;
  else if ($("down").hidden) showDown(words.toEnd);
}, { passive: true });
new ResizeObserver(() => {
  size = [scroll.clientWidth, scroll.clientHeight];
  if (wasAtEnd) toEnd();
}).observe(scroll);
$("down").addEventListener("click", () => {
  toEnd();
  $("down").hidden = true;
});
