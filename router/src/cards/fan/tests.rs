//! The card of a message to several nodes in both languages, as people read it.

use chrono::TimeDelta;
use common::ids::{CauseId, Surface};
use common::message::inbound::{Chat, ChatKind};

use super::super::tests::both;
use super::*;

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

fn line(node: &str, state: LineState, head: &str) -> Line {
    Line {
        node: node.parse().unwrap(),
        name: node.to_uppercase(),
        state,
        head: head.into(),
    }
}

fn fan(lang: Lang, lines: Vec<Line>) -> Fan {
    Fan {
        cause: CauseId::new(Surface::Feishu, "om_1"),
        user: "feishu/ou_1".parse().unwrap(),
        chat: Chat {
            id: "oc_1".into(),
            kind: ChatKind::Direct,
            message: None,
        },
        lang,
        traceparent: String::new(),
        quote: "“how full is the disk?”".into(),
        at: now(),
        rev: 1,
        settled: false,
        lines,
    }
}

fn shown(lines: &[Line]) -> String {
    both(|lang| view(&fan(lang, lines.to_vec()), now()))
}

#[test]
fn while_it_goes_on() {
    let off = LineState::Waits {
        since: Some(now() - TimeDelta::hours(5)),
        trouble: None,
    };
    let never = LineState::Waits {
        since: None,
        trouble: None,
    };
    let stuck = LineState::Waits {
        since: None,
        trouble: Some("the disk is full".into()),
    };
    let lines = [
        line("a", LineState::Pending, ""),
        line("b", LineState::Sent, ""),
        line("c", off, ""),
        line("d", never, ""),
        line("e", stuck, ""),
        line("f", LineState::Queued, ""),
        line("g", LineState::Working, ""),
        line("h", LineState::CutOff, "The host was stopped."),
        line("i", LineState::Unsure, ""),
        line("j", LineState::Done, "42% of 1 TB are used."),
    ];
    insta::assert_snapshot!(shown(&lines), @r"
    # 发给 10 台机器，1 台已结束 (Working)
    “how full is the disk?”
    A: 正在发送
    B: 已发出
    C: 离线，最近一次心跳：5 小时前；消息在等它
    D: 从未上线过；消息在等它
    E: 不能接收工作，请检查它的磁盘：the disk is full；消息在等它
    F: 排队中
    G: 运行中
    H: 中断了，可在它的卡片上继续 · The host was stopped.
    I: 已收回，但它可能已经拿到；等它回应
    J: 完成 · 42% of 1 TB are used.
    [取消 C → cancel at c]
    [取消 D → cancel at d]
    [取消 E → cancel at e]
    -- 每台机器的完整回答在它自己的卡片里

    # To 10 machines, 1 finished (Working)
    “how full is the disk?”
    A: on its way
    B: sent
    C: off, last sign of life 5 h ago; the message waits for it
    D: it has never been on; the message waits for it
    E: can take no work: the disk is full; the message waits for it
    F: waits for what runs there
    G: working
    H: cut off; its card lets it go on · The host was stopped.
    I: taken back, but it may have it already; waiting for its word
    J: done · 42% of 1 TB are used.
    [Cancel C → cancel at c]
    [Cancel D → cancel at d]
    [Cancel E → cancel at e]
    -- Each machine's whole answer is in a card of its own
    ");
    let asks = [
        line("a", LineState::Asking, "Bash: may I?"),
        line("b", LineState::Working, ""),
    ];
    insta::assert_snapshot!(shown(&asks), @r"
    # 发给 2 台机器，0 台已结束 (Asking)
    “how full is the disk?”
    A: 在问您 · Bash: may I?
    B: 运行中
    -- 每台机器的完整回答在它自己的卡片里

    # To 2 machines, 0 finished (Asking)
    “how full is the disk?”
    A: asks you · Bash: may I?
    B: working
    -- Each machine's whole answer is in a card of its own
    ");
}

#[test]
fn when_it_is_over() {
    let good = [
        line("a", LineState::Done, "42% of 1 TB are used."),
        line("b", LineState::Done, ""),
    ];
    insta::assert_snapshot!(shown(&good), @r"
    # 发给 2 台机器，2 台已结束 (Done)
    “how full is the disk?”
    A: 完成 · 42% of 1 TB are used.
    B: 完成
    -- 每台机器的完整回答在它自己的卡片里

    # To 2 machines, 2 finished (Done)
    “how full is the disk?”
    A: done · 42% of 1 TB are used.
    B: done
    -- Each machine's whole answer is in a card of its own
    ");
    let queue = LineState::Refused {
        why: Refusal::Queue,
    };
    let hub = LineState::Refused { why: Refusal::Hub };
    let mixed = [
        line("a", LineState::Done, "42% of 1 TB are used."),
        line("b", LineState::Stopped, "Stopped."),
        line("c", LineState::Failed, "Not logged in."),
        line("d", queue, ""),
        line("e", hub, ""),
        line("f", LineState::Cancelled, ""),
        line("g", LineState::Expired { kept: true }, ""),
        line("h", LineState::Expired { kept: false }, ""),
        line("i", LineState::Removed, ""),
    ];
    insta::assert_snapshot!(shown(&mixed), @r"
    # 发给 9 台机器，9 台已结束 (Warning)
    “how full is the disk?”
    A: 完成 · 42% of 1 TB are used.
    B: 已停止 · Stopped.
    C: 失败 · Not logged in.
    D: 没有收下：已有 200 条消息在等它
    E: 没有收下：中心机没有空间
    F: 已取消，不会执行
    G: 没有送达：一直没有收下
    H: 没有送达：一直没有收下
    I: 没有送达：机器已被移除
    [再次发给 G → again to g]
    -- 每台机器的完整回答在它自己的卡片里

    # To 9 machines, 9 finished (Warning)
    “how full is the disk?”
    A: done · 42% of 1 TB are used.
    B: stopped · Stopped.
    C: failed · Not logged in.
    D: not taken: 200 messages wait for it already
    E: not taken: the hub has no room
    F: cancelled; it will not run
    G: not delivered: it did not take it
    H: not delivered: it did not take it
    I: not delivered: the machine was removed
    [Send to G again → again to g]
    -- Each machine's whole answer is in a card of its own
    ");
    let all: Vec<_> = mixed.into_iter().skip(1).collect();
    assert_eq!(view(&fan(Lang::En, all), now()).tone, Tone::Failed);
}

#[test]
fn what_goes_nowhere() {
    let all: Vec<_> = [("home-pc", "Home"), ("lab-1", "lab-1")]
        .map(|(node, name)| Candidate {
            node: node.parse().unwrap(),
            name: name.into(),
        })
        .into();
    insta::assert_snapshot!(both(|lang| unclear(lang, "hmoe", &[], &all)), @r"
    # 没有名为“hmoe”的机器 (Warning)
    您的机器：Home (home-pc)、lab-1
    没有发给任何机器。如果文字本身以 @ 开头，请写成 @@。

    # There is no machine “hmoe” (Warning)
    Your machines: Home (home-pc), lab-1
    Nothing was sent to any machine. Does your text itself begin with @? Then write @@.
    ");
    insta::assert_snapshot!(both(no_text), @r"
    # 没有要发送的内容 (Warning)
    用法：@name [@name …] <text>

    # There is nothing to send (Warning)
    Usage: @name [@name …] <text>
    ");
    insta::assert_snapshot!(both(|lang| ours(lang, Command::Nodes)), @r"
    # /nodes 由中心机回答，没有发送 (Warning)
    请单独发送这条命令，前面不要写机器。

    # /nodes is answered by the hub; nothing was sent (Warning)
    Send this command alone, without a machine in front.
    ");
    insta::assert_snapshot!(both(|lang| too_many(lang, 64)), @r"
    # 机器太多，没有发送 (Warning)
    这条消息要发给 64 台机器，一次最多 40 台。请用 @名称 @名称 写出要发给哪些。

    # Too many machines; nothing was sent (Warning)
    This would go to 64 machines, at most 40 are taken. Name those you mean: @name @name …
    ");
}
