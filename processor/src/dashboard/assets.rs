//! The files of the page, embedded in this program (see `build.rs`).

use axum::body::Body;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;

/// A file, plain and compressed.
pub(super) struct Asset {
    pub(super) path: &'static str,
    plain: &'static [u8],
    gzip: &'static [u8],
}

/// Every file of `dashboard/dist/`.
pub(super) const ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The HTML page that all views share.
pub(super) const PAGE: &str = "/index.html";

const NOT_BUILT: &str = "this processor was built without the page of the dashboard: run ./dev dashboard, then build \
                         it again; the API under /api/v1 is there\n";

/// Content security policy: nothing is loaded from elsewhere, and no other page may frame this one. The charts use
/// style attributes.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; \
                      img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// Serves the file at `path`.
pub(super) fn serve(path: &str, request: &HeaderMap) -> Response<Body> {
    let Some(asset) = ASSETS.iter().find(|asset| asset.path == path) else {
        if path == PAGE {
            return (StatusCode::SERVICE_UNAVAILABLE, NOT_BUILT).into_response();
        }
        return (StatusCode::NOT_FOUND, "not found\n").into_response();
    };
    let takes_gzip = request
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| coding.trim() == "gzip");
    // Names in assets/ contain a hash of the content, so such a file never changes.
    let keep = if path.starts_with("/assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let headers = [
        (CONTENT_TYPE, content_type(path)),
        (CACHE_CONTROL, keep),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
        (VARY, "accept-encoding"),
    ];
    if takes_gzip {
        (headers, [(CONTENT_ENCODING, "gzip")], asset.gzip).into_response()
    } else {
        (headers, asset.plain).into_response()
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_has_a_type_and_is_smaller_when_compressed() {
        for ending in [".html", ".js", ".css", ".svg"] {
            assert!(ASSETS.iter().any(|asset| asset.path.ends_with(ending)), "{ending}");
        }
        for asset in ASSETS {
            assert_ne!(content_type(asset.path), "application/octet-stream", "{}", asset.path);
            assert!(asset.gzip.len() < asset.plain.len(), "{}", asset.path);
        }
    }

    #[test]
    fn the_page_names_files_that_are_there_and_loads_nothing_else() {
        let page = ASSETS.iter().find(|asset| asset.path == PAGE).unwrap();
        let page = std::str::from_utf8(page.plain).unwrap();
        let links: Vec<&str> = ["src=\"", "href=\""]
            .iter()
            .flat_map(|attribute| page.split(attribute).skip(1))
            .filter_map(|rest| rest.split('"').next())
            .collect();
        assert!(links.len() >= 3);
        for link in links {
            let path = format!("/{link}");
            let is_place = link.starts_with('#');
            assert!(is_place || ASSETS.iter().any(|asset| asset.path == path), "{link}");
        }
    }
}
