//! The stand-in platform: checked by the official SDKs, by raw frames, and by plain requests.

mod cards;
mod frames;
mod outage;
mod probe;
mod rest;
mod sdk;
