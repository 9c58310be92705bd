//! Texts as vectors, and texts in order of relevance.

pub mod create_embeddings;
pub mod rerank;
