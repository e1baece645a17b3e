//! A page on an origin of its own, in a real browser, that calls an API behind the gateway: directly,
//! behind nginx, and behind Caddy. It signs in by `oauth4webapi`, with a code and PKCE.

mod api;
mod cookies;
mod direct;
mod fronts;
mod setup;
