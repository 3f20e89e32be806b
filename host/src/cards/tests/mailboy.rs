//! Cards and texts of the assistant.

use common::text::Say as _;
use common::text::host::mailboy::MailText;

use super::*;
use crate::mailboy::{interrupted, queued};

fn mail(lang: Lang) -> Frame<'static> {
    Frame {
        node: "Home",
        dir: match lang {
            Lang::Zh => "助手",
            Lang::En => "assistant",
        },
        lang,
    }
}

fn each(card: impl Fn(Frame<'_>) -> View) -> String {
    format!(
        "{}\n\n{}",
        show(&card(mail(Lang::Zh))),
        show(&card(mail(Lang::En)))
    )
}

#[test]
fn a_text_that_waits() {
    let card = |frame: Frame<'_>| queued(frame, "and then?", 2, &node(), turn());
    insta::assert_snapshot!(each(card), @"
    # Home · 助手 (Plain)
    “and then?”
    排队中，第 2 位。前面的处理完就轮到它。
    [取消 → Stop, Normal]

    # Home · assistant (Plain)
    “and then?”
    Waiting, place 2. It is read when what runs is done.
    [Cancel → Stop, Normal]
    ");
}

#[test]
fn a_text_that_was_cut_off() {
    let done = vec![
        "✓ new_session: demo".to_owned(),
        "… run_shell: make".to_owned(),
    ];
    let card = |frame: Frame<'_>| interrupted(frame, "build\nit", done.clone(), &node(), turn());
    insta::assert_snapshot!(each(card), @"
    # Home · 助手 (Warning)
    “build it”因重启而中断。此前已开始或完成：
    ✓ new_session: demo
    … run_shell: make
    [继续 → Continue, Primary]
    [放弃 → Discard, Normal]

    # Home · assistant (Warning)
    “build it” was interrupted by a restart. Begun or done before:
    ✓ new_session: demo
    … run_shell: make
    [Continue → Continue, Primary]
    [Discard → Discard, Normal]
    ");
    let card = |frame: Frame<'_>| interrupted(frame, "hello", Vec::new(), &node(), turn());
    insta::assert_snapshot!(each(card), @"
    # Home · 助手 (Warning)
    “hello”因重启而中断。当时还没有做任何事。
    [继续 → Continue, Primary]
    [放弃 → Discard, Normal]

    # Home · assistant (Warning)
    “hello” was interrupted by a restart. Nothing had been done yet.
    [Continue → Continue, Primary]
    [Discard → Discard, Normal]
    ");
}

#[test]
fn an_answer_and_a_failure() {
    let footer = [
        "glm-4.7".to_owned(),
        time(Duration::from_millis(3_210), Lang::En),
    ];
    let mut log = Progress::default();
    log.tool("1".into(), "list_dir: src", "");
    log.tool_done("1", false);
    let cards = finished(mail(Lang::En), &log, "Two files.", &footer);
    insta::assert_snapshot!(all(&cards), @"
    # Home · assistant (Done)
    steps (folded)
      ✓ list_dir: src
    md| Two files.
    -- glm-4.7 · 3.2 s
    ");
    let card = |frame: Frame<'_>| {
        let choices = recovery(frame, &HostText::TryAgain, &node(), turn());
        let why = MailText::Broken { status: 503 };
        broken(
            frame,
            &log,
            Tone::Warning,
            &why,
            choices,
            Some("model-broken"),
        )
    };
    insta::assert_snapshot!(each(card), @"
    # Home · 助手 (Warning)
    steps (folded)
      ✓ list_dir: src
    模型服务出了故障（HTTP 503）。请一分钟后再试。期间 /status、/new 等命令照常可用，发 /direct 后消息直接交给 Claude Code。
    [重试 → Continue, Primary]
    [放弃 → Discard, Normal]
    -- model-broken

    # Home · assistant (Warning)
    steps (folded)
      ✓ list_dir: src
    The model's service has a fault (HTTP 503). Try it again in a minute. Commands such as /status and /new work meanwhile, and /direct sends your text straight to Claude Code.
    [Try again → Continue, Primary]
    [Discard → Discard, Normal]
    -- model-broken
    ");
}

/// Every text once; a new one without a row does not compile.
#[test]
fn the_texts() {
    let texts = [
        MailText::Name,
        MailText::ModeSmart {
            model: "glm-4.7".into(),
        },
        MailText::SmartOn {
            model: Some("glm-4.7".into()),
        },
        MailText::SmartOn { model: None },
        MailText::Forgotten,
        MailText::TooMany { max: 20 },
        MailText::TakenBack,
        MailText::Stopped,
        MailText::Rounds { max: 12 },
        MailText::GoesOn,
        MailText::Discarded,
        MailText::Cut,
        MailText::Withheld,
        MailText::NoModel,
        MailText::Unseen { bytes: 103 },
        MailText::Broke,
        MailText::Unreachable,
        MailText::Slow,
        MailText::BadKey { status: 401 },
        MailText::Unpaid,
        MailText::Busy { after: Some(30) },
        MailText::Busy { after: None },
        MailText::TooLong,
        MailText::NoApi { status: 404 },
        MailText::Refused {
            status: 404,
            said: String::new(),
        },
        MailText::Refused {
            status: 200,
            said: "no such model".into(),
        },
        MailText::NoAnswer,
        MailText::Filtered,
    ];
    for text in &texts {
        match text {
            // On cards, above.
            MailText::Queued { .. } | MailText::Interrupted { .. } | MailText::Broken { .. } => {
                unreachable!("these have cards of their own")
            }
            MailText::Name
            | MailText::ModeSmart { .. }
            | MailText::SmartOn { .. }
            | MailText::Forgotten
            | MailText::TooMany { .. }
            | MailText::TakenBack
            | MailText::Stopped
            | MailText::Rounds { .. }
            | MailText::GoesOn
            | MailText::Discarded
            | MailText::Cut
            | MailText::Withheld
            | MailText::NoModel
            | MailText::Unseen { .. }
            | MailText::Broke
            | MailText::Unreachable
            | MailText::Slow
            | MailText::BadKey { .. }
            | MailText::Unpaid
            | MailText::Busy { .. }
            | MailText::TooLong
            | MailText::NoApi { .. }
            | MailText::Refused { .. }
            | MailText::NoAnswer
            | MailText::Filtered => {}
        }
    }
    // What is said behind each failure stands once.
    let meanwhile = |text: String| {
        let cut = text
            .find("Commands such as")
            .or_else(|| text.find("期间 /status"));
        cut.map_or(text.clone(), |at| format!("{}(…)", &text[..at]))
    };
    let lines: Vec<String> = texts
        .iter()
        .flat_map(|text| [meanwhile(text.zh()), meanwhile(text.en())])
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    助手
    assistant
    智能（消息先由 glm-4.7 处理）
    smart (glm-4.7 reads your text first)
    智能模式：消息先由 glm-4.7 处理，它直接回答或使用本机工具，编程工作交给您的会话。
    Smart mode: glm-4.7 reads your text first, answers or uses this machine's tools, and hands coding work to your sessions.
    已是智能模式，但本机没有设置模型，消息会发给当前会话。要启用，请在本机配置中设置 OPENAI_API_KEY 和 OPENAI_MODEL。
    Smart mode, but no model is set up on this machine, so text goes to the active session. To change that, set OPENAI_API_KEY and OPENAI_MODEL in its configuration.
    已忘记：助手从头开始。会话保持原样。
    Forgotten: the assistant begins anew. Sessions are as they were.
    您已有 20 条消息在等助手处理，这一条没有收下。请等其中一些得到回答，或停止当前这条，然后再发一次。
    20 texts of yours wait for the assistant already, so this one was not taken. Wait until some are answered, or stop what runs, and send it again.
    已撤回，没有处理。
    Taken back; it was not read.
    已停止
    Stopped
    用了 12 轮工具还没有结果，已停下。如果方向对，请让我继续；否则请说得更具体些。
    Stopped after 12 rounds of tools without an end. Tell me to go on if that was right, or say more exactly what you need.
    已在下面继续。
    Taken up again below.
    已放弃。
    Discarded.
    已截断：模型一次不能说更多
    cut: the model may not say more at once
    已截断：模型服务不给出其余部分
    cut: the model's service withholds the rest
    还没有会话。用 /new <目录> 开始一个，例如：/new demo。本机没有设置模型，所以没有助手处理您的消息；要启用，请在本机配置中设置 OPENAI_API_KEY 和 OPENAI_MODEL。
    There is no session yet. Begin one with /new <dir>, for example: /new demo. No model is set up on this machine, so nobody else reads your text; to change that, set OPENAI_API_KEY and OPENAI_MODEL in its configuration.
    文件现有内容（103 字节）无法在此显示，将被替换
    what is in the file now (103 bytes) is not shown here and will be replaced
    PhoneWork 内部出错，没有回答；请看本机日志。(…)
    This failed inside PhoneWork and has no answer; see the log on this machine. (…)
    连不上模型。请检查本机网络和 OPENAI_BASE_URL。(…)
    The model cannot be reached. Check this machine's network and OPENAI_BASE_URL. (…)
    模型太久没有回应，已放弃。请重试。(…)
    The model took too long and was given up. Try it again. (…)
    模型服务拒绝了密钥（HTTP 401）。请检查本机的 OPENAI_API_KEY。(…)
    The model's service refuses the key (HTTP 401). Check OPENAI_API_KEY on this machine. (…)
    模型账户余额不足。请充值后重试。(…)
    The model's account has no means left. Top it up, then try again. (…)
    模型服务请求过多，要求 30 秒后再试。(…)
    The model's service has too many requests; it wants to be asked again in 30 seconds. (…)
    模型服务请求过多。请一分钟后再试。(…)
    The model's service has too many requests. Try it again in a minute. (…)
    内容对模型来说太长。请一次少发一些；/clear 可忘记之前说过的。(…)
    This is too long for the model. Send less at once; /clear forgets what was said before. (…)
    OPENAI_BASE_URL 指向的不是聊天接口（HTTP 404）。请检查本机的 OPENAI_BASE_URL。(…)
    What answers at OPENAI_BASE_URL is no chat API (HTTP 404). Check OPENAI_BASE_URL on this machine. (…)
    模型服务拒绝了请求（HTTP 404）。请检查本机的 OPENAI_MODEL 和 OPENAI_BASE_URL。(…)
    The model's service refuses the request (HTTP 404). Check OPENAI_MODEL and OPENAI_BASE_URL on this machine. (…)
    模型服务拒绝了请求（HTTP 200）：“no such model”。请检查本机的 OPENAI_MODEL 和 OPENAI_BASE_URL。(…)
    The model's service refuses the request (HTTP 200): “no such model”. Check OPENAI_MODEL and OPENAI_BASE_URL on this machine. (…)
    模型的回答中断了，或没有内容。请重试。(…)
    The model's answer broke off or was none. Try it again. (…)
    模型服务不给出这个回答。请换个说法；如果仍然这样，/clear 可忘记之前说过的。(…)
    The model's service withholds the answer. Say it in other words; if that does not help, /clear forgets what was said before. (…)
    ");
    insta::assert_snapshot!(format!("{}\n{}", MailText::Slow.zh(), MailText::Slow.en()), @"
    模型太久没有回应，已放弃。请重试。期间 /status、/new 等命令照常可用，发 /direct 后消息直接交给 Claude Code。
    The model took too long and was given up. Try it again. Commands such as /status and /new work meanwhile, and /direct sends your text straight to Claude Code.
    ");
}
