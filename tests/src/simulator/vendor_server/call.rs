//! A call of a vendor's API, as far as the vendor looks at it.

/// Which API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    /// Kuaidi100: subscribe.
    Poll,
    /// Kuaidi100: subscribe to a parcel on a map.
    PollMap,
    /// Kuaidi100: query.
    Query,
    /// Kdniao: subscribe or query, by `RequestType`.
    Packet,
    /// 17TRACK: register.
    Register,
    /// 17TRACK: follow a stopped number again.
    Retrack,
    /// 17TRACK: query.
    GetTrackInfo,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) api: Api,
    /// Header `X-Apig-AppCode`.
    pub(crate) app_code: Option<String>,
    /// Header `17token`.
    pub(crate) token: Option<String>,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}
