// Cards and messages as elements. A card is built anew for each state; what the person has
// unfolded stays unfolded, and buttons that did not change stay as they are, focus and all.

import { code, markdown } from "/markdown.js";
import { make, timeOf, words } from "/words.js";

const STEP_MARK = { running: "◌", done: "✓", failed: "✕", said: "›" };

/** Fills `element` with a card. `tap(action, say)` is called when a button is pressed. */
export function fillCard(element, view, at, tap) {
  const open = new Set([...element.querySelectorAll("details[open]")].map((one) => one.dataset.block));
  const shut = new Set([...element.querySelectorAll("details:not([open])")].map((one) => one.dataset.block));
  element.className = `card tone-${view.tone || "plain"}`;
  const tone = words.tone[view.tone] || "";
  const title = make("h2", "", view.title || "");
  const mark = make("span", "mark");
  mark.setAttribute("aria-hidden", "true");
  const head = make("header", "card-head", mark, title);
  if (tone) head.append(make("span", "unseen", tone));
  head.append(timeOf(at));
  const body = make("div", "card-body");
  (view.blocks || []).forEach((block, index) => {
    const node = fillBlock(block);
    if (node instanceof HTMLDetailsElement) {
      node.dataset.block = String(index);
      if (open.has(node.dataset.block)) node.open = true;
      else if (shut.has(node.dataset.block)) node.open = false;
    }
    if (node) body.append(node);
  });
  const buttons = view.buttons || [];
  const same = JSON.stringify(buttons);
  const kept = buttons.length ? element.querySelector(":scope > .buttons") : null;
  const row = kept?.dataset.buttons === same ? kept : null;
  for (const child of [...element.children]) if (child !== row) child.remove();
  element.prepend(head, body);
  if (buttons.length && !row) {
    const fresh = buttonRow(buttons, tap);
    fresh.dataset.buttons = same;
    element.append(fresh);
  }
  if (view.footer) element.append(make("footer", "card-foot", view.footer));
}

function fillBlock(block) {
  switch (block.kind) {
    case "markdown": return make("div", "md", markdown(block.text));
    case "plain": return make("p", "plain-text", block.text);
    case "code": return code(block.text.replace(/\n$/, ""), block.lang);
    case "steps": return steps(block);
    case "fields": return fields(block.rows);
    // A newer program may know more kinds; better nothing than a broken card.
    default: return null;
  }
}

function steps(block) {
  const list = make("ul", "steps");
  for (const step of block.steps) {
    const mark = make("span", "step-mark", STEP_MARK[step.state] || "·");
    mark.setAttribute("aria-hidden", "true");
    const state = words.step[step.state];
    list.append(make("li", `step-${step.state}`, mark, make("span", "", step.text), state ? make("span", "unseen", state) : ""));
  }
  if (!block.folded) return list;
  const count = block.steps.length;
  return make("details", "fold", make("summary", "", count === 1 ? words.oneStep : words.steps(count)), list);
}

function fields(rows) {
  const list = make("dl", "fields");
  for (const [name, value] of rows) list.append(make("dt", "", name), make("dd", "", value));
  return list;
}

function buttonRow(buttons, tap) {
  const row = make("div", "buttons");
  const trouble = make("p", "trouble");
  trouble.setAttribute("role", "alert");
  const all = buttons.map((button) => {
    const element = make("button", `button ${button.style || "normal"}`, button.label);
    element.type = "button";
    element.addEventListener("click", async () => {
      const say = (text) => { trouble.textContent = text || ""; };
      say("");
      // One answer only; the card's next state brings new buttons.
      for (const one of all) one.disabled = true;
      element.setAttribute("aria-busy", "true");
      const { wrong, note } = await tap(button.action, say);
      element.removeAttribute("aria-busy");
      trouble.classList.toggle("wrong", Boolean(wrong));
      say(wrong || note);
      const again = () => { for (const one of all) one.disabled = false; };
      if (wrong) again();
      // Taken, and still the same card: whoever carries it out may be away, so it can be repeated.
      else setTimeout(again, 15000);
    });
    return element;
  });
  row.append(...all, trouble);
  return row;
}

/** The person's own message. */
export function mine(text, at, files = []) {
  const bubble = make("div", "mine");
  if (text) bubble.append(make("p", "", text));
  for (const one of files) bubble.append(fileLink(one));
  if (at) bubble.append(timeOf(at));
  return bubble;
}

/** A short message of its own. */
export function notice(text, at) {
  return make("div", "notice", make("p", "", text), timeOf(at));
}

/** A file from a machine. */
export function file(one, at) {
  return make("div", "notice", fileLink(one), timeOf(at));
}

function fileLink(one) {
  const link = make("a", "file");
  link.href = `${one.url}?${new URLSearchParams({ name: one.name })}`;
  if (one.image) {
    const picture = make("img", "picture");
    picture.src = link.href;
    picture.alt = one.name;
    picture.loading = "lazy";
    link.target = "_blank";
    link.rel = "noopener";
    link.append(picture);
  } else {
    link.download = one.name;
    link.append(`${one.name} (${sizeOf(one.bytes)})`);
  }
  return link;
}

function sizeOf(bytes) {
  const units = ["B", "KB", "MB", "GB"];
  let at = 0;
  let size = bytes;
  while (size >= 1000 && at < units.length - 1) {
    size /= 1000;
    at += 1;
  }
  return `${at && size < 10 ? size.toFixed(1) : Math.floor(size)} ${units[at]}`;
}
