//! A round: the victim's messages, half of their way before the attack and the rest after it.

use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, Context};
use common::identity::ack_of_node;
use futures_util::StreamExt as _;
use tokio::time::timeout;
use uuid::Uuid;

use super::{BOOT, Ear, Stage};

/// One round of the victim's messages, as far as they have come when the attack begins.
pub(in super::super) struct Round {
    number: usize,
    work: jetstream::Message,
    out: jetstream::Message,
    pub(in super::super) work_ack: String,
    pub(in super::super) out_ack: String,
    /// Ids of what b has sent, and of what it will send next.
    pub(in super::super) last_id: String,
    pub(in super::super) coming_id: String,
}
impl Stage {
    /// Sends the victim's messages half of their way: one in the hand of each reader, one behind it.
    pub(in super::super) async fn begin(&mut self) -> Round {
        for _ in 0..5 {
            if let Some(round) = self.try_begin().await {
                return round;
            }
            // A consumer that was deleted a moment ago may still answer in the new one's place.
            assert!(self.broker.is_none(), "the victim's messages do not come");
            self.furnish().await;
        }
        panic!("the victim's messages do not come");
    }

    async fn try_begin(&mut self) -> Option<Round> {
        self.round += 1;
        let number = self.round;
        let js = jetstream::new(self.router.clone());
        js.get_stream_no_info("PW_WORK")
            .await
            .unwrap()
            .purge()
            .filter("pw.work.a.>")
            .await
            .unwrap();
        js.publish("pw.work.a.none.x", "own".into())
            .await
            .unwrap()
            .await
            .unwrap();
        for part in [1, 2] {
            let id = Uuid::now_v7().to_string();
            put(
                &js,
                "pw.work.b.feishu.ou_b",
                &id,
                &format!("honest work {number}.{part}"),
            )
            .await
            .unwrap();
        }
        let ids = [1, 2, 3].map(|_| Uuid::now_v7().to_string());
        let b = self.js_of(&self.b);
        for (part, id) in [(1, &ids[0]), (2, &ids[1])] {
            let body = format!("honest answer {number}.{part}");
            put(&b, "pw.out.b.feishu.ou_b", id, &body).await.unwrap();
        }
        let work = self.next(&self.b, "PW_WORK", "b").await.unwrap()?;
        let out = self
            .next(&self.gateway, "PW_OUT", "feishu")
            .await
            .unwrap()?;
        let [_, last_id, coming_id] = ids;
        Some(Round {
            number,
            work_ack: work.reply.clone().unwrap().to_string(),
            out_ack: out.reply.clone().unwrap().to_string(),
            work,
            out,
            last_id,
            coming_id,
        })
    }

    /// Lets the victim's messages go the rest of their way, each once and in order.
    pub(in super::super) async fn finish(&mut self, round: Round) -> Result<(), String> {
        let n = round.number;
        let expect = |found: Option<jetstream::Message>, wanted: String| match found {
            Some(message) if message.payload.as_ref() == wanted.as_bytes() => Ok(message),
            Some(message) => Err(format!("{:?} instead of {wanted:?}", message.payload)),
            None => Err(format!("{wanted:?} did not come")),
        };
        let none = |found: Option<jetstream::Message>| match found {
            None => Ok(()),
            Some(message) => Err(format!("{:?} came as well", message.payload)),
        };
        expect(Some(round.work.clone()), format!("honest work {n}.1"))?;
        self.done(&self.b, &round.work).await?;
        let second = self.next(&self.b, "PW_WORK", "b").await?;
        self.done(&self.b, &expect(second, format!("honest work {n}.2"))?)
            .await?;
        let js = jetstream::new(self.router.clone());
        let third = format!("honest work {n}.3");
        put(
            &js,
            "pw.work.b.feishu.ou_b",
            &Uuid::now_v7().to_string(),
            &third,
        )
        .await?;
        let found = self.next(&self.b, "PW_WORK", "b").await?;
        self.done(&self.b, &expect(found, third)?).await?;
        none(self.at_once(&self.b, "PW_WORK", "b").await?)?;

        // The answer that was still to come; a stream that has its id already would drop it.
        let b = self.js_of(&self.b);
        let third = format!("honest answer {n}.3");
        if put(&b, "pw.out.b.feishu.ou_b", &round.coming_id, &third).await? {
            return Err("b's coming answer was dropped as a repeat".into());
        }
        expect(Some(round.out.clone()), format!("honest answer {n}.1"))?;
        for part in [2, 3] {
            let found = self.next(&self.gateway, "PW_OUT", "feishu").await?;
            self.done(
                &self.gateway,
                &expect(found, format!("honest answer {n}.{part}"))?,
            )
            .await?;
        }
        self.done(&self.gateway, &round.out).await?;
        none(self.at_once(&self.gateway, "PW_OUT", "feishu").await?)?;

        // Everything else that is said in a day, so that a listener would hear something.
        let (b, router, gateway) = (&self.b, &self.router, &self.gateway);
        for (who, subject) in [
            (b, "pw.hb.b"),
            (b, "pw.remind.b"),
            (b, "pw.delta.b.feishu.ou_b.t"),
            (b, "pw.alive.node.b"),
            (b, "pw.dead.b.feishu.ou_b"),
            (b, "pw.turn.b.feishu.ou_b"),
            (b, "pw.up.b.x.0"),
            (gateway, "pw.in.feishu.ou_b.msg"),
            (gateway, "pw.down.b.x.0"),
            (gateway, "pw.alive.gateway.x"),
            (gateway, "$KV.PW_GATE_feishu.out"),
            (router, "pw.alive.router.x"),
            (router, "$KV.PW_USERS.u"),
            (router, "$KV.PW_PRESENCE.b"),
            (router, "$SRV.PING"),
        ] {
            who.publish(subject, "honest".into()).await.unwrap();
        }
        let status = format!("pw.ctl.b.{BOOT}.status");
        let inbox = router.new_inbox();
        let mut answer = router.subscribe(inbox.clone()).await.unwrap();
        router
            .publish_with_reply(status, inbox, "honest".into())
            .await
            .unwrap();
        let Ear { who: b, heard, .. } = &mut self.ears[0];
        let asked = timeout(Duration::from_secs(2), heard.next())
            .await
            .map_err(|_| "b was not asked")?
            .unwrap();
        let reply = asked.reply.ok_or("b was asked without a way to answer")?;
        b.publish(reply, "honest".into()).await.unwrap();
        timeout(Duration::from_secs(2), answer.next())
            .await
            .map_err(|_| "b's answer did not arrive")?
            .unwrap();
        Ok(())
    }

    /// The next message of a consumer; waits for it.
    async fn next(
        &self,
        client: &Client,
        stream: &str,
        consumer: &str,
    ) -> Result<Option<jetstream::Message>, String> {
        let consumer: PullConsumer = self
            .js_of(client)
            .get_consumer_from_stream(consumer, stream)
            .await
            .map_err(|why| why.to_string())?;
        let mut one = consumer
            .batch()
            .max_messages(1)
            .expires(Duration::from_secs(10))
            .messages()
            .await
            .map_err(|why| why.to_string())?;
        let found = one.next().await.transpose();
        found.map_err(|why| why.to_string())
    }

    /// The next message of a consumer if there is one now.
    async fn at_once(
        &self,
        client: &Client,
        stream: &str,
        consumer: &str,
    ) -> Result<Option<jetstream::Message>, String> {
        let consumer: PullConsumer = self
            .js_of(client)
            .get_consumer_from_stream(consumer, stream)
            .await
            .map_err(|why| why.to_string())?;
        let mut one = consumer
            .fetch()
            .max_messages(1)
            .messages()
            .await
            .map_err(|why| why.to_string())?;
        let found = one.next().await.transpose();
        found.map_err(|why| why.to_string())
    }

    async fn done(&self, who: &Client, message: &jetstream::Message) -> Result<(), String> {
        let reply = message.reply.as_deref().unwrap();
        // Nodes alone settle under another name.
        let ours = self.broker.as_ref().and_then(|_| ack_of_node(reply));
        let at = ours.unwrap_or_else(|| reply.to_owned());
        match timeout(Duration::from_secs(2), who.request(at, "+ACK".into())).await {
            Ok(Ok(_)) => Ok(()),
            other => Err(format!("an acknowledgement was not confirmed: {other:?}")),
        }
    }
}

/// Stores a message; whether the stream had its id already.
async fn put(js: &Context, subject: &str, id: &str, body: &str) -> Result<bool, String> {
    let message = PublishMessage::build()
        .payload(body.to_owned().into())
        .message_id(id);
    let sent = js.send_publish(subject.to_owned(), message).await.unwrap();
    let stored = sent.await.map_err(|why| format!("{subject}: {why}"))?;
    Ok(stored.duplicate)
}
