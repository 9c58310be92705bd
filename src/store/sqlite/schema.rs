//! Brings a file to the form that this program works with.

use sqlx::SqlitePool;

use crate::{
    error::{Error, Kind, Result},
    store::now,
};

/// Every step from an empty file on. A released one never changes; a new form is a new step.
const STEPS: &[&str] = &[include_str!("../migrations/0001_records.sql")];

/// Takes the steps that the file has not taken yet, all or none of them.
///
/// # Errors
///
/// [`Kind::Unavailable`] with a sentence for the operator if the file was written by a newer
/// program, which may hold what this one would lose.
pub(super) async fn migrate(writer: &SqlitePool) -> Result<()> {
    let mut write = writer.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query(
        "CREATE TABLE IF NOT EXISTS versions \
         (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT",
    )
    .execute(&mut *write)
    .await?;
    let (found,): (i64,) = sqlx::query_as("SELECT ifnull(max(version), 0) FROM versions")
        .fetch_one(&mut *write)
        .await?;
    let taken = usize::try_from(found).unwrap_or_default();
    let Some(left) = STEPS.get(taken..) else {
        return Err(Error::new(
            Kind::Unavailable,
            format!(
                "store.url: the file has form {found}, and this version of the program knows forms up to {}. \
                 Run the version that wrote it, or choose another file.",
                STEPS.len()
            ),
        ));
    };
    for (version, step) in (found + 1..).zip(left) {
        sqlx::raw_sql(*step).execute(&mut *write).await?;
        sqlx::query("INSERT INTO versions VALUES (?, ?)")
            .bind(version)
            .bind(now())
            .execute(&mut *write)
            .await?;
    }
    write.commit().await?;
    Ok(())
}
