//! What a word can mean. The decision table calls the senses by their names.

macro_rules! senses {
    ($($variant:ident $name:literal $group:ident,)*) => {
        /// What a word means.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub(super) enum Sense {
            $($variant,)*
        }

        impl Sense {
            const NAMES: &[(&str, Self)] = &[$(($name, Self::$variant),)*];
            const GROUPS: &[Group] = &[$(Group::$group,)*];
        }
    };
}

/// What part a word plays in its clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// Parts clauses.
    Mark,
    /// Says whether and when.
    Modality,
    /// Hides words that it contains.
    Neutral,
    /// Who acts or is met.
    Person,
    /// Where.
    Place,
    /// A step of the parcel.
    Step,
    /// Why something went wrong; behind a delivery attempt it says how the attempt ended.
    Trouble,
}

senses! {
    SentenceEnd "。" Mark,
    Question "?" Mark,
    Semicolon ";" Mark,
    Comma "," Mark,
    Colon ":" Mark,
    Open "(" Mark,
    Close ")" Mark,
    NameOpen "【" Mark,
    NameClose "】" Mark,
    Not "not" Modality,
    Failed "failed" Modality,
    Future "future" Modality,
    Request "request" Modality,
    Done "done" Modality,
    Now "now" Modality,
    Success "success" Modality,
    Ongoing "ongoing" Modality,
    If "if" Modality,
    SuffixIf "suffix_if" Modality,
    Courtesy "courtesy" Modality,
    From "from" Modality,
    WeakIf "weak_if" Modality,
    Per "per" Modality,
    Wish "wish" Modality,
    Nobody "nobody" Modality,
    WithProof "with_proof" Modality,
    Generic "generic" Modality,
    Hasty "hasty" Modality,
    Neutral "neutral" Neutral,
    Recipient "recipient" Person,
    Self_ "self" Person,
    Proxy "proxy" Person,
    Someone "someone" Person,
    Sender "sender" Person,
    ToSender "to_sender" Person,
    Courier "courier" Person,
    OtherCarrier "other_carrier" Person,
    Signer "signer" Neutral,
    Station "station" Place,
    Depot "depot" Place,
    Hub "hub" Place,
    Door "door" Place,
    Warehouse "warehouse" Place,
    ReturnsCentre "returns_centre" Place,
    Origin "origin" Place,
    Customs "customs" Place,
    Sign "sign" Step,
    SignProblem "sign_problem" Step,
    Unsigned "unsigned" Step,
    ReturnSigned "return_signed" Step,
    ProxySign "proxy_sign" Step,
    HoldFor "hold_for" Step,
    Deliver "deliver" Step,
    Bring "bring" Step,
    Delivery "delivery" Step,
    Dispatch "dispatch" Step,
    SetOut "set_out" Step,
    Again "again" Neutral,
    Attempt "attempt" Step,
    Arrange "arrange" Neutral,
    Fetch "fetch" Step,
    Take "take" Step,
    SelfPickup "self_pickup" Step,
    Pickup "pickup" Step,
    CodeSign "code_sign" Step,
    FetchedBack "fetched_back" Step,
    Receive "receive" Step,
    Code "code" Step,
    AwaitPickup "await_pickup" Step,
    Store "store" Step,
    Collect "collect" Step,
    Accept "accept" Step,
    Assigned "assigned" Step,
    Order "order" Step,
    Task "task" Step,
    Announced "announced" Step,
    Cancel "cancel" Step,
    CancelBare "cancel_bare" Step,
    Contact "contact" Step,
    CustomsPapers "customs_papers" Step,
    Void "void" Step,
    VoidRequest "void_request" Step,
    Transit "transit" Step,
    Linehaul "linehaul" Step,
    Arrive "arrive" Step,
    ArrivedCity "arrived_city" Step,
    Handover "handover" Step,
    Redirect "redirect" Step,
    Return "return" Step,
    ReturnedToSender "returned_to_sender" Step,
    WillReturn "will_return" Step,
    Back "back" Step,
    ReturnReason "return_reason" Neutral,
    Intercept "intercept" Step,
    InterceptVoid "intercept_void" Step,
    Clear "clear" Step,
    Cleared "cleared" Step,
    Duty "duty" Step,
    Problem "problem" Trouble,
    Absent "absent" Trouble,
    Retry "retry" Trouble,
    Refuse "refuse" Trouble,
    Unreachable "unreachable" Trouble,
    BadPhone "bad_phone" Trouble,
    BadAddress "bad_address" Trouble,
    OutOfArea "out_of_area" Trouble,
    Wrong "wrong" Trouble,
    Beyond "beyond" Trouble,
    Held "held" Trouble,
    Delayed "delayed" Trouble,
    Damaged "damaged" Trouble,
    Missorted "missorted" Trouble,
    Lost "lost" Trouble,
    Destroyed "destroyed" Trouble,
    Uncollected "uncollected" Trouble,
    Overdue "overdue" Neutral,
    Hours "hours" Neutral,
    Today "today" Neutral,
    Waybill "waybill" Neutral,
    Goods "goods" Neutral,
    Address "address" Neutral,
    Phone "phone" Neutral,
    Area "area" Neutral,
    Ready "ready" Neutral,
    Updated "updated" Step,
    NoInfo "no_info" Step,
    Partial "partial" Step,
}

/// A set of senses is 128 bits.
const _: () = assert!(Sense::NAMES.len() <= 128);

impl Sense {
    /// Marks that survive normalising.
    pub(super) const MARKS: &[(char, Self)] = &[
        ('。', Self::SentenceEnd),
        ('?', Self::Question),
        (';', Self::Semicolon),
        (',', Self::Comma),
        (':', Self::Colon),
        ('(', Self::Open),
        (')', Self::Close),
        ('【', Self::NameOpen),
        ('】', Self::NameClose),
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, sense)| *sense)
    }

    pub(super) fn group(self) -> Group {
        Self::GROUPS.get(self as usize).copied().unwrap_or(Group::Neutral)
    }

    /// Its bit in a set of senses.
    pub(super) fn bit(self) -> u128 {
        1 << (self as u8)
    }

    /// A step or a trouble: what has a modality of its own and ends the reach of another's.
    pub(super) fn is_event(self) -> bool {
        matches!(self.group(), Group::Step | Group::Trouble)
    }

    pub(super) fn is_who_or_where(self) -> bool {
        matches!(self.group(), Group::Person | Group::Place)
    }
}
