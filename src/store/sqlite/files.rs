//! Creates the store's file, readable by its owner only.

use std::{
    fs::{DirBuilder, OpenOptions},
    io,
    path::Path,
};

use crate::error::{Error, Kind, Result};

/// Makes sure that the file is there. SQLite gives its companions, `-wal` and `-shm`, the mode of
/// the file itself.
pub(super) fn create(path: &Path) -> Result<()> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(folder)
            .map_err(|cause| cannot("create the folder", folder, cause))?;
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .map(|_| ())
        .map_err(|cause| cannot("write the file", path, cause))
}

fn cannot(what: &str, path: &Path, cause: io::Error) -> Error {
    Error::new(
        Kind::Unavailable,
        format!(
            "store.url: cannot {what} {}: {cause}. Choose a place that the service may write to.",
            path.display()
        ),
    )
    .because(cause)
}
