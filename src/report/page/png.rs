//! Converts a drawing to PNG, with an embedded font because a server may have none.

use std::sync::{Arc, LazyLock};

use image::{DynamicImage, ImageFormat, RgbaImage};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

/// Pixels per CSS pixel: sharp on high-resolution screens and on paper.
pub const SCALE: f32 = 2.0;
/// Maximum number of pixels of an image: a taller one is drawn at a lower resolution.
const MOST_PIXELS: f32 = 40e6;

/// Why a drawing could not be converted to an image.
#[derive(Debug, thiserror::Error)]
pub enum PngError {
    /// It is not valid SVG.
    #[error("the drawing is not valid SVG")]
    Svg(#[from] resvg::usvg::Error),
    /// An image of its size cannot be made.
    #[error("the drawing is too large for an image: {width} x {height}")]
    Size {
        /// Width of the drawing in pixels.
        width: f32,
        /// Height of the drawing in pixels.
        height: f32,
    },
    /// The PNG encoder failed.
    #[error("cannot encode the image")]
    Encode(#[from] image::ImageError),
}

/// The part of Inter that the figures need (assets/report-font).
static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(
        include_bytes!("../../../assets/report-font/Inter-Regular-subset.otf").to_vec(),
    );
    fonts.load_font_data(
        include_bytes!("../../../assets/report-font/Inter-SemiBold-subset.otf").to_vec(),
    );
    Arc::new(fonts)
});

/// `svg` as PNG, with [`SCALE`] pixels per pixel of the drawing.
pub fn png(svg: &str) -> Result<Vec<u8>, PngError> {
    let options = Options {
        fontdb: FONTS.clone(),
        font_family: "Inter".to_owned(),
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options)?;
    let (width, height) = (tree.size().width(), tree.size().height());
    let scale = SCALE.min((MOST_PIXELS / (width * height)).sqrt());
    let [columns, rows] = [width, height].map(|length| (length * scale).round().max(1.0) as u32);
    let mut pixels = Pixmap::new(columns, rows).ok_or(PngError::Size { width, height })?;
    resvg::render(
        &tree,
        Transform::from_scale(scale, scale),
        &mut pixels.as_mut(),
    );
    // The paper is opaque, so premultiplied colours equal the colours themselves.
    let image = RgbaImage::from_raw(columns, rows, pixels.take())
        .ok_or(PngError::Size { width, height })?;
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::ImageRgba8(image)
        .into_rgb8()
        .write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Number of pixels that are not white.
    fn drawn(body: &str) -> usize {
        let svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="60" height="20" font-family="Inter"><rect width="60" height="20" fill="#ffffff"/>{body}</svg>"##
        );
        let image = image::load_from_memory(&png(&svg).unwrap())
            .unwrap()
            .into_rgb8();
        assert_eq!(image.dimensions(), (120, 40));
        image.pixels().filter(|pixel| pixel.0 != [255; 3]).count()
    }

    #[test]
    fn text_is_drawn_without_any_font_of_the_machine_and_bold_is_heavier() {
        let text = |weight: u32| {
            drawn(&format!(
                r#"<text x="2" y="15" font-size="14" font-weight="{weight}">95 %±</text>"#
            ))
        };
        assert!(text(400) > 200, "{}", text(400));
        assert!(text(600) > text(400));
    }

    #[test]
    fn a_line_of_zero_length_with_a_round_cap_is_a_dot() {
        let dot = drawn(
            r#"<path d="M30 10h.01" fill="none" stroke="black" stroke-width="6" stroke-linecap="round"/>"#,
        );
        assert!((90..200).contains(&dot), "{dot}");
    }

    #[test]
    fn invalid_svg_is_an_error() {
        assert!(matches!(png("<svg"), Err(PngError::Svg(_))));
    }
}
