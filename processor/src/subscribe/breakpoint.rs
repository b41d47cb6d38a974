//! Places where a test stops a worker, to kill it just there: `COURIERFLOW_TEST_STOP=after_intent` or `after_answer`. They exist in builds
//! with debug assertions only; a release has nothing of them and reads no such variable.

/// Where a worker can be stopped.
#[derive(Clone, Copy, Debug)]
pub(super) enum Breakpoint {
    /// An intent is committed, and its call not made.
    AfterIntent,
    /// A call was answered, and the answer is not committed.
    AfterAnswer,
}

/// Stops the worker here for good if a test wants it: it goes on being a member of its group, and does nothing any more.
#[cfg(debug_assertions)]
pub(super) fn reach(here: Breakpoint) {
    let name = match here {
        Breakpoint::AfterIntent => "after_intent",
        Breakpoint::AfterAnswer => "after_answer",
    };
    if std::env::var_os("COURIERFLOW_TEST_STOP").is_some_and(|wanted| wanted == name) {
        tracing::warn!("test stop: {name}");
        loop {
            std::thread::park();
        }
    }
}

/// Nothing in a release.
#[cfg(not(debug_assertions))]
pub(super) const fn reach(_here: Breakpoint) {}
