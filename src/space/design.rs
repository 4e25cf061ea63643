//! What a DNA decodes to: a network that can be built, or a row of a table.

use serde::{Deserialize, Serialize};

use super::Architecture;

/// What an evaluator determines the accuracy of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Fields")]
pub enum Design {
    /// A network to be built and trained.
    #[serde(rename = "architecture")]
    Network(Architecture),
    /// A row of the table of a tabular space, by its key.
    #[serde(rename = "key")]
    Key(String),
}

/// Both forms as fields, so that the error for a damaged file names the missing one.
#[derive(Deserialize)]
struct Fields {
    architecture: Option<Architecture>,
    key: Option<String>,
}

impl TryFrom<Fields> for Design {
    type Error = &'static str;

    fn try_from(fields: Fields) -> Result<Design, Self::Error> {
        Design::of(fields.architecture, fields.key)
    }
}

impl Design {
    /// The design in these two fields.
    ///
    /// # Errors
    /// If there is neither.
    pub fn of(
        architecture: Option<Architecture>,
        key: Option<String>,
    ) -> Result<Design, &'static str> {
        architecture
            .map(Design::Network)
            .or(key.map(Design::Key))
            .ok_or("missing field `architecture`")
    }

    /// The network; `None` for a row of a table.
    pub fn network(&self) -> Option<&Architecture> {
        match self {
            Design::Network(architecture) => Some(architecture),
            Design::Key(_) => None,
        }
    }

    /// Equal for two children if and only if they are the same network (or row): see
    /// [`Architecture::key`].
    pub fn key(&self) -> String {
        match self {
            Design::Network(architecture) => architecture.key(),
            Design::Key(key) => key.clone(),
        }
    }
}
