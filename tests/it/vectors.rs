//! Texts as vectors, and texts in order.

mod create_embeddings;
mod rerank;
