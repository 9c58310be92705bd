//! Pictures, sound and film.

mod create_image;
mod create_speech;
mod create_transcription;
mod create_video;
mod get_video;
mod list_voice_choices;
