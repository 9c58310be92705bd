//! What goes wrong upstream, and what the maker is told: status, code, wait, and nothing that the
//! provider said of the prompt.

mod any_json;
mod fidelity;
mod misbehaviour;
mod table;
