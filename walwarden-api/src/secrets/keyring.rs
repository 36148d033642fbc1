//! The three keys of an installation, and what is done with them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use walwarden_contract::{DatabaseId, DestinationId, Timestamp};
use walwarden_sdk::postgres::Dsn;
use zeroize::Zeroizing;

use super::credentials::{Access, Credentials};
use super::files::{KeyFile, SecretFileError, create_private, read_private};
use super::history::KeyHistory;
use super::sealer::{SealError, Sealer};
use super::signer::{KeyInMemory, SignError, Signer};
use super::token::{TokenError, TokenSettings};
use crate::store::Store;
use crate::store::databases::Database;
use crate::store::destinations::Destination;
use crate::system::System;

/// Where a key comes from.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// The environment.
    Text(SecretString),
    /// A file.
    File(PathBuf),
}

/// Where each key comes from.
#[derive(Debug, Clone)]
pub struct KeySources {
    /// [`KeyFile::Sealing`].
    pub sealing: KeySource,
    /// [`KeyFile::Signing`], unless a key in the PKCS#11 token signs.
    pub signing: KeySource,
    /// [`KeyFile::Token`].
    pub token: KeySource,
    /// The PKCS#11 token, if there is one.
    pub pkcs11: Option<TokenSettings>,
}

impl KeySources {
    /// The files of a data directory.
    #[must_use]
    pub fn in_directory(data_dir: &Path) -> Self {
        let file = |key: KeyFile| KeySource::File(data_dir.join(key.file_name()));
        let (sealing, signing, token) = (file(KeyFile::Sealing), file(KeyFile::Signing), file(KeyFile::Token));
        Self { sealing, signing, token, pkcs11: None }
    }

    /// The token and the label of the key in it that signs; `None` when a file does.
    #[must_use]
    pub fn signs_with_token(&self) -> Option<(&TokenSettings, &str)> {
        let settings = self.pkcs11.as_ref()?;
        Some((settings, settings.key_label.as_deref()?))
    }

    /// What signs.
    ///
    /// # Errors
    /// A [`KeyringError`] that says why the key cannot be used.
    pub fn signer(&self) -> Result<Arc<dyn Signer>, KeyringError> {
        match self.signs_with_token() {
            Some((settings, label)) => Ok(open_in_token(settings, label)?),
            None => signer_from(&self.signing),
        }
    }

    /// The source of one key.
    #[must_use]
    pub const fn of(&self, key: KeyFile) -> &KeySource {
        match key {
            KeyFile::Sealing => &self.sealing,
            KeyFile::Signing => &self.signing,
            KeyFile::Token => &self.token,
        }
    }
}

/// Why the keys cannot be used. Never holds any part of a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// A key's file cannot be used.
    #[error("the {label}: {source}", label = .key.label())]
    File {
        /// Which key.
        key: KeyFile,
        /// Why.
        source: SecretFileError,
    },
    /// A key does not have the form that it should have.
    #[error("the {label} is not {expected}", label = .key.label())]
    Malformed {
        /// Which key.
        key: KeyFile,
        /// What it should be.
        expected: &'static str,
    },
    /// Keys stand where new ones were to be written.
    #[error("refusing to overwrite {}", paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "))]
    Exists {
        /// What exists.
        paths: Vec<PathBuf>,
    },
    /// A new key cannot be written.
    #[error(transparent)]
    Write(#[from] SecretFileError),
    /// The signing key's token cannot be used.
    #[error("the signing key: {0}")]
    Token(#[from] TokenError),
}

/// The signing key of a file or of the environment.
pub(crate) fn signer_from(source: &KeySource) -> Result<Arc<dyn Signer>, KeyringError> {
    let (key, expected) = (KeyFile::Signing, "an Ed25519 private key in PKCS#8 PEM form");
    let pem = read(key, source)?;
    let read = SigningKey::from_pkcs8_pem(pem.trim()).map_err(|_| KeyringError::Malformed { key, expected })?;
    Ok(Arc::new(KeyInMemory::new(read)))
}

/// The signing key of this label in a token.
#[cfg(feature = "pkcs11")]
pub(crate) fn open_in_token(settings: &TokenSettings, label: &str) -> Result<Arc<dyn Signer>, TokenError> {
    Ok(Arc::new(super::pkcs11::KeyInToken::open(settings, label)?))
}

/// The signing key of this label in a token.
#[cfg(not(feature = "pkcs11"))]
pub(crate) fn open_in_token(_: &TokenSettings, _: &str) -> Result<Arc<dyn Signer>, TokenError> {
    Err(TokenError::NotBuilt)
}

/// Makes a signing key of this label in a token, unless there is one. Answers whether it did.
#[cfg(feature = "pkcs11")]
pub(crate) fn generate_in_token(settings: &TokenSettings, label: &str) -> Result<bool, TokenError> {
    super::pkcs11::KeyInToken::generate(settings, label)
}

/// Makes a signing key of this label in a token, unless there is one. Answers whether it did.
#[cfg(not(feature = "pkcs11"))]
pub(crate) fn generate_in_token(_: &TokenSettings, _: &str) -> Result<bool, TokenError> {
    Err(TokenError::NotBuilt)
}

/// The keys of an installation.
pub struct Keyring {
    sealer: Sealer,
    signer: Arc<dyn Signer>,
    token_key: Zeroizing<[u8; 32]>,
    history: RwLock<Option<Arc<KeyHistory>>>,
}

fn read(key: KeyFile, source: &KeySource) -> Result<Zeroizing<String>, KeyringError> {
    match source {
        KeySource::Text(text) => Ok(Zeroizing::new(text.expose_secret().to_owned())),
        KeySource::File(path) => read_private(path).map_err(|source| KeyringError::File { key, source }),
    }
}

fn parse_bytes(key: KeyFile, text: &str, expected: &'static str) -> Result<Zeroizing<[u8; 32]>, KeyringError> {
    let mut bytes = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim(), &mut *bytes).map_err(|_| KeyringError::Malformed { key, expected })?;
    Ok(bytes)
}

fn read_bytes(key: KeyFile, source: &KeySource) -> Result<Zeroizing<[u8; 32]>, KeyringError> {
    parse_bytes(key, &read(key, source)?, "64 hexadecimal digits")
}

/// Reads sealing keys, one on each line: the first one seals, all of them open.
fn read_sealer(source: &KeySource) -> Result<Sealer, KeyringError> {
    let (key, expected) = (KeyFile::Sealing, "one key of 64 hexadecimal digits on each of at most 8 lines");
    let text = read(key, source)?;
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().ok_or(KeyringError::Malformed { key, expected })?;
    let mut sealer = Sealer::new(&*parse_bytes(key, first, expected)?);
    for (number, line) in lines.enumerate() {
        if number >= 7 {
            return Err(KeyringError::Malformed { key, expected });
        }
        sealer = sealer.and_opens_with(&*parse_bytes(key, line, expected)?);
    }
    Ok(sealer)
}

impl Keyring {
    /// Reads the keys.
    ///
    /// # Errors
    /// A [`KeyringError`] that names the key that is missing, exposed or malformed.
    pub fn load(sources: &KeySources) -> Result<Self, KeyringError> {
        Ok(Self {
            sealer: read_sealer(&sources.sealing)?,
            signer: sources.signer()?,
            token_key: read_bytes(KeyFile::Token, &sources.token)?,
            history: RwLock::default(),
        })
    }

    /// Makes new keys and writes them to a directory, which must hold none of them.
    ///
    /// # Errors
    /// [`KeyringError::Exists`], or when a file cannot be written; then none was.
    pub fn generate(system: &System, directory: &Path) -> Result<Self, KeyringError> {
        Self::generate_some(system, directory, &KeyFile::ALL)?;
        Self::load(&KeySources::in_directory(directory))
    }

    /// Makes only these keys.
    pub(crate) fn generate_some(system: &System, directory: &Path, keys: &[KeyFile]) -> Result<(), KeyringError> {
        let paths = keys.iter().map(|key| directory.join(key.file_name()));
        let existing: Vec<_> = paths.filter(|path| path.symlink_metadata().is_ok()).collect();
        if !existing.is_empty() {
            return Err(KeyringError::Exists { paths: existing });
        }
        let files: Vec<_> = keys.iter().map(|key| (directory.join(key.file_name()), new_key(system, *key))).collect();
        Ok(create_private(&files)?)
    }

    /// Seals and opens stored secrets.
    #[must_use]
    pub const fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// What signs.
    #[must_use]
    pub const fn signer(&self) -> &Arc<dyn Signer> {
        &self.signer
    }

    /// The public half of the signing key.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        self.signer.verifying_key()
    }

    /// Signs a message of any length, on a thread that may wait for a token.
    ///
    /// # Errors
    /// [`SignError`].
    pub async fn sign(&self, message: Vec<u8>) -> Result<Signature, SignError> {
        let signer = Arc::clone(&self.signer);
        tokio::task::spawn_blocking(move || signer.sign(&message)).await.map_err(|_| SignError::Thread)?
    }

    /// Records the key that signs, where none is on record.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record(&self, store: &Store, now: Timestamp) -> crate::store::Result<()> {
        let kept_in = self.signer.kept_in();
        store.record_first_signing_key(&self.key_id(), &self.public_key_pem(), &kept_in, now).await
    }

    /// The keys that sign and signed, as the store has them now: another process may have rotated them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn history(&self, store: &Store) -> crate::store::Result<Arc<KeyHistory>> {
        let records = store.signing_keys().await?;
        // Every statement takes two verifications, so they are learned again only when there is something new.
        let held = self.history.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(history) = held.filter(|history| history.records() == records) {
            return Ok(history);
        }
        let history = Arc::new(KeyHistory::learn(*self.verifying_key(), records));
        *self.history.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&history));
        Ok(history)
    }

    /// Authenticates restore tokens.
    #[must_use]
    pub fn token_key(&self) -> &[u8; 32] {
        &self.token_key
    }

    /// A hash of a request that holds a secret. Without the key, nobody who reads the store can try secrets out against it.
    ///
    /// # Panics
    /// Never: HMAC takes keys of any length.
    #[must_use]
    pub fn keyed_hash(&self, request_hash: &str) -> String {
        // Restore tokens are authenticated under the same key, and no token's text holds a space.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.token_key.as_slice()).expect("HMAC takes keys of any length");
        mac.update(b"walwarden request ");
        mac.update(request_hash.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }

    /// The identifier of the signing key.
    #[must_use]
    pub fn key_id(&self) -> String {
        walwarden_contract::manifest::key_id(self.verifying_key())
    }

    /// The public half of the signing key, SPKI PEM.
    #[must_use]
    pub fn public_key_pem(&self) -> String {
        walwarden_contract::key::to_pem(self.verifying_key())
    }

    /// Seals a destination's credentials.
    #[must_use]
    pub fn seal_credentials(&self, system: &System, id: DestinationId, credentials: &Credentials) -> String {
        self.sealer.seal(system, &id.to_string(), &credentials.to_bytes())
    }

    /// Opens what a destination's bucket is opened with.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn open_access(&self, destination: &Destination) -> Result<Access, SealError> {
        if destination.role.is_some() {
            return Ok(Access::Role);
        }
        self.open_credentials(destination).map(Access::Key)
    }

    /// Opens a destination's credentials.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn open_credentials(&self, destination: &Destination) -> Result<Credentials, SealError> {
        let bytes = self.sealer.open(&destination.id.to_string(), &destination.sealed_credentials)?;
        Credentials::from_bytes(&bytes)
    }

    /// Seals a database's DSN.
    #[must_use]
    pub fn seal_dsn(&self, system: &System, id: DatabaseId, dsn: &Dsn) -> String {
        self.sealer.seal(system, &id.to_string(), dsn.to_uri().expose_secret().as_bytes())
    }

    /// Opens a database's DSN.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn open_dsn(&self, database: &Database) -> Result<Dsn, SealError> {
        let bytes = self.sealer.open(&database.id.to_string(), &database.sealed_dsn)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| SealError::Content("a DSN"))?;
        Dsn::parse(text).map_err(|_| SealError::Content("a DSN"))
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Keyring").field("key_id", &self.key_id()).finish_non_exhaustive()
    }
}

fn pem_of(bytes: &[u8; 32]) -> Zeroizing<String> {
    let key = SigningKey::from_bytes(bytes);
    key.to_pkcs8_pem(LineEnding::LF).expect("an Ed25519 private key always has a PKCS#8 form")
}

/// Makes a signing key and writes it to a file that did not exist.
pub(crate) fn new_signing_key(system: &System, path: &Path) -> Result<(), SecretFileError> {
    create_private(&[(path.to_owned(), new_key(system, KeyFile::Signing))])
}

fn new_key(system: &System, key: KeyFile) -> Zeroizing<String> {
    let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(system.random());
    match key {
        KeyFile::Signing => pem_of(&bytes),
        KeyFile::Sealing | KeyFile::Token => {
            let mut text = Zeroizing::new(String::with_capacity(65));
            super::push_hex(&mut text, bytes.as_slice());
            text.push('\n');
            text
        }
    }
}
