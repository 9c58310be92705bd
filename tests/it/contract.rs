//! What is true of all operations together, of the definition, and of the code's own order.

mod bounds;
mod definition;
mod docs;
mod every_operation;
mod layering;
mod published;
