//! A life as far as a vendor knows it at one moment, with what the vendor has got wrong or changed its mind about.

use std::borrow::Cow;

use super::clock::Seconds;
use super::steps::Step;
use super::world::{Happening, Parcel, is_over};

/// A change of history: from `since` on the vendor tells one happening differently.
#[derive(Clone, Debug)]
pub struct Revision {
    /// From when on.
    pub since: Seconds,
    /// Which happening, by its index in [`Parcel::happenings`].
    pub index: usize,
    /// What changes.
    pub change: Change,
}

/// What a [`Revision`] does.
#[derive(Clone, Debug)]
pub enum Change {
    /// It never happened.
    Forgotten,
    /// The text is another one.
    Reworded(String),
    /// It happened that many seconds later.
    Moved(Seconds),
    /// A line is added to the text.
    Decorated(&'static str),
    /// Its time is written as this.
    Misdated(&'static str),
}

/// What is known of a parcel, oldest first.
#[derive(Clone, Debug)]
pub struct Snapshot<'life> {
    /// Whose life.
    pub parcel: &'life Parcel,
    /// When the vendor looked.
    pub taken_at: Seconds,
    /// What its carrier told.
    pub happenings: Vec<Cow<'life, Happening>>,
    /// What the carrier abroad told.
    pub abroad: Vec<&'life Happening>,
}

impl<'life> Snapshot<'life> {
    /// What the vendor knows at `taken_at`.
    pub fn taken(parcel: &'life Parcel, revisions: &[Revision], taken_at: Seconds) -> Self {
        let mut happenings = Vec::with_capacity(parcel.happenings.len());
        for (index, happening) in parcel.happenings.iter().enumerate() {
            if happening.visible_at > taken_at {
                continue;
            }
            let mut told = Cow::Borrowed(happening);
            let mut forgotten = false;
            for revision in revisions
                .iter()
                .filter(|revision| revision.index == index && revision.since <= taken_at)
            {
                match &revision.change {
                    Change::Forgotten => forgotten = true,
                    Change::Reworded(text) => told.to_mut().text.clone_from(text),
                    Change::Moved(later) => told.to_mut().at += later,
                    Change::Decorated(line) => told.to_mut().text.push_str(line),
                    Change::Misdated(time) => told.to_mut().written_time = Some(time),
                }
            }
            if !forgotten {
                happenings.push(told);
            }
        }
        let abroad = parcel.destination.iter().flat_map(|carrier| &carrier.happenings);
        let abroad = abroad.filter(|happening| happening.visible_at <= taken_at).collect();
        Self {
            parcel,
            taken_at,
            happenings,
            abroad,
        }
    }

    /// How many lines there are: a vendor pushes when it changes.
    pub fn lines(&self) -> usize {
        self.happenings.len() + self.abroad.len()
    }

    /// The last thing known.
    pub fn newest(&self) -> Option<&Happening> {
        self.abroad
            .last()
            .copied()
            .or_else(|| self.happenings.last().map(AsRef::as_ref))
    }

    /// Whether nothing more will come.
    pub fn is_over(&self) -> bool {
        match &self.parcel.destination {
            Some(_) => self.abroad.last().is_some_and(|last| last.step.ends_tracking()),
            None => is_over(&self.parcel.happenings) && self.newest().is_some_and(|last| last.step.ends_tracking()),
        }
    }

    /// Whether somebody signed.
    pub fn is_signed(&self) -> bool {
        self.newest().is_some_and(|last| last.step.is_signed())
    }

    /// Whether a step is among what its own carrier told.
    pub fn has(&self, wanted: impl Fn(Step) -> bool) -> bool {
        self.happenings.iter().any(|happening| wanted(happening.step))
    }
}
