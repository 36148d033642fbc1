//! How the registry's refusals are answered: the fields go by their names in JSON.

use super::error::ApiError;
use crate::registry::RegistryError;
use crate::registry::source_check::refusal;

impl From<RegistryError> for ApiError {
    fn from(error: RegistryError) -> Self {
        match (error.code(), error) {
            (_, RegistryError::Store(error)) => error.into(),
            (_, RegistryError::Sealed(error)) => error.into(),
            (_, RegistryError::Refused(report)) => refusal(&report).into(),
            (Some(code), error) => Self::new(code, sentence(&error)),
            (None, error) => Self::internal(error),
        }
    }
}

/// A field's name keeps its first letter.
fn sentence(error: &RegistryError) -> String {
    let text = error.to_string();
    if matches!(error, RegistryError::Invalid { .. }) {
        return format!("{text}.");
    }
    let mut characters = text.chars();
    let first: String = characters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", characters.as_str())
}
