//! Unpacks a downloaded archive without letting any entry escape its folder.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Component, Path, PathBuf};

use tar::EntryType;

use super::error::UnpackError;
use crate::foundation::input;

/// Unpack a `.tar.gz` into the folder `into`: only plain files and folders, all below `into`.
///
/// # Errors
/// [`UnpackError::Refused`] at the first entry of another kind or with a path outside `into`;
/// otherwise I/O errors.
pub fn unpack(archive: &Path, into: &Path) -> Result<(), UnpackError> {
    let failed = |cause| UnpackError::Io {
        archive: archive.to_owned(),
        cause,
    };
    let file = input::open(archive).map_err(failed)?;
    let mut reader = tar::Archive::new(flate2::read::GzDecoder::new(BufReader::new(file)));
    for entry in reader.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let path = entry.path().map_err(failed)?.into_owned();
        let refused = |reason| UnpackError::Refused {
            archive: archive.to_owned(),
            entry: path.display().to_string(),
            reason,
        };
        let target = into.join(inside(&path).map_err(refused)?);
        match entry.header().entry_type() {
            EntryType::Directory => fs::create_dir_all(&target).map_err(failed)?,
            EntryType::Regular | EntryType::Continuous => {
                write(&mut entry, &target).map_err(failed)?
            }
            // Metadata about the archive itself, without a file.
            EntryType::XGlobalHeader => {}
            EntryType::Symlink | EntryType::Link => return Err(refused("it is a link")),
            _ => return Err(refused("it is neither a file nor a folder")),
        }
    }
    Ok(())
}

/// The path of an entry if it stays inside: only names, no root and no `..`.
fn inside(path: &Path) -> Result<PathBuf, &'static str> {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::CurDir => {}
            Component::ParentDir => return Err("its path contains `..`"),
            Component::RootDir | Component::Prefix(_) => return Err("its path is absolute"),
        }
    }
    Ok(clean)
}

/// Write a new file. If it already exists (a repeated entry), that is an error.
fn write(entry: &mut impl io::Read, target: &Path) -> io::Result<()> {
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    io::copy(entry, &mut File::create_new(target)?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An archive with one entry of any name and kind, bypassing the `tar` crate's own checks.
    fn archive(folder: &Path, name: &str, kind: EntryType, link: &str) -> PathBuf {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_size(if kind == EntryType::Regular { 4 } else { 0 });
        header.set_mode(0o644);
        header.set_cksum();
        let path = folder.join("evil.tar.gz");
        let gzip = flate2::write::GzEncoder::new(
            File::create(&path).unwrap(),
            flate2::Compression::fast(),
        );
        let mut builder = tar::Builder::new(gzip);
        builder
            .append(
                &header,
                if kind == EntryType::Regular {
                    &b"evil"[..]
                } else {
                    &[]
                },
            )
            .unwrap();
        builder.into_inner().unwrap().finish().unwrap();
        path
    }

    #[test]
    fn entries_that_would_leave_the_folder_are_refused_and_write_nothing() {
        for (name, kind, link, reason) in [
            ("../evil", EntryType::Regular, "", "contains `..`"),
            ("a/../../evil", EntryType::Regular, "", "contains `..`"),
            ("/tmp/nas-tui-evil", EntryType::Regular, "", "is absolute"),
            ("a", EntryType::Symlink, "..", "is a link"),
            ("a", EntryType::Link, "../evil.tar.gz", "is a link"),
            ("a", EntryType::Fifo, "", "neither a file nor a folder"),
            ("a", EntryType::Char, "", "neither a file nor a folder"),
        ] {
            let outer = tempfile::tempdir().unwrap();
            let into = outer.path().join("into");
            fs::create_dir(&into).unwrap();
            let message = unpack(&archive(outer.path(), name, kind, link), &into)
                .unwrap_err()
                .to_string();
            assert!(
                message.contains(reason) && message.contains(name),
                "{name}: {message}"
            );
            assert_eq!(
                fs::read_dir(&into).unwrap().count(),
                0,
                "{name} left something"
            );
            assert!(
                !outer.path().join("evil").exists() && !Path::new("/tmp/nas-tui-evil").exists()
            );
        }
    }

    #[test]
    fn a_harmless_entry_lands_below_the_folder() {
        let outer = tempfile::tempdir().unwrap();
        let into = outer.path().join("into");
        unpack(
            &archive(outer.path(), "./a/b.bin", EntryType::Regular, ""),
            &into,
        )
        .unwrap();
        assert_eq!(fs::read(into.join("a/b.bin")).unwrap(), b"evil");
    }

    #[test]
    fn a_truncated_archive_is_an_error() {
        let outer = tempfile::tempdir().unwrap();
        let path = archive(outer.path(), "a", EntryType::Regular, "");
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert!(matches!(
            unpack(&path, &outer.path().join("into")),
            Err(UnpackError::Io { .. })
        ));
    }
}
