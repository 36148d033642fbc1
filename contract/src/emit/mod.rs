//! Pure generators of the checked-in artefacts.
