//! Texts as vectors, and texts in order of relevance.

mod create_embeddings;
mod rerank;
