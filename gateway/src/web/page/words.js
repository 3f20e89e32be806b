// The page's own few words, in the browser's language. What nodes and router say comes in the
// language they chose.

const WORDS = {
  en: {
    connecting: "Connecting…",
    connected: "Connected",
    waiting: "No connection; trying again…",
    loggedOut: "Logged out",
    loggedOutHelp: "You are logged out. Open the newest login link that PhoneWork printed in its terminal.",
    message: "Message",
    send: "Send",
    attach: "Attach files",
    uploading: (name) => `Uploading ${name}…`,
    uploadFailed: (name) => `${name} was not uploaded. Please try again.`,
    tooManyFiles: (most) => `At most ${most} files go with one message; attach the others again.`,
    timeline: "Conversation",
    hint: "Enter sends · Shift+Enter for a new line · /help",
    empty: "Nothing here yet. Write something, or /help.",
    newBelow: "New messages",
    toEnd: "To the end",
    pending: "Waiting to be sent…",
    failed: "Not sent",
    discard: "Discard",
    copy: "Copy",
    copied: "Copied",
    oneStep: "1 step",
    steps: (count) => `${count} steps`,
    tapFailed: "That did not arrive, please try again.",
    tone: { plain: "", working: "Working", asking: "Your answer is needed", done: "Done", warning: "Attention", failed: "Failed" },
    step: { running: "running", done: "done", failed: "failed", said: "" },
  },
  zh: {
    connecting: "正在连接…",
    connected: "已连接",
    waiting: "连接已断开，正在重试…",
    loggedOut: "未登录",
    loggedOutHelp: "您已退出登录。请打开 PhoneWork 在终端里最近一次打印的登录链接。",
    message: "消息",
    send: "发送",
    attach: "添加文件",
    uploading: (name) => `正在上传 ${name}……`,
    uploadFailed: (name) => `${name} 没有上传成功，请再试一次。`,
    tooManyFiles: (most) => `一条消息最多带 ${most} 个文件，其余的请再发一次。`,
    timeline: "对话",
    hint: "Enter 发送 · Shift+Enter 换行 · /help",
    empty: "这里还没有内容。说点什么，或输入 /help。",
    newBelow: "有新消息",
    toEnd: "回到底部",
    pending: "等待发送…",
    failed: "未发送",
    discard: "丢弃",
    copy: "复制",
    copied: "已复制",
    oneStep: "1 个步骤",
    steps: (count) => `${count} 个步骤`,
    tapFailed: "没有收到，请再试一次。",
    tone: { plain: "", working: "进行中", asking: "需要您回答", done: "完成", warning: "注意", failed: "失败" },
    step: { running: "进行中", done: "完成", failed: "失败", said: "" },
  },
};

/** `zh` or `en`. */
export const lang = (navigator.language || "en").toLowerCase().startsWith("zh") ? "zh" : "en";

/** The words in that language. */
export const words = WORDS[lang];

/** Makes an element: a tag, its class, and its text or children. */
export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** A short time of day, with the date if it was not today. */
export function timeOf(text) {
  const at = new Date(text);
  const today = at.toDateString() === new Date().toDateString();
  const time = { hour: "2-digit", minute: "2-digit" };
  const shown = at.toLocaleString(navigator.language, today ? time : { month: "short", day: "numeric", ...time });
  const element = make("time", "time", shown);
  element.dateTime = text;
  return element;
}
