//! The list of panels, one per line.

use super::panel::{About, Panel, Scrolled};
use crate::event::RunKind;

/// Defines the ids of panels, and the panels themselves, from one list.
macro_rules! panels {
    ($($id:ident, $field:ident: $panel:ty;)+) => {
        /// The id of a panel, used by arrangements, keys and the focus.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum PanelId {
            $(#[doc = concat!("`", stringify!($panel), "`.")] $id,)+
        }

        impl PanelId {
            /// Every panel, in the order of the list.
            pub const ALL: &[PanelId] = &[$(PanelId::$id),+];

            /// The fixed properties of the panel.
            pub fn about(self) -> About {
                match self {
                    $(PanelId::$id => <$panel as Panel>::about(),)+
                }
            }
        }

        /// All panels with their state.
        #[derive(Debug, Clone, Default)]
        pub struct Panels {
            $(#[doc = concat!("[`PanelId::", stringify!($id), "`].")] pub $field: $panel,)+
        }

        impl Panels {
            /// The panel with this id.
            pub fn get(&self, id: PanelId) -> &dyn Panel {
                match id {
                    $(PanelId::$id => &self.$field,)+
                }
            }

            /// The panel with this id, mutable for handling keys.
            pub fn get_mut(&mut self, id: PanelId) -> &mut dyn Panel {
                match id {
                    $(PanelId::$id => &mut self.$field,)+
                }
            }
        }
    };
}

// In the order of Tab.
panels! {
    Chart, chart: super::chart::ChartView;
    Controller, controller: Scrolled<super::controller::Controller>;
    Workers, workers: super::training::WorkersView;
    Dna, dna: Scrolled<super::dna::DnaView>;
    Children, list: super::list::ListView;
    Effects, effects: Scrolled<super::effects::EffectsView>;
    Curves, curves: super::training_run::curves::CurvesView;
    Progress, progress: Scrolled<super::training_run::progress::ProgressView>;
    Network, network: super::training_run::network::NetworkView;
    Layers, layers: Scrolled<super::training_run::layers::Layers>;
    Test, test: Scrolled<super::training_run::test_result::TestResult>;
    Machine, machine: Scrolled<super::machine::Machine>;
    Log, log: super::log::LogView;
}

impl PanelId {
    /// Its name in the tabs.
    pub fn name(self) -> &'static str {
        self.about().name
    }

    /// Whether runs of this kind have it.
    pub fn is_of(self, kind: RunKind) -> bool {
        self.about().runs.contains(&kind)
    }

    /// The panels of a run, in the order of Tab.
    pub fn of(kind: RunKind) -> Vec<PanelId> {
        let all = PanelId::ALL.iter().copied();
        all.filter(|panel| panel.is_of(kind)).collect()
    }

    /// The next panel.
    pub fn next(self, kind: RunKind) -> PanelId {
        self.after(kind, 1)
    }

    /// The previous panel.
    pub fn previous(self, kind: RunKind) -> PanelId {
        self.after(kind, PanelId::of(kind).len() - 1)
    }

    fn after(self, kind: RunKind, steps: usize) -> PanelId {
        let panels = PanelId::of(kind);
        let index = panels.iter().position(|panel| *panel == self).unwrap_or(0);
        panels[(index + steps) % panels.len()]
    }
}
