//! Which requests a rule of the fault proxy is about, with names for those of S3.

use super::SeenRequest;

/// Which requests a rule is about. Without conditions: all.
#[derive(Debug, Clone, Default)]
pub struct Matcher {
    method: Option<String>,
    path_contains: Vec<String>,
    path_ends: Option<String>,
    query: Vec<(String, Option<String>)>,
    without_query: Vec<String>,
    beyond_first_byte: bool,
}

impl Matcher {
    /// Every request.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests with this method.
    #[must_use]
    pub fn method(method: &str) -> Self {
        Self { method: Some(method.to_owned()), ..Self::default() }
    }

    /// `UploadPart` of this part number, or of any.
    #[must_use]
    pub fn upload_part(number: Option<u32>) -> Self {
        let matcher = Self::method("PUT").query("uploadId");
        match number {
            Some(number) => matcher.query_is("partNumber", &number.to_string()),
            None => matcher.query("partNumber"),
        }
    }

    /// `CreateMultipartUpload`.
    #[must_use]
    pub fn create_multipart() -> Self {
        Self::method("POST").query("uploads")
    }

    /// `CompleteMultipartUpload`.
    #[must_use]
    pub fn complete_multipart() -> Self {
        Self::method("POST").query("uploadId")
    }

    /// `AbortMultipartUpload`.
    #[must_use]
    pub fn abort_multipart() -> Self {
        Self::method("DELETE").query("uploadId")
    }

    /// `PutObject`, of a key with this ending.
    #[must_use]
    pub fn put_object(key_ends: &str) -> Self {
        Self::method("PUT")
            .path_ends(key_ends)
            .without_query("uploadId")
            .without_query("retention")
            .without_query("legal-hold")
    }

    /// `GetObject`, ranged or whole, presigned or signed, of a key with this ending.
    #[must_use]
    pub fn get_object(key_ends: &str) -> Self {
        Self::method("GET").path_ends(key_ends).without_query("retention").without_query("legal-hold")
    }

    /// And a path that contains this.
    #[must_use]
    pub fn path_contains(mut self, part: &str) -> Self {
        self.path_contains.push(part.to_owned());
        self
    }

    /// And a path that ends in this.
    #[must_use]
    pub fn path_ends(mut self, end: &str) -> Self {
        self.path_ends = Some(end.to_owned());
        self
    }

    /// And a query parameter, whatever its value.
    #[must_use]
    pub fn query(mut self, name: &str) -> Self {
        self.query.push((name.to_owned(), None));
        self
    }

    /// And a query parameter with this value.
    #[must_use]
    pub fn query_is(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), Some(value.to_owned())));
        self
    }

    /// And no such query parameter.
    #[must_use]
    pub fn without_query(mut self, name: &str) -> Self {
        self.without_query.push(name.to_owned());
        self
    }

    /// And a range that does not begin at the first byte.
    #[must_use]
    pub fn beyond_first_byte(mut self) -> Self {
        self.beyond_first_byte = true;
        self
    }

    /// Whether the request meets every condition.
    #[must_use]
    pub fn matches(&self, request: &SeenRequest) -> bool {
        self.method.as_ref().is_none_or(|method| *method == request.method)
            && self.path_contains.iter().all(|part| request.path.contains(part))
            && self.path_ends.as_ref().is_none_or(|end| request.path.ends_with(end))
            && (!self.beyond_first_byte || request.range.as_ref().is_some_and(|range| !range.starts_with("bytes=0-")))
            && self.without_query.iter().all(|name| request.query_value(name).is_none())
            && self.query.iter().all(|(name, wanted)| match (request.query_value(name), wanted) {
                (Some(value), Some(wanted)) => value == wanted,
                (Some(_), None) => true,
                (None, _) => false,
            })
    }
}
