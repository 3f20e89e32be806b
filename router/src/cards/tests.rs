//! Every card in both languages, as people read it.

use chrono::TimeDelta;
use common::message::view::WaitingChoice;

use super::route::{chosen, chosen_waits, not_kept};
use super::*;

fn id(text: &str) -> NodeId {
    text.parse().unwrap()
}

fn candidate(node: &str, name: &str) -> Candidate {
    Candidate {
        node: id(node),
        name: name.into(),
    }
}

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

fn before(seconds: i64) -> DateTime<Utc> {
    now() - TimeDelta::seconds(seconds)
}

/// A card in plain text: `# title (tone)`, the blocks, `[button → action]`, `-- footer`.
fn plain(view: &View) -> String {
    let mut lines = vec![format!("# {} ({:?})", view.title, view.tone)];
    for block in &view.blocks {
        match block {
            Block::Plain { text } | Block::Markdown { text } | Block::Code { text, .. } => {
                lines.push(text.clone());
            }
            Block::Fields { rows } => {
                lines.extend(rows.iter().map(|(name, value)| format!("{name}: {value}")));
            }
            Block::Steps { steps, .. } => lines.extend(steps.iter().map(|step| step.text.clone())),
        }
    }
    for button in &view.buttons {
        let action = match &button.action {
            Action::UseNode { node, pending } => format!("use {node} {pending:?}"),
            Action::Waiting { node, choice, .. } => match choice {
                WaitingChoice::Cancel => format!("cancel at {node}"),
                WaitingChoice::SendTo { other } => format!("from {node} to {other}"),
                WaitingChoice::SendAgain => format!("again to {node}"),
            },
            other => format!("{other:?}"),
        };
        lines.push(format!("[{} → {action}]", button.label));
    }
    lines.extend(view.footer.iter().map(|text| format!("-- {text}")));
    lines.join("\n")
}

pub(super) fn both(card: impl Fn(Lang) -> View) -> String {
    format!("{}\n\n{}", plain(&card(Lang::Zh)), plain(&card(Lang::En)))
}

fn home_and_lab() -> Vec<Candidate> {
    vec![candidate("home-pc", "Home"), candidate("lab-1", "lab-1")]
}

#[test]
fn the_question_which_node() {
    let card = |lang| {
        ask(
            lang,
            "fix the build\nand then the docs",
            &home_and_lab(),
            42,
        )
    };
    insta::assert_snapshot!(both(card), @r"
    # 发给哪台机器？ (Asking)
    “fix the build…”
    有多台机器可用。请选择一台，之后的消息也会发给它。
    [Home → use home-pc Some(42)]
    [lab-1 → use lab-1 Some(42)]

    # Which machine? (Asking)
    “fix the build…”
    Several machines can take this. The one you choose gets what you send from then on.
    [Home → use home-pc Some(42)]
    [lab-1 → use lab-1 Some(42)]
    ");
    let many: Vec<_> = (0..20)
        .map(|n| candidate(&format!("n{n}"), &format!("N{n}")))
        .collect();
    let view = ask(Lang::En, &"long ".repeat(40), &many, 1);
    assert_eq!(view.buttons.len(), BUTTONS);
    assert_eq!(
        view.footer.as_deref(),
        Some("And 8 more: choose with /node <name>.")
    );
    assert_eq!(
        plain(&view).lines().nth(1).unwrap().chars().count(),
        QUOTE + 3
    );
}

#[test]
fn the_answered_question() {
    insta::assert_snapshot!(both(|lang| sent(lang, "Home")), @r"
    # 已发给 Home (Done)
    之后的消息也会发给 Home；用 /node <名称> 可以更换。

    # Sent to Home (Done)
    What you send now goes to Home; /node <name> changes that.
    ");
    insta::assert_snapshot!(both(|lang| already_sent(lang, "Home")), @r"
    # 这条消息之前已发给 Home (Done)
    以第一次点击为准，这次点击没有改变任何东西。

    # This message had gone to Home already (Done)
    The first tap counted; this one changed nothing.
    ");
    insta::assert_snapshot!(both(|lang| expired(lang, "Home")), @r"
    # 这条消息已不再保留 (Warning)
    消息最多等待选择 72 小时，这条没有执行。当前机器是 Home，请重新发送。

    # This message is not kept any more (Warning)
    A message waits 72 hours for a choice; this one was not run. Home is the active machine now: please send it again.
    ");
}

#[test]
fn no_node_at_all() {
    let user = "feishu/ou_1".parse().unwrap();
    insta::assert_snapshot!(both(|lang| no_nodes(lang, &user)), @r"
    # 还没有可用的机器 (Warning)
    请在中心机上运行 `phonework enroll <名称>`，在要使用的机器上运行它打印的那一行，然后在那里运行 `phonework host`。如果机器已登记但只服务指定的人，请让管理员加上 --serves feishu/ou_1。

    # No machine yet (Warning)
    Run `phonework enroll <name>` on the hub, on the machine that you want to use the line that it prints, and then `phonework host` there. If a machine is enrolled for certain people only, ask its owner to add --serves feishu/ou_1.
    ");
}

#[test]
fn the_list_of_nodes() {
    let row = |node: &str, name: &str, state, last| Row {
        node: id(node),
        name: name.into(),
        state,
        last,
        sessions: 2,
        running: 1,
        trouble: None,
        load: Some(0.42),
        queued: Some(0),
        description: String::new(),
        version: "0.1.0".into(),
        active: false,
    };
    let off = State::Off {
        since: before(7_500),
    };
    let rows = [
        Row {
            active: true,
            description: "Builds and tests".into(),
            ..row("home-pc", "Home", State::On, Some(before(3)))
        },
        Row {
            queued: Some(3),
            ..row("lab-1", "lab-1", off, Some(before(7_500)))
        },
        Row {
            version: String::new(),
            ..row("new", "New one", State::Never, None)
        },
    ];
    insta::assert_snapshot!(both(|lang| nodes(lang, &rows, now())), @"
    # 您的机器 (Plain)
    Home (home-pc) · 当前: 在线 · 3 秒前 · 2 个会话，1 个运行中 · 负载 42% · v0.1.0 · “Builds and tests”
    lab-1: 离线 · 2 小时前 · 3 条消息在等 · v0.1.0
    New one (new): 从未上线
    [使用 lab-1 → use lab-1 None]
    [使用 New one → use new None]
    -- /node <名称> 更换当前机器

    # Your machines (Plain)
    Home (home-pc) · active: on · 3 s ago · 2 sessions, 1 running · load 42% · v0.1.0 · “Builds and tests”
    lab-1: off · 2 h ago · 3 messages wait · v0.1.0
    New one (new): never seen
    [Use lab-1 → use lab-1 None]
    [Use New one → use new None]
    -- /node <name> changes the active machine
    ");
    let troubled = Row {
        trouble: Some("the disk is full".into()),
        load: None,
        queued: None,
        ..rows[0].clone()
    };
    insta::assert_snapshot!(both(|lang| nodes(lang, std::slice::from_ref(&troubled), now())), @"
    # 您的机器 (Plain)
    Home (home-pc) · 当前: 在线 · 3 秒前 · 2 个会话，1 个运行中 · 负载未知 · 不能接收工作，请检查它的磁盘：the disk is full · 等待数未知 · v0.1.0 · “Builds and tests”

    # Your machines (Plain)
    Home (home-pc) · active: on · 3 s ago · 2 sessions, 1 running · load unknown · can take no work: the disk is full · waiting messages unknown · v0.1.0 · “Builds and tests”
    ");
    insta::assert_snapshot!(both(|lang| nodes(lang, &rows[..1], now())), @"
    # 您的机器 (Plain)
    Home (home-pc) · 当前: 在线 · 3 秒前 · 2 个会话，1 个运行中 · 负载 42% · v0.1.0 · “Builds and tests”

    # Your machines (Plain)
    Home (home-pc) · active: on · 3 s ago · 2 sessions, 1 running · load 42% · v0.1.0 · “Builds and tests”
    ");
}

#[test]
fn the_chosen_node() {
    let with = |state| both(|lang| using(lang, "Home", state, now()));
    insta::assert_snapshot!(with(State::On), @r"
    # 现在使用 Home (Done)
    之后的消息会发给这台机器。

    # Now using Home (Done)
    What you send now goes to this machine.
    ");
    insta::assert_snapshot!(with(State::Off { since: before(95) }), @r"
    # 现在使用 Home (Warning)
    它现在不在线（最近一次心跳：95 秒前）。消息会等它上线。

    # Now using Home (Warning)
    It is off at the moment (last sign of life 95 s ago). Messages wait for it.
    ");
    insta::assert_snapshot!(with(State::Never), @r"
    # 现在使用 Home (Warning)
    它现在不在线（从未上线过）。消息会等它上线。

    # Now using Home (Warning)
    It is off at the moment (it has never been on). Messages wait for it.
    ");
}

#[test]
fn names_that_fit_none_or_several() {
    let all = home_and_lab();
    insta::assert_snapshot!(both(|lang| not_found(lang, "x", &[], &all)), @r"
    # 没有名为“x”的机器 (Warning)
    您的机器：Home (home-pc)、lab-1

    # There is no machine “x” (Warning)
    Your machines: Home (home-pc), lab-1
    ");
    let two = [id("home-pc"), id("lab-1")];
    insta::assert_snapshot!(both(|lang| not_found(lang, "h", &two, &all)), @r"
    # 有多台机器符合“h” (Warning)
    请写完整：Home (home-pc)、lab-1

    # Several machines match “h” (Warning)
    Write one of them in full: Home (home-pc), lab-1
    ");
}

#[test]
fn commands_written_wrongly() {
    insta::assert_snapshot!(both(|lang| wrong_use(lang, Command::Node)), @r"
    # 命令写法不对，没有改变任何东西 (Warning)
    用法：/node <name>
    从现在起使用机器 <name>

    # That is not how this command is written; nothing was changed (Warning)
    Usage: /node <name>
    Use machine <name> from now on
    ");
    insta::assert_snapshot!(both(|lang| wrong_use(lang, Command::Nodes)), @r"
    # 命令写法不对，没有改变任何东西 (Warning)
    用法：/nodes
    您的机器：状态、版本、会话、负载、在等的消息

    # That is not how this command is written; nothing was changed (Warning)
    Usage: /nodes
    Your machines: state, version, sessions, load, what waits
    ");
}

#[test]
fn what_is_not_taken() {
    insta::assert_snapshot!(both(|lang| unsupported(lang, "image")), @r"
    # 暂时还不能处理图片 (Warning)
    请发送文字、图片或文件。

    # Cannot handle pictures yet (Warning)
    Please send text, pictures or files.
    ");
    insta::assert_snapshot!(both(|lang| too_long(lang, 123_456)), @r"
    # 文字太长，没有执行 (Warning)
    这条有 123456 字节，最多 100000 字节。请分成几条发送，或把内容放进机器上的文件里。

    # Too long: this was not run (Warning)
    It has 123456 bytes, at most 100000 are taken. Send it in pieces, or put the content into a file on the machine.
    ");
    insta::assert_snapshot!(both(|lang| not_yours(lang, &id("lab-1"))), @r"
    # 机器 lab-1 不在您的机器之中 (Failed)
    它可能已被移除，或不再为您服务。用 /nodes 查看您的机器。
    -- not-yours

    # lab-1 is not one of your machines (Failed)
    It may have been removed, or serves you no longer. /nodes lists your machines.
    -- not-yours
    ");
}

#[test]
fn a_machine_that_a_model_chose() {
    let now_on = |lang| chosen(lang, "Lab", true, "it names the lab", 42);
    insta::assert_snapshot!(both(now_on), @r"
    # 已发给 Lab (Done)
    由模型选择。之后的消息也会发给 Lab；用 /node <名称> 可以更换。
    理由：it names the lab
    [换一台机器 → OtherNode { pending: 42 }]

    # Sent to Lab (Done)
    Chosen by the model. What you send now goes to Lab as well; /node <name> changes that.
    Reason: it names the lab
    [Other machine → OtherNode { pending: 42 }]
    ");
    insta::assert_snapshot!(both(|lang| chosen(lang, "Lab", false, "", 42)), @r"
    # 已发给 Lab (Done)
    由模型选择，只有这条发给 Lab；当前机器不变。
    [换一台机器 → OtherNode { pending: 42 }]

    # Sent to Lab (Done)
    Chosen by the model: this message goes to Lab, the active machine stays as it is.
    [Other machine → OtherNode { pending: 42 }]
    ");
    insta::assert_snapshot!(both(chosen_waits), @r"
    # 这条消息在等一台离线的机器；请用那张卡片上的按钮发给别的机器。 (Plain)

    # This message waits for a machine that is off; the buttons of that card send it to another one. (Plain)
    ");
    insta::assert_snapshot!(both(not_kept), @r"
    # 这条消息已不再保留 (Warning)

    # This message is not kept any more (Warning)
    ");
}
