//! Every plain request: note it, let the ordered fault strike, check token and rate, do it.
//!
//! Exists so that the order of these steps is the same for all calls. What a call does is left to
//! `token`, `messages`, `media` and `cardkit`.

use std::future::pending;
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, FromRequest, Multipart, Request, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;

use super::Core;
use super::answer::{Answer, Outcome};
use super::fault::{Class, Fault};
use super::line::Line;
use super::media::{self, Upload};
use super::record::Call;
use super::route::Route;
use super::world::World;
use super::{cardkit, element, messages, reaction, token};

/// Uploads end at 30 MB; what is far beyond is not even read.
const MAX_BODY: usize = 64 << 20;

/// A request, read in full.
pub(crate) struct Asked {
    pub(crate) query: String,
    pub(crate) body: Bytes,
    pub(crate) upload: Option<Upload>,
}

impl Asked {
    /// The body as a JSON object.
    pub(crate) fn json(&self) -> Result<Value, Answer> {
        serde_json::from_slice::<Value>(&self.body)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| Answer::refuse(9499, "Bad Request: the body is not a JSON object"))
    }

    /// One parameter of the query.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.query
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }
}

/// Axum's entry for all paths but the websocket.
pub(crate) async fn handle(
    State(core): State<Core>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let query = head.uri.query().unwrap_or_default().to_owned();
    let route = Route::of(head.method.as_str(), &path);
    let class = route.class();
    let body = axum::body::to_bytes(body, MAX_BODY)
        .await
        .unwrap_or_default();
    let upload = upload(class, &head, &body).await;
    let (number, fault) = core.step(|world| {
        let fault = world.faults.take(class);
        let call = Call {
            at: Instant::now(),
            class,
            method: head.method.to_string(),
            path,
            query: query.clone(),
            body: serde_json::from_slice(&body).unwrap_or_default(),
            status: None,
            code: None,
            fault: fault.clone(),
        };
        (world.record(call), fault)
    });
    let asked = Asked {
        query,
        body,
        upload,
    };
    let work = |core: &Core| {
        core.step(|world| {
            let answer =
                judge(world, &route, &head.headers, &asked).unwrap_or_else(|refusal| refusal);
            // Inside the same step: who sees the effect also sees the call as done.
            note(world, number, &answer);
            answer
        })
    };
    let ready = |answer: Answer| {
        core.step(|world| {
            note(world, number, &answer);
            answer
        })
    };
    let answer = match fault {
        None => work(&core),
        Some(Fault::Delay(pause)) => {
            tokio::time::sleep(pause).await;
            work(&core)
        }
        Some(Fault::ExpireToken) => {
            core.step(|world| world.tokens.clear());
            work(&core)
        }
        Some(Fault::Status(status)) => ready(Answer::status(status)),
        Some(Fault::Code { http, code }) => ready(Answer::code(http, code, "ordered by the test")),
        Some(Fault::RateLimited { reset_s }) => ready(Answer::limited(reset_s, 50)),
        Some(Fault::DropBeforeWork | Fault::Disconnect) => {
            line.cut();
            return Response::default();
        }
        Some(Fault::DropAfterWork) => {
            work(&core);
            core.step(|world| {
                // Done, but nobody was told.
                if let Some(call) = world.call(number) {
                    call.status = None;
                }
            });
            line.cut();
            return Response::default();
        }
        Some(Fault::Hang) => pending().await,
        Some(Fault::Late(pause)) => {
            tokio::spawn(async move {
                tokio::time::sleep(pause).await;
                core.step(|world| {
                    let answer = judge(world, &route, &head.headers, &asked);
                    note(world, number, &answer.unwrap_or_else(|refusal| refusal));
                });
            });
            return pending().await;
        }
        Some(Fault::HalfOpen) => {
            line.deafen();
            pending().await
        }
    };
    if let (Route::React(id), Some(0)) = (&route, answer.code)
        && core.look(|w| w.settings.own_reaction_events)
    {
        reaction::tell(&core, id);
    }
    answer.into_response()
}

fn note(world: &mut World, number: usize, answer: &Answer) {
    if let Some(call) = world.call(number) {
        call.status = Some(answer.status);
        call.code = answer.code;
    }
}

async fn upload(class: Class, head: &Parts, body: &Bytes) -> Option<Upload> {
    if !matches!(class, Class::UploadImage | Class::UploadFile) {
        return None;
    }
    let mut request = Request::new(axum::body::Body::from(body.clone()));
    *request.headers_mut() = head.headers.clone();
    // Among them that no limit is set on bodies.
    *request.extensions_mut() = head.extensions.clone();
    let form = Multipart::from_request(request, &()).await.ok()?;
    media::read_form(form).await
}

fn judge(world: &mut World, route: &Route, headers: &HeaderMap, asked: &Asked) -> Outcome {
    let open = matches!(route, Route::Token | Route::Endpoint | Route::Unknown);
    if !open {
        token::check(world, headers)?;
    }
    rate(world, route.class())?;
    match route {
        Route::Token => token::issue(world, &asked.json()?),
        Route::Endpoint => token::endpoint(world, &asked.json()?),
        Route::Send => messages::send(world, asked),
        Route::Reply(id) => messages::reply(world, id, asked),
        Route::Patch(id) => messages::patch(world, id, asked),
        Route::Edit(id) => messages::edit(world, id, asked),
        Route::Delete(id) => messages::delete(world, id),
        Route::Get(id) => messages::get(world, id),
        Route::React(id) => reaction::add(world, id, &asked.json()?),
        Route::Unreact(id, reaction) => reaction::remove(world, id, reaction),
        Route::BotInfo => Ok(token::bot_info(world)),
        Route::UploadImage => media::image(world, asked.upload.as_ref()),
        Route::UploadFile => media::file(world, asked.upload.as_ref()),
        Route::Resource(id, key) => media::resource(world, id, key, asked.param("type")),
        Route::CardUpdate => cardkit::delayed(world, &asked.json()?),
        Route::CardCreate => cardkit::create(world, &asked.json()?),
        Route::CardContent(card, element) => cardkit::content(world, card, element, &asked.json()?),
        Route::CardSettings(card) => cardkit::settings(world, card, &asked.json()?),
        Route::CardReplace(card) => cardkit::replace(world, card, &asked.json()?),
        Route::ElementsAdd(card) => element::add(world, card, &asked.json()?),
        Route::ElementPut(card, id) => element::put(world, card, id, &asked.json()?),
        Route::ElementPatch(card, id) => element::patch(world, card, id, &asked.json()?),
        Route::ElementDelete(card, id) => element::delete(world, card, id, &asked.json()?),
        Route::Unknown => Ok(Answer::status(404)),
    }
}

/// The limits of one API, whatever it is about.
fn rate(world: &mut World, class: Class) -> Result<(), Answer> {
    let limits = world.settings.limits;
    let spans = [(limits.api_per_second, 1), (limits.api_per_minute, 60)];
    for (max, seconds) in spans {
        let key = format!("api {class:?} {seconds}");
        if let Err(wait) = world.admit(&key, max, Duration::from_secs(seconds)) {
            return Err(Answer::limited(wait.as_secs() + 1, max.unwrap_or_default()));
        }
    }
    Ok(())
}
