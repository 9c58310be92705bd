//! Pictures, speech and film.

pub mod create_image;
pub mod create_speech;
pub mod create_transcription;
pub mod create_video;
pub mod get_video;
pub mod image_choices;
pub mod languages;
pub mod list_voice_choices;
mod wav;
