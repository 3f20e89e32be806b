//! What the assistant of smart mode says besides the model's own words.

use crate::text::Say;

/// A text of the assistant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailText {
    /// What it is called, in titles.
    Name,
    /// Mode in `/status`.
    ModeSmart {
        /// Name of the model.
        model: String,
    },
    /// Smart mode is on.
    SmartOn {
        /// Name of the model; none is set up without it.
        model: Option<String>,
    },
    /// The conversation is forgotten.
    Forgotten,
    /// A text that waits for what runs.
    Queued {
        /// Place, from 1.
        place: usize,
    },
    /// Too many texts wait.
    TooMany {
        /// The bound.
        max: usize,
    },
    /// A text that was taken back before it was begun.
    TakenBack,
    /// The person stopped it.
    Stopped,
    /// As many rounds of tools as one text may take.
    Rounds {
        /// The bound.
        max: usize,
    },
    /// A restart cut it off.
    Interrupted {
        /// First line of the text.
        asked: String,
        /// What it had done, one line each.
        done: Vec<String>,
    },
    /// It is taken up again in another card.
    GoesOn,
    /// The person let it be.
    Discarded,
    /// Small print: the answer is cut.
    Cut,
    /// Small print: the rest of the answer is withheld.
    Withheld,
    /// No model is set up, and there is no session either.
    NoModel,
    /// A question before writing: what is in the file now is not on the card.
    Unseen {
        /// Size of the file, in bytes.
        bytes: u64,
    },
    /// It broke inside us.
    Broke,

    // Why there is no answer
    /// Nobody at the address.
    Unreachable,
    /// Too slow.
    Slow,
    /// The key is refused.
    BadKey {
        /// HTTP status.
        status: u16,
    },
    /// No means left.
    Unpaid,
    /// Too many requests.
    Busy {
        /// Seconds until the service takes more, where it says so.
        after: Option<u64>,
    },
    /// The conversation does not fit.
    TooLong,
    /// What answers is no API.
    NoApi {
        /// HTTP status.
        status: u16,
    },
    /// Refused for another reason.
    Refused {
        /// HTTP status.
        status: u16,
        /// The service's words; may be empty.
        said: String,
    },
    /// The service is broken.
    Broken {
        /// HTTP status.
        status: u16,
    },
    /// The answer broke off, was none, or was far too large.
    NoAnswer,
    /// Withheld.
    Filtered,
}

/// What works without a model, behind each failure.
const MEANWHILE_EN: &str = "Commands such as /status and /new work meanwhile, and /direct sends your text straight to Claude Code.";
const MEANWHILE_ZH: &str =
    "期间 /status、/new 等命令照常可用，发 /direct 后消息直接交给 Claude Code。";

impl Say for MailText {
    fn en(&self) -> String {
        let fails = |what: &str| format!("{what} {MEANWHILE_EN}");
        match self {
            Self::Name => "assistant".into(),
            Self::ModeSmart { model } => format!("smart ({model} reads your text first)"),
            Self::SmartOn { model: Some(model) } => format!(
                "Smart mode: {model} reads your text first, answers or uses this machine's tools, and hands coding work to your sessions."
            ),
            Self::SmartOn { model: None } => "Smart mode, but no model is set up on this machine, so text goes to the active session. To change that, set OPENAI_API_KEY and OPENAI_MODEL in its configuration.".into(),
            Self::Forgotten => "Forgotten: the assistant begins anew. Sessions are as they were.".into(),
            Self::Queued { place } => format!("Waiting, place {place}. It is read when what runs is done."),
            Self::TooMany { max } => format!(
                "{max} texts of yours wait for the assistant already, so this one was not taken. Wait until some are answered, or stop what runs, and send it again."
            ),
            Self::TakenBack => "Taken back; it was not read.".into(),
            Self::Stopped => "Stopped".into(),
            Self::Rounds { max } => format!(
                "Stopped after {max} rounds of tools without an end. Tell me to go on if that was right, or say more exactly what you need."
            ),
            Self::Interrupted { asked, done } => {
                let head = format!("“{asked}” was interrupted by a restart.");
                if done.is_empty() {
                    format!("{head} Nothing had been done yet.")
                } else {
                    format!("{head} Begun or done before:\n{}", done.join("\n"))
                }
            }
            Self::GoesOn => "Taken up again below.".into(),
            Self::Discarded => "Discarded.".into(),
            Self::Cut => "cut: the model may not say more at once".into(),
            Self::Withheld => "cut: the model's service withholds the rest".into(),
            Self::NoModel => "There is no session yet. Begin one with /new <dir>, for example: /new demo. No model is set up on this machine, so nobody else reads your text; to change that, set OPENAI_API_KEY and OPENAI_MODEL in its configuration.".into(),
            Self::Unseen { bytes } => format!(
                "what is in the file now ({bytes} bytes) is not shown here and will be replaced"
            ),
            Self::Broke => fails("This failed inside PhoneWork and has no answer; see the log on this machine."),
            Self::Unreachable => fails("The model cannot be reached. Check this machine's network and OPENAI_BASE_URL."),
            Self::Slow => fails("The model took too long and was given up. Try it again."),
            Self::BadKey { status } => fails(&format!(
                "The model's service refuses the key (HTTP {status}). Check OPENAI_API_KEY on this machine."
            )),
            Self::Unpaid => fails("The model's account has no means left. Top it up, then try again."),
            Self::Busy { after: Some(after) } => fails(&format!(
                "The model's service has too many requests; it wants to be asked again in {after} seconds."
            )),
            Self::Busy { after: None } => fails("The model's service has too many requests. Try it again in a minute."),
            Self::TooLong => fails("This is too long for the model. Send less at once; /clear forgets what was said before."),
            Self::NoApi { status } => fails(&format!(
                "What answers at OPENAI_BASE_URL is no chat API (HTTP {status}). Check OPENAI_BASE_URL on this machine."
            )),
            Self::Refused { status, said } if said.is_empty() => fails(&format!(
                "The model's service refuses the request (HTTP {status}). Check OPENAI_MODEL and OPENAI_BASE_URL on this machine."
            )),
            Self::Refused { status, said } => fails(&format!(
                "The model's service refuses the request (HTTP {status}): “{said}”. Check OPENAI_MODEL and OPENAI_BASE_URL on this machine."
            )),
            Self::Broken { status } => fails(&format!(
                "The model's service has a fault (HTTP {status}). Try it again in a minute."
            )),
            Self::NoAnswer => fails("The model's answer broke off or was none. Try it again."),
            Self::Filtered => fails("The model's service withholds the answer. Say it in other words; if that does not help, /clear forgets what was said before."),
        }
    }

    fn zh(&self) -> String {
        let fails = |what: &str| format!("{what}{MEANWHILE_ZH}");
        match self {
            Self::Name => "助手".into(),
            Self::ModeSmart { model } => format!("智能（消息先由 {model} 处理）"),
            Self::SmartOn { model: Some(model) } => format!(
                "智能模式：消息先由 {model} 处理，它直接回答或使用本机工具，编程工作交给您的会话。"
            ),
            Self::SmartOn { model: None } => "已是智能模式，但本机没有设置模型，消息会发给当前会话。要启用，请在本机配置中设置 OPENAI_API_KEY 和 OPENAI_MODEL。".into(),
            Self::Forgotten => "已忘记：助手从头开始。会话保持原样。".into(),
            Self::Queued { place } => format!("排队中，第 {place} 位。前面的处理完就轮到它。"),
            Self::TooMany { max } => format!(
                "您已有 {max} 条消息在等助手处理，这一条没有收下。请等其中一些得到回答，或停止当前这条，然后再发一次。"
            ),
            Self::TakenBack => "已撤回，没有处理。".into(),
            Self::Stopped => "已停止".into(),
            Self::Rounds { max } => format!(
                "用了 {max} 轮工具还没有结果，已停下。如果方向对，请让我继续；否则请说得更具体些。"
            ),
            Self::Interrupted { asked, done } => {
                let head = format!("“{asked}”因重启而中断。");
                if done.is_empty() {
                    format!("{head}当时还没有做任何事。")
                } else {
                    format!("{head}此前已开始或完成：\n{}", done.join("\n"))
                }
            }
            Self::GoesOn => "已在下面继续。".into(),
            Self::Discarded => "已放弃。".into(),
            Self::Cut => "已截断：模型一次不能说更多".into(),
            Self::Withheld => "已截断：模型服务不给出其余部分".into(),
            Self::NoModel => "还没有会话。用 /new <目录> 开始一个，例如：/new demo。本机没有设置模型，所以没有助手处理您的消息；要启用，请在本机配置中设置 OPENAI_API_KEY 和 OPENAI_MODEL。".into(),
            Self::Unseen { bytes } => {
                format!("文件现有内容（{bytes} 字节）无法在此显示，将被替换")
            }
            Self::Broke => fails("PhoneWork 内部出错，没有回答；请看本机日志。"),
            Self::Unreachable => fails("连不上模型。请检查本机网络和 OPENAI_BASE_URL。"),
            Self::Slow => fails("模型太久没有回应，已放弃。请重试。"),
            Self::BadKey { status } => fails(&format!(
                "模型服务拒绝了密钥（HTTP {status}）。请检查本机的 OPENAI_API_KEY。"
            )),
            Self::Unpaid => fails("模型账户余额不足。请充值后重试。"),
            Self::Busy { after: Some(after) } => fails(&format!(
                "模型服务请求过多，要求 {after} 秒后再试。"
            )),
            Self::Busy { after: None } => fails("模型服务请求过多。请一分钟后再试。"),
            Self::TooLong => fails("内容对模型来说太长。请一次少发一些；/clear 可忘记之前说过的。"),
            Self::NoApi { status } => fails(&format!(
                "OPENAI_BASE_URL 指向的不是聊天接口（HTTP {status}）。请检查本机的 OPENAI_BASE_URL。"
            )),
            Self::Refused { status, said } if said.is_empty() => fails(&format!(
                "模型服务拒绝了请求（HTTP {status}）。请检查本机的 OPENAI_MODEL 和 OPENAI_BASE_URL。"
            )),
            Self::Refused { status, said } => fails(&format!(
                "模型服务拒绝了请求（HTTP {status}）：“{said}”。请检查本机的 OPENAI_MODEL 和 OPENAI_BASE_URL。"
            )),
            Self::Broken { status } => fails(&format!(
                "模型服务出了故障（HTTP {status}）。请一分钟后再试。"
            )),
            Self::NoAnswer => fails("模型的回答中断了，或没有内容。请重试。"),
            Self::Filtered => fails("模型服务不给出这个回答。请换个说法；如果仍然这样，/clear 可忘记之前说过的。"),
        }
    }
}
