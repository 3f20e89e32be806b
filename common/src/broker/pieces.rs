//! Files through the broker: cut into pieces on subjects of their own, read by those subjects, whole
//! or not at all.
//!
//! A piece has no id in the stream's memory of repeats that others could guess; sent again, it takes
//! the place of the first. Who may send and read them is `identity`'s, how long they stay `stream`'s.

use std::time::Duration;

use async_nats::{Message, StatusCode};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Broker, PublishError};
use crate::message::outbound::CHUNK;
pub use crate::message::outbound::Pieces;

/// What the broker has to answer in.
const TRY: Duration = Duration::from_secs(5);

/// Why a file is not put together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PieceError {
    /// A piece is not there any more.
    #[error("piece {0} is gone")]
    Gone(u32),
    /// The pieces are not the file that was announced.
    #[error("the pieces are not what was announced")]
    Damaged,
    /// The broker does not answer. Trying again is right.
    #[error("{0}")]
    Later(String),
}

/// A file on its way out: bytes go in as they come, pieces go out as they are full.
pub struct Sending<'a, S> {
    broker: &'a Broker,
    subject: S,
    cancel: &'a CancellationToken,
    buffer: Vec<u8>,
    hash: Sha256,
    bytes: u64,
    chunks: u32,
}

impl<'a, S: Fn(u32) -> String> Sending<'a, S> {
    /// Begins; `subject` names the place of a piece by its number from 0.
    pub fn new(broker: &'a Broker, subject: S, cancel: &'a CancellationToken) -> Self {
        Self {
            broker,
            subject,
            cancel,
            buffer: Vec::with_capacity(CHUNK),
            hash: Sha256::new(),
            bytes: 0,
            chunks: 0,
        }
    }

    /// Takes bytes, and returns once those that make whole pieces are confirmed.
    ///
    /// # Errors
    /// The stream is full, or nothing was confirmed until `cancel`.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), PublishError> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at(bytes.len().min(CHUNK - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            bytes = rest;
            if self.buffer.len() == CHUNK {
                self.send().await?;
            }
        }
        Ok(())
    }

    /// Sends what is left.
    ///
    /// # Errors
    /// As [`Sending::write`].
    pub async fn finish(mut self) -> Result<Pieces, PublishError> {
        if !self.buffer.is_empty() {
            self.send().await?;
        }
        Ok(Pieces {
            bytes: self.bytes,
            sha256: HEXLOWER.encode(&self.hash.finalize()),
            chunks: self.chunks,
        })
    }

    async fn send(&mut self) -> Result<(), PublishError> {
        let piece = Bytes::from(std::mem::replace(
            &mut self.buffer,
            Vec::with_capacity(CHUNK),
        ));
        let subject = (self.subject)(self.chunks);
        let id = Uuid::new_v4().to_string();
        self.broker
            .publish_until(&subject, &id, "", piece, self.cancel)
            .await?;
        self.chunks += 1;
        Ok(())
    }
}

impl Broker {
    /// The newest message on a subject of a stream that may be read directly; none where there is none.
    ///
    /// # Errors
    /// Why it cannot be read now, for the log.
    pub async fn newest(&self, stream: &str, subject: &str) -> Result<Option<Bytes>, String> {
        let request = format!("{}.DIRECT.GET.{stream}.{subject}", self.api);
        let found = self.read_directly(request).await?;
        Ok(found.map(|found| found.payload))
    }

    /// The answer to a direct read, which is asked for at `subject`; none where there is nothing.
    ///
    /// # Errors
    /// Why it cannot be read now, for the log.
    pub async fn read_directly(&self, subject: String) -> Result<Option<Message>, String> {
        let asked = self.client.request(subject, Bytes::new());
        let answer = tokio::time::timeout(TRY, asked)
            .await
            .map_err(|_| "no answer in time".to_owned())?
            .map_err(|why| why.to_string())?;
        match answer.status {
            Some(StatusCode::NOT_FOUND) => Ok(None),
            Some(status) if !status.is_success() => Err(format!("the broker answered {status}")),
            Some(_) | None => Ok(Some(answer)),
        }
    }

    /// Reads a file in order and hands its pieces to `sink`. What was handed over counts only when
    /// this ends well: then it is the file that was announced.
    ///
    /// # Errors
    /// [`PieceError`]; an error of `sink` is one of "later".
    pub async fn collect(
        &self,
        stream: &str,
        subject: impl Fn(u32) -> String,
        of: &Pieces,
        mut sink: impl FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<(), PieceError> {
        let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
        for n in 0..of.chunks {
            let found = self.newest(stream, &subject(n)).await;
            let piece = found.map_err(PieceError::Later)?;
            let piece = piece.ok_or(PieceError::Gone(n))?;
            bytes += piece.len() as u64;
            if bytes > of.bytes {
                return Err(PieceError::Damaged);
            }
            hash.update(&piece);
            sink(&piece).map_err(PieceError::Later)?;
        }
        if bytes == of.bytes && HEXLOWER.encode(&hash.finalize()) == of.sha256 {
            Ok(())
        } else {
            Err(PieceError::Damaged)
        }
    }
}
