//! Makes the streams, consumers and buckets that everybody else takes for granted, and makes sure
//! that the server really keeps them as asked: an old one passes over what it does not know.
//!
//! What they are is `common::stream`'s and `buckets`'; when a node's consumer is made is `registry`'s.

mod buckets;
mod compare;

use std::time::Duration;

use async_nats::jetstream::consumer::{IntoConsumerConfig as _, PullConsumer, pull};
use async_nats::jetstream::context::{ConsumerInfoErrorKind, CreateStreamErrorKind};
use async_nats::jetstream::stream::{Config, ConsumerErrorKind};
use async_nats::jetstream::{Error as ApiError, ErrorCode};
use common::broker::Broker;
use common::ids::{NodeId, Surface};
use common::stream;
use futures_util::TryStreamExt as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

#[cfg(test)]
pub(crate) use buckets::MAX_VALUE;

/// Why the broker could not be made ready. Time mends none of these.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// These credentials may not.
    #[error(
        "the broker refused to let the router make {what}: these are not the router's credentials. \
         Point NATS_CREDS at creds/router.creds of the hub's DATA_DIR"
    )]
    Forbidden {
        /// A stream, consumer or bucket.
        what: String,
    },
    /// No JetStream for us.
    #[error(
        "the broker has no JetStream for the router ({detail}). Start it with `nats-server -c hub.conf` \
         as made by `phonework init`, and check that NATS_CREDS is the router's"
    )]
    Off {
        /// What the server said.
        detail: String,
    },
    /// Its limits are too small.
    #[error(
        "the broker has no room for {what} ({detail}). Free some disk, or raise max_file_store or \
         max_memory_store in hub.conf and start the broker again"
    )]
    NoSpace {
        /// A stream, consumer or bucket.
        what: String,
        /// What the server said.
        detail: String,
    },
    /// It said yes and did something else.
    #[error(
        "the broker keeps {what} otherwise than asked: {field} is {found}, not {wanted}. \
         It is too old, or its own limits stand against it (see hub.conf)"
    )]
    Ignored {
        /// A stream, consumer or bucket.
        what: String,
        /// Which setting.
        field: String,
        /// As asked.
        wanted: String,
        /// As it is.
        found: String,
    },
    /// It said no for another reason.
    #[error("the broker refused {what}: {detail}")]
    Refused {
        /// A stream, consumer or bucket.
        what: String,
        /// What the server said.
        detail: String,
    },
    /// Stopped while trying.
    #[error("stopped before the broker was ready")]
    Cancelled,
}

/// A broker that has just started takes connections before its streams are read; on a busy machine
/// this lasts seconds.
const WAKING: Duration = Duration::from_secs(6);

/// What one request came to.
enum Failure {
    /// No answer; it may come with time.
    Silent(String),
    /// A clear no.
    Final(ProvisionError),
}

/// Makes or updates everything that does not depend on nodes. Run again it changes nothing.
/// Waits while the broker does not answer; any clear refusal is an error.
pub(crate) async fn provision(
    broker: &Broker,
    cancel: &CancellationToken,
) -> Result<(), ProvisionError> {
    for config in stream::streams().into_iter().chain(buckets::all()) {
        insist(broker, cancel, &format!("stream {}", config.name), || {
            make_stream(broker, &config)
        })
        .await?;
    }
    let mut consumers = vec![
        (stream::IN, stream::in_router()),
        (stream::TURN, stream::turn_router()),
        (stream::SCHED, stream::sched_router()),
        (stream::DLQ, stream::dlq_router()),
    ];
    consumers.extend(Surface::ALL.map(|surface| (stream::OUT, stream::out_surface(surface))));
    for (of, config) in consumers {
        let what = consumer_name(of, &config);
        insist(broker, cancel, &what, || make_consumer(broker, of, &config)).await?;
    }
    info!("streams, consumers and buckets are in place");
    Ok(())
}

/// Makes or updates a node's consumer, once; the caller tries again.
pub(crate) async fn node_consumer(broker: &Broker, node: &NodeId) -> Result<(), ProvisionError> {
    let config = stream::work_node(node);
    let what = consumer_name(stream::WORK, &config);
    make_consumer(broker, stream::WORK, &config)
        .await
        .map_err(|failure| match failure {
            Failure::Silent(detail) => ProvisionError::Refused { what, detail },
            Failure::Final(error) => error,
        })
}

/// The nodes that have a consumer as it has to be, in a few requests for all of them.
pub(crate) async fn node_consumers(broker: &Broker) -> Result<Vec<NodeId>, async_nats::Error> {
    let work = broker.jetstream().get_stream_no_info(stream::WORK).await?;
    let mut consumers = work.consumers();
    let mut there = Vec::new();
    while let Some(found) = consumers.try_next().await? {
        let Ok(node) = found.name.parse::<NodeId>() else {
            continue;
        };
        let config = stream::work_node(&node);
        let what = consumer_name(stream::WORK, &config);
        if compare::same(&what, &config.into_consumer_config(), &found.config).is_ok() {
            there.push(node);
        }
    }
    Ok(there)
}

/// Removes a node's consumer if nothing lies for it; whether there is none now.
pub(crate) async fn clear_node(broker: &Broker, node: &NodeId) -> Result<bool, async_nats::Error> {
    let work = broker.jetstream().get_stream_no_info(stream::WORK).await?;
    match work.consumer_info(node.as_str()).await {
        Ok(info) if info.num_pending > 0 => Ok(false),
        Ok(_) => {
            work.delete_consumer(node.as_str()).await?;
            Ok(true)
        }
        Err(why) if why.kind() == ConsumerInfoErrorKind::NotFound => Ok(true),
        Err(why) => Err(why.into()),
    }
}

fn consumer_name(of: &str, config: &pull::Config) -> String {
    let name = config.durable_name.as_deref().unwrap_or_default();
    format!("consumer {of}/{name}")
}

/// Repeats while the broker is silent. A silence in which it also refused something is a refusal:
/// it does not answer a request that the credentials do not allow.
async fn insist<F, R>(
    broker: &Broker,
    cancel: &CancellationToken,
    what: &str,
    mut attempt: F,
) -> Result<(), ProvisionError>
where
    F: FnMut() -> R,
    R: Future<Output = Result<(), Failure>>,
{
    let since = Instant::now();
    loop {
        let refusals = broker.refusals();
        let outcome = tokio::select! {
            outcome = attempt() => outcome,
            () = cancel.cancelled() => return Err(ProvisionError::Cancelled),
        };
        match outcome {
            Ok(()) => return Ok(()),
            Err(Failure::Final(ProvisionError::Off { detail })) if since.elapsed() < WAKING => {
                warn!(what, %detail, "the broker has no JetStream, perhaps not yet; again");
            }
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Silent(_)) if broker.refusals() > refusals => {
                return Err(ProvisionError::Forbidden {
                    what: what.to_owned(),
                });
            }
            Err(Failure::Silent(why)) => warn!(what, %why, "the broker does not answer; again"),
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(500)) => {}
            () = cancel.cancelled() => return Err(ProvisionError::Cancelled),
        }
    }
}

async fn make_stream(broker: &Broker, config: &Config) -> Result<(), Failure> {
    let what = format!("stream {}", config.name);
    let info = broker
        .jetstream()
        .create_or_update_stream(config.clone())
        .await
        .map_err(|error| match error.kind() {
            CreateStreamErrorKind::JetStream(api) => refused(&what, &api),
            CreateStreamErrorKind::JetStreamUnavailable => Failure::Final(ProvisionError::Off {
                detail: error.to_string(),
            }),
            CreateStreamErrorKind::TimedOut | CreateStreamErrorKind::Response => {
                Failure::Silent(error.to_string())
            }
            CreateStreamErrorKind::EmptyStreamName
            | CreateStreamErrorKind::InvalidStreamName
            | CreateStreamErrorKind::DomainAndExternalSet
            | CreateStreamErrorKind::NotFound
            | CreateStreamErrorKind::ResponseParse => Failure::Final(ProvisionError::Refused {
                what: what.clone(),
                detail: error.to_string(),
            }),
        })?;
    compare::same(&what, config, &info.config).map_err(Failure::Final)
}

async fn make_consumer(broker: &Broker, of: &str, config: &pull::Config) -> Result<(), Failure> {
    let what = consumer_name(of, config);
    let made: PullConsumer = broker
        .jetstream()
        .create_consumer_on_stream(config.clone(), of)
        .await
        .map_err(|error| match error.kind() {
            ConsumerErrorKind::JetStream(api) => refused(&what, &api),
            ConsumerErrorKind::TimedOut | ConsumerErrorKind::Request | ConsumerErrorKind::Other => {
                Failure::Silent(error.to_string())
            }
            ConsumerErrorKind::InvalidConsumerType | ConsumerErrorKind::InvalidName => {
                Failure::Final(ProvisionError::Refused {
                    what: what.clone(),
                    detail: error.to_string(),
                })
            }
        })?;
    let wanted = config.into_consumer_config();
    compare::same(&what, &wanted, &made.cached_info().config).map_err(Failure::Final)
}

fn refused(what: &str, error: &ApiError) -> Failure {
    const NO_SPACE: [ErrorCode; 6] = [
        ErrorCode::STORAGE_RESOURCES_EXCEEDED,
        ErrorCode::MEMORY_RESOURCES_EXCEEDED,
        ErrorCode::ACCOUNT_RESOURCES_EXCEEDED,
        ErrorCode::INSUFFICIENT_RESOURCES,
        ErrorCode::STREAM_STORE_FAILED,
        ErrorCode::CONSUMER_STORE_FAILED,
    ];
    let (what, detail) = (what.to_owned(), error.to_string());
    let code = error.error_code();
    if NO_SPACE.contains(&code) {
        Failure::Final(ProvisionError::NoSpace { what, detail })
    } else if code == ErrorCode::JETSTREAM_NOT_ENABLED
        || code == ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT
    {
        Failure::Final(ProvisionError::Off { detail })
    } else if code == ErrorCode::CLUSTER_NOT_AVAILABLE || error.code() >= 500 {
        // The server's "temporarily unavailable", as while it recovers, or a trouble of its own, as
        // when its folders are not there yet: none of these is about what was asked.
        Failure::Silent(detail)
    } else {
        Failure::Final(ProvisionError::Refused { what, detail })
    }
}
