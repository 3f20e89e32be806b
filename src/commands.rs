//! The one-shot commands of the binary. Each returns what is to be printed; printing and exit codes are `main`'s.

pub(crate) mod audit;
pub(crate) mod doctor;
pub(crate) mod enroll;
mod host_files;
pub(crate) mod init;
pub(crate) mod invite;
pub(crate) mod join;
pub(crate) mod nodes;
pub(crate) mod revoke;
pub(crate) mod service;
pub(crate) mod site;
pub(crate) mod then;
