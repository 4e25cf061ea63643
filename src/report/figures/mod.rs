//! Figures of a report: each is a function from plain data to SVG, used both in the page and in the
//! files beside it.

pub mod children;
pub mod confusion;
pub mod curves;
pub mod ink;
pub mod lifts;
pub mod network;
pub mod pareto;
pub mod per_class;
mod plot;
pub mod reliability;
pub mod strategies;
mod svg;
mod titled_axis;

pub use svg::Form;

/// One figure with its texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Name of its files, without extension.
    pub name: &'static str,
    /// Heading, also the label for those who cannot see the drawing.
    pub title: String,
    /// What it shows and how to read it.
    pub caption: String,
    /// The drawing for a page and for image files.
    pub wide: String,
    /// The drawing for a phone.
    pub narrow: String,
}

impl Figure {
    /// A figure that `draw` draws in each form; `draw` also receives the title, as the label for
    /// those who cannot see the drawing.
    pub fn new(
        name: &'static str,
        title: &str,
        caption: impl Into<String>,
        draw: impl Fn(Form, &str) -> String,
    ) -> Figure {
        let [wide, narrow] = [Form::Wide, Form::Narrow].map(|form| draw(form, title));
        Figure {
            name,
            title: title.to_owned(),
            caption: caption.into(),
            wide,
            narrow,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    /// The drawing as XML, all of whose numbers are finite.
    pub fn assert_sound(svg: &str) {
        let document =
            roxmltree::Document::parse(svg).unwrap_or_else(|error| panic!("{error}: {svg}"));
        let root = document.root_element();
        assert!(
            root.attribute("aria-label")
                .is_some_and(|label| !label.is_empty())
        );
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert!(!svg.contains("url(") && !svg.contains("href"));
    }
}
