//! What can happen to a parcel. What a vendor calls it is a table in the vendor's folder.

/// Something that happens to a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it; the vendors' tables translate them")]
pub enum Step {
    Ordered,
    AwaitingPickup,
    PickedUp,
    LeftOriginDepot,
    ArrivedHub,
    LeftHub,
    ArrivedDestCity,
    ToDeliveryDepot,
    ArrivedDeliveryDepot,
    Redirected,
    HandedOn,
    OutForDelivery,
    InLocker,
    Delivered,
    DeliveredToRecipient,
    DeliveredAfterException,
    DeliveredByProxy,
    CollectedFromLocker,
    DeliveryOverdue,
    Silent,
    Refused,
    FailedAttempt,
    LockerOverdue,
    Unreachable,
    OutOfArea,
    Held,
    Damaged,
    CancelRequested,
    Returning,
    Returned,
    RefusedForGood,
    Voided,
    AwaitingCustoms,
    InCustoms,
    ThroughCustoms,
    CustomsProblem,
}

impl Step {
    /// Whether the vendor stops following the parcel after it.
    pub fn ends_tracking(self) -> bool {
        self.is_signed() || self == Self::Voided
    }

    /// Whether somebody signed, recipient or sender: what Kuaidi100 calls `ischeck`.
    pub fn is_signed(self) -> bool {
        matches!(
            self,
            Self::Delivered
                | Self::DeliveredToRecipient
                | Self::DeliveredAfterException
                | Self::DeliveredByProxy
                | Self::CollectedFromLocker
                | Self::Returned
                | Self::RefusedForGood
        )
    }
}
