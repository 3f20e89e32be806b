// Markdown into DOM nodes. Text becomes text nodes only, so nothing in it can become markup or
// script; links lead to http and https only. What it does not know is shown as it is written.

import { make, words } from "/words.js";

/** Nesting of quotes, lists and emphasis beyond this is shown as plain text. */
const DEEPEST = 10;
/** A paragraph longer than this is shown without emphasis: looking for it would take too long. */
const LONGEST = 20000;

const FENCE = /^( {0,3})(`{3,}|~{3,})[ \t]*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])(?:[ \t]+(.*))?$/;
const TABLE_LINE = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

/** The nodes of a Markdown text. */
export function markdown(text) {
  const out = document.createDocumentFragment();
  blocks(text.replace(/\r\n?/g, "\n").split("\n"), out, 0);
  return out;
}

/** A code block with its language and a button that copies it. */
export function code(text, language) {
  const copy = make("button", "copy", words.copy);
  copy.type = "button";
  copy.addEventListener("click", async () => {
    await copyText(text);
    copy.textContent = words.copied;
    setTimeout(() => { copy.textContent = words.copy; }, 1500);
  });
  const body = make("code", "");
  if (language === "diff" || language === "patch") {
    for (const line of text.split("\n")) body.append(make("span", diffClass(line), `${line}\n`));
  } else {
    body.append(text);
  }
  const pre = make("pre", "", body);
  pre.tabIndex = 0;
  return make("div", "code", make("div", "code-bar", make("span", "", language || ""), copy), pre);
}

function diffClass(line) {
  if (line.startsWith("@@")) return "hunk";
  if (line.startsWith("+")) return "added";
  if (line.startsWith("-")) return "removed";
  return "same";
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without a secure address there is no clipboard; the old way still works.
    const field = make("textarea", "unseen");
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
}

function blocks(lines, out, depth) {
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    const fence = FENCE.exec(line);
    if (line.trim() === "") {
      at += 1;
    } else if (fence) {
      at = fenced(lines, at, fence, out);
    } else if (HEADING.test(line)) {
      const [, marks, text] = HEADING.exec(line);
      // The card's title is an h2.
      const heading = make(`h${Math.min(marks.length + 2, 6)}`, "");
      inline(text || "", heading, depth);
      out.append(heading);
      at += 1;
    } else if (RULE.test(line)) {
      out.append(make("hr", ""));
      at += 1;
    } else if (QUOTE.test(line) && depth < DEEPEST) {
      const quoted = [];
      while (at < lines.length && QUOTE.test(lines[at])) quoted.push(lines[at++].replace(QUOTE, ""));
      const quote = make("blockquote", "");
      blocks(quoted, quote, depth + 1);
      out.append(quote);
    } else if (ITEM.test(line) && depth < DEEPEST) {
      at = list(lines, at, out, depth);
    } else if (line.includes("|") && at + 1 < lines.length && lines[at + 1].includes("-") && TABLE_LINE.test(lines[at + 1])) {
      at = table(lines, at, out, depth);
    } else {
      at = paragraph(lines, at, out, depth);
    }
  }
}

function fenced(lines, start, [, indent, marks, info], out) {
  const closing = new RegExp(`^ {0,3}\\${marks[0]}{${marks.length},}[ \\t]*$`);
  const text = [];
  let at = start + 1;
  // A block that is not closed (yet) goes to the end.
  while (at < lines.length && !closing.test(lines[at])) {
    const line = lines[at++];
    text.push(line.startsWith(indent) ? line.slice(indent.length) : line.trimStart());
  }
  out.append(code(text.join("\n"), info.trim().split(/\s+/)[0]));
  return at + 1;
}

function list(lines, start, out, depth) {
  const [, indent, marker] = ITEM.exec(lines[start]);
  const ordered = /\d/.test(marker);
  const element = make(ordered ? "ol" : "ul", "");
  if (ordered) element.start = Number.parseInt(marker, 10);
  let at = start;
  while (at < lines.length) {
    const found = ITEM.exec(lines[at]);
    const same = found && found[1].length === indent.length && /\d/.test(found[2]) === ordered && !RULE.test(lines[at]);
    if (!same) break;
    const inner = [found[3] || ""];
    // A little less than the text's own column: models are careless with it.
    const column = indent.length + Math.min(found[2].length + 1, 2);
    at += 1;
    while (at < lines.length) {
      const line = lines[at];
      const width = line.length - line.trimStart().length;
      if (line.trim() === "") {
        const next = lines.slice(at + 1).find((later) => later.trim() !== "");
        const goesOn = next !== undefined && next.length - next.trimStart().length >= column;
        if (!goesOn) break;
        inner.push("");
      } else if (width >= column) {
        inner.push(line.slice(Math.min(width, indent.length + found[2].length + 1)));
      } else if (ITEM.test(line) || startsBlock(line)) {
        break;
      } else {
        inner.push(line);
      }
      at += 1;
    }
    element.append(item(inner, depth));
    // Empty lines between items do not end the list.
    let next = at;
    while (next < lines.length && lines[next].trim() === "") next += 1;
    const after = next < lines.length ? ITEM.exec(lines[next]) : null;
    if (after && after[1].length === indent.length) at = next;
  }
  out.append(element);
  return at;
}

function item(inner, depth) {
  const element = make("li", "");
  const task = /^\[([ xX])\][ \t]+/.exec(inner[0]);
  if (task) {
    inner[0] = inner[0].slice(task[0].length);
    element.className = "task";
    element.append(make("span", "box", task[1] === " " ? "☐ " : "☑ "));
  }
  blocks(inner, element, depth + 1);
  // An item of one paragraph needs no space around it.
  const only = [...element.children].filter((child) => child.tagName === "P");
  if (only.length === 1) only[0].replaceWith(...only[0].childNodes);
  return element;
}

function startsBlock(line) {
  return FENCE.test(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line);
}

function table(lines, start, out, depth) {
  const aligns = cells(lines[start + 1]).map((cell) => {
    const mark = cell.trim();
    if (mark.endsWith(":")) return mark.startsWith(":") ? "center" : "right";
    return "";
  });
  const row = (line, tag) => {
    const found = cells(line);
    const element = make("tr", "");
    aligns.forEach((align, index) => {
      const cell = make(tag, align);
      inline(found[index]?.trim() || "", cell, depth);
      element.append(cell);
    });
    return element;
  };
  const body = make("tbody", "");
  let at = start + 2;
  while (at < lines.length && lines[at].includes("|") && lines[at].trim() !== "") body.append(row(lines[at++], "td"));
  const around = make("div", "table", make("table", "", make("thead", "", row(lines[start], "th")), body));
  around.tabIndex = 0;
  out.append(around);
  return at;
}

function cells(line) {
  const found = [""];
  let quoted = false;
  const text = line.trim().replace(/^\|/, "").replace(/([^\\])\|$/, "$1");
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === "\\" && text[at + 1] === "|") {
      found[found.length - 1] += "|";
      at += 1;
    } else if (text[at] === "|" && !quoted) {
      found.push("");
    } else {
      if (text[at] === "`") quoted = !quoted;
      found[found.length - 1] += text[at];
    }
  }
  return found;
}

function paragraph(lines, start, out, depth) {
  let at = start + 1;
  while (at < lines.length && lines[at].trim() !== "" && !startsBlock(lines[at]) && !(ITEM.test(lines[at]) && lines[at].trim().length > 1)) {
    const next = lines[at + 1];
    if (lines[at].includes("|") && next !== undefined && next.includes("|") && TABLE_LINE.test(next)) break;
    at += 1;
  }
  const element = make("p", "");
  inline(lines.slice(start, at).map((line) => line.trim()).join("\n"), element, depth);
  out.append(element);
  return at;
}

function inline(text, out, depth) {
  let plain = "";
  const flush = () => {
    // A line break is one: people and models mean it so in a chat.
    plain.split("\n").forEach((line, index) => {
      if (index > 0) out.append(make("br", ""));
      if (line) out.append(line);
    });
    plain = "";
  };
  if (text.length > LONGEST || depth > DEEPEST) {
    plain = text;
    flush();
    return;
  }
  let at = 0;
  while (at < text.length) {
    const found = span(text, at, depth);
    if (found) {
      flush();
      if (found.node) out.append(found.node);
      at = found.end;
    } else if (text[at] === "\\" && /[!-/:-@[-`{-~]/.test(text[at + 1] || "")) {
      plain += text[at + 1];
      at += 2;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  flush();
}

/** What begins at `at`, if it is more than a character. */
function span(text, at, depth) {
  switch (text[at]) {
    case "`": return codeSpan(text, at);
    case "!": return text[at + 1] === "[" ? link(text, at + 1, depth) : null;
    case "[": return link(text, at, depth);
    case "<": return bare(/^<(https?:\/\/[^\s<>]+)>/, text, at);
    case "h": return /\w/.test(text[at - 1] || "") ? null : bare(/^(https?:\/\/[^\s<>"'`*（），。；、]*[^\s<>"'`*（），。；、.,;:!?)\]])/, text, at);
    case "*":
    case "_":
      return emphasis(text, at, text[at].repeat(2), "strong", depth) || emphasis(text, at, text[at], "em", depth);
    case "~": return emphasis(text, at, "~~", "del", depth);
    default: return null;
  }
}

function codeSpan(text, at) {
  const marks = /^`+/.exec(text.slice(at, at + 40))[0];
  let end = text.indexOf(marks, at + marks.length);
  while (end >= 0 && text[end + marks.length] === "`") {
    while (text[end] === "`") end += 1;
    end = text.indexOf(marks, end);
  }
  if (end < 0) return null;
  const inner = text.slice(at + marks.length, end).replace(/^ (.*) $/s, "$1");
  return { node: make("code", "inline", inner), end: end + marks.length };
}

function emphasis(text, at, marks, tag, depth) {
  if (!text.startsWith(marks, at)) return null;
  const first = text[at + marks.length];
  if (first === undefined || /\s/.test(first) || (marks.length === 1 && first === marks)) return null;
  const word = marks[0] === "_";
  if (word && /[\p{L}\p{N}_]/u.test(text[at - 1] || "")) return null;
  let end = text.indexOf(marks, at + marks.length + 1);
  for (; end >= 0; end = text.indexOf(marks, end + 1)) {
    const doubled = marks.length === 1 && (text[end + 1] === marks || text[end - 1] === marks);
    const inWord = word && /[\p{L}\p{N}_]/u.test(text[end + marks.length] || "");
    if (!/\s/.test(text[end - 1]) && text[end - 1] !== "\\" && !doubled && !inWord) break;
  }
  if (end < 0) return null;
  const node = make(tag, "");
  inline(text.slice(at + marks.length, end), node, depth + 1);
  return { node, end: end + marks.length };
}

function link(text, at, depth) {
  const found = /^\[((?:[^[\]\\\n]|\\.|\[[^[\]\n]*\])*)\]\(\s*<?([^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)>?(?:\s+"[^"\n]*")?\s*\)/.exec(text.slice(at, at + 3000));
  if (!found) return null;
  const [whole, label, address] = found;
  const end = at + whole.length;
  const node = anchor(address);
  // A link to anything else is shown as it is written.
  if (!node) return null;
  inline(label || address, node, depth + 1);
  return { node, end };
}

function bare(pattern, text, at) {
  const found = pattern.exec(text.slice(at, at + 3000));
  const node = found && anchor(found[1]);
  if (!node) return null;
  node.append(found[1]);
  return { node, end: at + found[0].length };
}

function anchor(address) {
  if (!/^https?:\/\/[^\s]+$/i.test(address)) return null;
  const node = make("a", "");
  node.href = address;
  node.target = "_blank";
  node.rel = "noopener noreferrer";
  return node;
}
