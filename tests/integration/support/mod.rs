//! What the cases stand on: emulators, a recording proxy, two seeded accounts, the binary under test.
//! No case lives here, and nothing of crossgate's own code is used.

pub(crate) mod account;
pub(crate) mod calls;
pub(crate) mod cli;
pub(crate) mod emulators;
pub(crate) mod http;
pub(crate) mod manifest;
pub(crate) mod pipeline;
pub(crate) mod proxy;
pub(crate) mod relay;
pub(crate) mod rounds;
pub(crate) mod schema;
pub(crate) mod shell;
pub(crate) mod snapshot;
pub(crate) mod stores;
pub(crate) mod world;
