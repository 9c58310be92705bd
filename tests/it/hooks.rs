//! Subscriptions and their delivery, without the service around them.

mod delivery;
mod receiver;
mod secrets;
mod subscriptions;
