//! The user's own images: `train/CLASS/*` and optionally `test/CLASS/*`, in the formats of
//! [`EXTENSIONS`], of any size and colour type.

use std::fs;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};

use image::ImageReader;
use image::imageops::FilterType;

use super::error::DataError;
use super::{Images, LabelledImages, Part, source};
use crate::config::DataSource;
use crate::foundation::numbers::counted;
use crate::foundation::{host, input, text};

/// Extensions of the files that are read. (They are decoded by content, not by name.)
const EXTENSIONS: [&str; 5] = ["png", "jpg", "jpeg", "webp", "bmp"];
/// Most bytes of an image file.
const LONGEST: u64 = 256 << 20;
/// Most pixels of an image: those of the largest cameras. Decoded, they occupy 200 MB and more.
const MOST_PIXELS: u64 = 1 << 26;

/// What is found among the images of a part but not read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Unread {
    /// Number of files of other kinds.
    pub files: usize,
    /// Number of folders inside class folders.
    pub folders: usize,
    /// The first of them, in the order in which images are read.
    pub first: PathBuf,
}

impl std::fmt::Display for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = |number: usize, one: &str, many: &str| match number {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{number} {many}")),
        };
        let files = count(self.files, "file", "files");
        let folders = count(
            self.folders,
            "folder in a class folder",
            "folders in class folders",
        );
        let what: Vec<String> = files.into_iter().chain(folders).collect();
        let (is, them) = if self.files + self.folders == 1 {
            ("is", "it")
        } else {
            ("are", "them")
        };
        let remedy = match (self.files, self.folders) {
            (_, 0) => format!("convert {them}, or move {them} elsewhere"),
            (0, 1) => "move its images into the class folder itself".to_owned(),
            (0, _) => "move their images into the class folders themselves".to_owned(),
            _ => {
                "convert the files, and move the folders' images into the class folders themselves"
                    .to_owned()
            }
        };
        write!(
            f,
            "{} {is} not read, the first {}: images are .png, .jpg, .jpeg, .webp and .bmp files in train/CLASS and test/CLASS; {remedy}",
            what.join(" and "),
            self.first.display()
        )
    }
}

/// What [`read`] skips in `dir`: files beside the class folders, and everything in them that is not
/// an image, including folders. Hidden files do not count.
pub(super) fn unread(dir: &Path, part: Part) -> Result<Option<Unread>, DataError> {
    let (folders, mut passed): (Vec<PathBuf>, Vec<PathBuf>) = entries(&root(dir, part))?
        .into_iter()
        .partition(|path| path.is_dir());
    for folder in folders {
        passed.extend(entries(&folder)?.into_iter().filter(|path| !is_image(path)));
    }
    let folders = passed.iter().filter(|path| path.is_dir()).count();
    let files = passed.len() - folders;
    Ok(passed.into_iter().next().map(|first| Unread {
        files,
        folders,
        first,
    }))
}

fn root(dir: &Path, part: Part) -> PathBuf {
    dir.join(match part {
        Part::Training => "train",
        Part::Test => "test",
    })
}

/// The images of one part of `dir`, RGB, stretched to `size` (height, width). In both parts,
/// classes are numbered by the sorted folder names of `train`.
pub(super) fn read(dir: &Path, size: [usize; 2], part: Part) -> Result<LabelledImages, DataError> {
    let train = dir.join("train");
    let classes = class_folders(&train)?;
    if classes.len() < 2 {
        let problem = format!(
            "{} where at least two are needed",
            counted(classes.len() as u64, "class folder")
        );
        return Err(DataError::malformed(&train, None, problem, remedy()));
    }
    let folders = match part {
        Part::Training => classes.iter().cloned().enumerate().collect(),
        Part::Test => test_folders(dir, &classes)?,
    };
    let root = root(dir, part);
    let mut files = Vec::new();
    let mut labels = Vec::new();
    for (label, class) in folders {
        let images = image_files(&root.join(class))?;
        let label = u16::try_from(label).map_err(|_| {
            DataError::malformed(
                &train,
                None,
                format!("more than {} class folders", u16::MAX),
                remedy(),
            )
        })?;
        labels.resize(labels.len() + images.len(), label);
        files.extend(images);
    }
    let pixels = decode_all(&files, size)?;
    Ok(LabelledImages {
        input: [3, size[0], size[1]],
        classes: (classes.iter())
            .map(|class| text::line(class).into_owned())
            .collect(),
        images: Images { pixels, labels },
    })
}

fn remedy() -> &'static str {
    source::remedy(DataSource::Folder)
}

/// The folders of `test` with the class numbers of `train`.
fn test_folders(dir: &Path, classes: &[String]) -> Result<Vec<(usize, String)>, DataError> {
    let test = dir.join("test");
    if !test.is_dir() {
        let remedy = "put test images at DIR/test/CLASS/NAME.png (or .jpg, .webp, .bmp)".to_owned();
        return Err(DataError::Missing {
            what: "folder `test` of the data set".to_owned(),
            looked: vec![dir.to_owned()],
            remedy,
        });
    }
    let numbered = |class: String| match classes.iter().position(|known| *known == class) {
        Some(label) => Ok((label, class)),
        None => {
            let problem = format!(
                "class `{class}` is not one of the training classes ({})",
                classes.join(", ")
            );
            let remedy = "rename or remove the folder, or add training images for it";
            Err(DataError::malformed(
                &test.join(&class),
                None,
                problem,
                remedy,
            ))
        }
    };
    let folders = class_folders(&test)?;
    if folders.is_empty() {
        return Err(DataError::malformed(
            &test,
            None,
            "no class folders",
            remedy(),
        ));
    }
    folders.into_iter().map(numbered).collect()
}

/// Sorted names of the folders in `root`, without hidden ones.
pub(super) fn class_folders(root: &Path) -> Result<Vec<String>, DataError> {
    let mut names = Vec::new();
    for path in entries(root)? {
        if !path.is_dir() {
            continue;
        }
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or_else(|| {
                DataError::malformed(
                    &path,
                    None,
                    "the folder's name is not UTF-8",
                    "rename the folder",
                )
            })?;
        names.push(name.to_owned());
    }
    Ok(names)
}

/// Image files of a class folder, sorted by name.
fn image_files(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let (files, others): (Vec<PathBuf>, Vec<PathBuf>) = entries(folder)?
        .into_iter()
        .partition(|path| is_image(path));
    if files.is_empty() {
        let problem = match others.first().and_then(|path| path.file_name()) {
            Some(first) => {
                format!(
                    "the class folder contains no images, only others ({}, the first {})",
                    others.len(),
                    first.display()
                )
            }
            None => "the class folder contains no images".to_owned(),
        };
        let remedy = "put .png, .jpg, .jpeg, .webp or .bmp files into it, or remove the folder";
        return Err(DataError::malformed(folder, None, problem, remedy));
    }
    Ok(files)
}

fn is_image(path: &Path) -> bool {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .map(str::to_ascii_lowercase);
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str())) && !path.is_dir()
}

/// Everything in a folder that is not hidden, sorted by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let read = || -> io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect()
    };
    let mut paths = read().map_err(|cause| DataError::unreadable(folder, cause, remedy()))?;
    paths.retain(|path| {
        !path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
    });
    paths.sort();
    Ok(paths)
}

/// Decode every file into `[N, 3, H, W]`, on all cores. If several files are bad, the first in
/// order is reported.
fn decode_all(files: &[PathBuf], size: [usize; 2]) -> Result<Vec<u8>, DataError> {
    let image = 3 * size[0] * size[1];
    if image == 0 {
        return Err(DataError::Unusable(format!(
            "data.size {size:?} is empty; set height and width to at least 1"
        )));
    }
    let share = files.len().div_ceil(host::cores()).max(1);
    let mut pixels = vec![0; files.len() * image];
    let outcomes: Vec<Result<(), DataError>> = std::thread::scope(|scope| {
        let decode = |(files, pixels): (&[PathBuf], &mut [u8])| {
            files
                .iter()
                .zip(pixels.chunks_exact_mut(image))
                .try_for_each(|(file, pixels)| decode(file, size, pixels))
        };
        let shares = files.chunks(share).zip(pixels.chunks_mut(share * image));
        let threads: Vec<_> = shares
            .map(|share| scope.spawn(move || decode(share)))
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    });
    outcomes.into_iter().collect::<Result<(), _>>()?;
    Ok(pixels)
}

/// Some messages of the decoders end with a line break.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Decode one file into planar RGB `[3, H, W]`.
fn decode(file: &Path, [height, width]: [usize; 2], pixels: &mut [u8]) -> Result<(), DataError> {
    let remedy = "replace or remove the file";
    let bytes =
        input::read(file, LONGEST).map_err(|cause| DataError::unreadable(file, cause, remedy))?;
    if bytes.is_empty() {
        return Err(DataError::malformed(
            file,
            None,
            "the file is empty",
            remedy,
        ));
    }
    let broken = |cause: image::ImageError| {
        let problem = one_line(&cause.to_string());
        let problem = format!("the image cannot be decoded: {problem}");
        DataError::malformed(file, None, problem, remedy)
    };
    let pixels_there = reader(&bytes)
        .and_then(ImageReader::into_dimensions)
        .map_err(broken)?;
    if u64::from(pixels_there.0) * u64::from(pixels_there.1) > MOST_PIXELS {
        let (width, height) = pixels_there;
        let problem =
            format!("the image has {width}x{height} pixels; at most {MOST_PIXELS} are decoded");
        return Err(DataError::malformed(file, None, problem, remedy));
    }
    let decoded = reader(&bytes).and_then(ImageReader::decode);
    let mut rgb = decoded.map_err(broken)?.into_rgb8();
    let wanted = (to_u32(width)?, to_u32(height)?);
    if rgb.dimensions() != wanted {
        rgb = image::imageops::resize(&rgb, wanted.0, wanted.1, FilterType::Triangle);
    }
    let plane = height * width;
    for (index, pixel) in rgb.pixels().enumerate() {
        for (channel, &value) in pixel.0.iter().enumerate() {
            pixels[channel * plane + index] = value;
        }
    }
    Ok(())
}

/// The format of an image is known from its first bytes, whatever its file is called.
fn reader(bytes: &[u8]) -> image::ImageResult<ImageReader<Cursor<&[u8]>>> {
    Ok(ImageReader::new(Cursor::new(bytes)).with_guessed_format()?)
}

fn to_u32(side: usize) -> Result<u32, DataError> {
    u32::try_from(side).map_err(|_| {
        DataError::Unusable(format!(
            "data.size {side} is too large; use at most a few hundred"
        ))
    })
}
