//! Processes, real identity providers, real HTTP: what a user would run.

mod audit;
mod browser;
mod chromium;
mod client;
mod command;
mod docs_page;
mod enterprise_api;
mod fastapi_docs;
mod gateway;
mod idp_console;
mod introspection;
mod openid_client;
mod outside;
mod pages;
pub(crate) mod process;
mod products;
mod provider;
mod recipes;
mod redis;
mod revoke;
mod secrets;
mod signing_in;
mod stopping;
mod token;
mod validation;
