//! Pages and searches over real connections to servers of the test: where it may lead, how large and
//! slow it may be, in whose letters it may be written.

mod letters;
mod odd;
mod packed;
mod pages;
mod service;
mod site;
