//! The heads of a space: what each decides about a layer, from which options, and the names for it
//! and its values.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::family::FAMILIES;
use crate::config::SpaceConfig;

/// What is decided about a layer, and from which values: one softmax of the controller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// What the head decides.
    pub kind: HeadKind,
    /// The values that it chooses from, in the order of its outputs; `choices` in the journal.
    #[serde(rename = "choices")]
    pub options: Vec<u32>,
}

/// What a head decides. Each kind is a constant in the file of the family that uses it; a journal
/// contains its key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HeadKind {
    /// Name in journals, unique over all families.
    pub key: &'static str,
    /// Name in messages and on the screen.
    pub name: &'static str,
    /// The same in at most 7 columns.
    pub short_name: &'static str,
    /// Where its options come from, and what they mean.
    pub values: Values,
}

/// Where the options of a head come from, and what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Values {
    /// Sizes that are listed in the settings under this key, such as `space.kernels`.
    Listed(&'static str),
    /// Things that the family names: a value is an index.
    Named(&'static [&'static str]),
    /// 1 or 0: whether the output of one earlier layer is an input. Such a head is the last of its
    /// family; it occurs once for each earlier layer, from the first, and the controller decides
    /// with it at an anchor point.
    Connection,
}

impl HeadKind {
    /// Key of the setting that lists its options; `None` if the space determines them.
    pub(super) fn setting(self) -> Option<&'static str> {
        match self.values {
            Values::Listed(setting) => Some(setting),
            Values::Named(_) | Values::Connection => None,
        }
    }

    /// The options of a head of this kind with these settings.
    pub(super) fn options(self, config: &SpaceConfig) -> Vec<u32> {
        match self.values {
            Values::Listed(setting) => listed(config, setting).to_vec(),
            Values::Named(names) => (0..names.len() as u32).collect(),
            Values::Connection => vec![0, 1],
        }
    }

    /// Whether each of its decisions is about one earlier layer ([`Values::Connection`]).
    pub fn is_connection(self) -> bool {
        self.values == Values::Connection
    }

    /// What it decides, as text.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The same, for a narrow column.
    pub fn short_name(self) -> &'static str {
        self.short_name
    }

    /// What a value of its gene stands for: the number itself, or the name of the thing chosen.
    pub fn label(self, value: u32) -> String {
        match self.values {
            Values::Listed(_) | Values::Connection => None,
            Values::Named(names) => names.get(value as usize),
        }
        .map_or_else(|| value.to_string(), |name| (*name).to_owned())
    }
}

/// Keys of the settings that list options.
pub const LISTS: [&str; 4] = [
    "space.kernels",
    "space.filters",
    "space.strides",
    "space.paddings",
];

/// The list of options with this key in the settings.
pub fn listed<'a>(config: &'a SpaceConfig, setting: &str) -> &'a [u32] {
    match setting {
        "space.kernels" => &config.kernels,
        "space.filters" => &config.filters,
        "space.strides" => &config.strides,
        _ => &config.paddings,
    }
}

/// The head that decided value number `value` (from 0) of a gene and, for a connection, the earlier
/// layer that it comes from; `None` beyond the heads of a layer.
pub fn head_of(heads: &[Head], value: usize) -> Option<(&Head, Option<usize>)> {
    let last = heads.last()?;
    let sizes = heads.len() - usize::from(last.kind.is_connection());
    match value.checked_sub(sizes) {
        None => heads.get(value).map(|head| (head, None)),
        Some(earlier) if last.kind.is_connection() => Some((last, Some(earlier + 1))),
        Some(_) => None,
    }
}

/// Printed as its key, like an enum variant.
impl std::fmt::Debug for HeadKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.key)
    }
}

impl Serialize for HeadKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.key)
    }
}

impl<'de> Deserialize<'de> for HeadKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<HeadKind, D::Error> {
        let key = String::deserialize(deserializer)?;
        let mut kinds = FAMILIES.iter().flat_map(|family| family.kinds());
        let kind = kinds.find(|kind| kind.key == key).copied();
        kind.ok_or_else(|| D::Error::custom(format!("no space has a head \"{key}\"")))
    }
}
