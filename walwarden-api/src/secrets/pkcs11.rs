//! A signing key in a PKCS#11 token: the private half never leaves it, and every signature is verified before it is used.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use ed25519_dalek::{Signature, VerifyingKey};

use super::signer::{SignError, Signer};
use super::token::{TokenError, TokenSettings};

/// The curve as an object identifier, and as the name that older tokens want.
const CURVES: [&[u8]; 2] = [&[0x06, 0x03, 0x2b, 0x65, 0x70], b"\x13\x0cedwards25519"];

/// What shows that both halves belong together. No signed document is this text.
const PAIRING: &[u8] = b"walwarden: are these two one key?";

type Result<T, E = TokenError> = std::result::Result<T, E>;

/// Modules are loaded once and stay: unloading one ends every session that anybody in the process has with it.
static MODULES: LazyLock<Mutex<BTreeMap<PathBuf, Pkcs11>>> = LazyLock::new(Mutex::default);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The library's own words are whole paragraphs of the standard; the names say as much.
fn refused(error: Error) -> TokenError {
    match error {
        Error::Pkcs11(answer, call) => TokenError::Refused { call: call.to_string(), answer: format!("{answer:?}") },
        other => TokenError::Refused { call: "the PKCS#11 module".to_owned(), answer: format!("{other}") },
    }
}

fn module(path: &Path) -> Result<Pkcs11> {
    let mut modules = lock(&MODULES);
    if let Some(loaded) = modules.get(path) {
        return Ok(loaded.clone());
    }
    let failed = |error: Error| TokenError::Module { path: path.to_owned(), reason: error.to_string() };
    let loaded = Pkcs11::new(path).map_err(failed)?;
    match loaded.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // The same library under another path.
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(failed(error)),
    }
    modules.insert(path.to_owned(), loaded.clone());
    Ok(loaded)
}

fn slot(context: &Pkcs11, label: Option<&str>) -> Result<Slot> {
    let mut tokens = Vec::new();
    for slot in context.get_slots_with_initialized_token().map_err(refused)? {
        tokens.push((slot, context.get_token_info(slot).map_err(refused)?.label().to_owned()));
    }
    let found = tokens.iter().map(|(_, label)| format!("{label:?}")).collect::<Vec<_>>().join(", ");
    tokens.retain(|(_, its)| label.is_none_or(|label| label == its));
    match tokens.as_slice() {
        [(slot, _)] => Ok(*slot),
        [] => {
            let found = if found.is_empty() { "none".to_owned() } else { found };
            Err(TokenError::NoToken { label: label.map(str::to_owned), found })
        }
        _ => Err(TokenError::SeveralTokens { found }),
    }
}

fn session(settings: &TokenSettings, writes: bool) -> Result<Session> {
    let context = module(&settings.module)?;
    let slot = slot(&context, settings.token.as_deref())?;
    let opened = if writes { context.open_rw_session(slot) } else { context.open_ro_session(slot) };
    let session = opened.map_err(refused)?;
    let wants_pin = context.get_token_info(slot).map_err(refused)?.login_required();
    match (&settings.pin, wants_pin) {
        (None, true) => return Err(TokenError::NoPin),
        (None, false) => {}
        (Some(pin), _) => match session.login(UserType::User, Some(pin)) {
            // Whoever logs in does so for the whole process.
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(error) => return Err(refused(error)),
        },
    }
    Ok(session)
}

fn find(session: &Session, class: ObjectClass, label: &str) -> Result<Option<ObjectHandle>> {
    let template =
        [Attribute::Class(class), Attribute::KeyType(KeyType::EC_EDWARDS), Attribute::Label(label.as_bytes().to_vec())];
    match session.find_objects(&template).map_err(refused)?.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        _ => Err(TokenError::SeveralKeys { label: label.to_owned() }),
    }
}

/// A public key as tokens give it: in an OCTET STRING, in a BIT STRING, or bare.
fn public_key(point: &[u8]) -> Option<VerifyingKey> {
    let raw = match point {
        [0x04, 0x20, raw @ ..] | [0x03, 0x21, 0x00, raw @ ..] if raw.len() == 32 => raw,
        raw => raw,
    };
    VerifyingKey::from_bytes(raw.try_into().ok()?).ok()
}

fn mechanism() -> Mechanism<'static> {
    Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure))
}

/// A session, and the private key as it names it.
struct Open {
    session: Session,
    private: ObjectHandle,
}

impl Open {
    fn new(settings: &TokenSettings, label: &str) -> Result<Self> {
        let session = session(settings, false)?;
        let private = find(&session, ObjectClass::PRIVATE_KEY, label)?;
        let private = private.ok_or_else(|| TokenError::NoKey { label: label.to_owned() })?;
        Ok(Self { session, private })
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.session.sign(&mechanism(), self.private, message)
    }
}

/// Whether a new session may do what this one cannot: the token was away, or somebody ended the session.
const fn is_stale(error: &Error) -> bool {
    matches!(
        error,
        Error::Pkcs11(
            RvError::SessionClosed
                | RvError::SessionHandleInvalid
                | RvError::DeviceRemoved
                | RvError::DeviceError
                | RvError::TokenNotPresent
                | RvError::UserNotLoggedIn
                | RvError::KeyHandleInvalid
                | RvError::ObjectHandleInvalid
                | RvError::OperationActive,
            _
        )
    )
}

/// Signs with a key in a token. One signature at a time: a session has one operation.
pub(super) struct KeyInToken {
    settings: TokenSettings,
    label: String,
    public: VerifyingKey,
    open: Mutex<Option<Open>>,
}

impl KeyInToken {
    /// Finds the key pair with this label, and sees that it is one.
    pub(super) fn open(settings: &TokenSettings, label: &str) -> Result<Self> {
        let open = Open::new(settings, label)?;
        let public = find(&open.session, ObjectClass::PUBLIC_KEY, label)?;
        let public = public.ok_or_else(|| TokenError::NoKey { label: label.to_owned() })?;
        let attributes = open.session.get_attributes(public, &[AttributeType::EcPoint]).map_err(refused)?;
        let public = attributes.into_iter().find_map(|attribute| match attribute {
            Attribute::EcPoint(point) => public_key(&point),
            _ => None,
        });
        let not_a_pair = || TokenError::NotAPair { label: label.to_owned() };
        let public = public.ok_or_else(not_a_pair)?;
        let signed = open.sign(PAIRING).map_err(refused)?;
        verified(&public, PAIRING, &signed).ok_or_else(not_a_pair)?;
        Ok(Self { settings: settings.clone(), label: label.to_owned(), public, open: Mutex::new(Some(open)) })
    }

    /// Makes a key pair of which the private half can never be taken out. Answers whether it did: what is there stays.
    pub(super) fn generate(settings: &TokenSettings, label: &str) -> Result<bool> {
        let session = session(settings, true)?;
        let there = |class| find(&session, class, label);
        if there(ObjectClass::PRIVATE_KEY)?.is_some() || there(ObjectClass::PUBLIC_KEY)?.is_some() {
            return Ok(false);
        }
        let name = || [Attribute::Label(label.as_bytes().to_vec()), Attribute::Id(label.as_bytes().to_vec())];
        let mut refusal = None;
        for curve in CURVES {
            let mut public = vec![Attribute::Token(true), Attribute::Private(false), Attribute::Verify(true)];
            public.push(Attribute::EcParams(curve.to_vec()));
            public.extend(name());
            let mut private = vec![Attribute::Token(true), Attribute::Private(true), Attribute::Sign(true)];
            private.extend([Attribute::Sensitive(true), Attribute::Extractable(false)]);
            private.extend(name());
            match session.generate_key_pair(&Mechanism::EccEdwardsKeyPairGen, &public, &private) {
                Ok(_) => return Ok(true),
                // What the first name of the curve was answered with is what counts.
                Err(error) => refusal = refusal.or(Some(refused(error))),
            }
        }
        Err(refusal.unwrap_or(TokenError::NoKey { label: label.to_owned() }))
    }
}

fn verified(key: &VerifyingKey, message: &[u8], signature: &[u8]) -> Option<Signature> {
    let signature = Signature::from_slice(signature).ok()?;
    key.verify_strict(message, &signature).ok()?;
    Some(signature)
}

impl Signer for KeyInToken {
    fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }

    fn kept_in(&self) -> String {
        format!("pkcs11:{}", self.label)
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        let mut held = lock(&self.open);
        let first = held.take().map(|open| open.sign(message).map(|signed| (signed, open)));
        let (signed, open) = match first {
            Some(Ok(signed)) => signed,
            Some(Err(error)) if !is_stale(&error) => return Err(refused(error).into()),
            // The stale session is closed by now: the last one that closes logs everybody out.
            _ => {
                let open = Open::new(&self.settings, &self.label)?;
                (open.sign(message).map_err(refused)?, open)
            }
        };
        *held = Some(open);
        verified(&self.public, message, &signed).ok_or(SignError::Wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_is_read_in_every_form_that_tokens_give_it() {
        let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key();
        let raw = key.as_bytes().to_vec();
        for form in [raw.clone(), [&[4, 32], raw.as_slice()].concat(), [&[3, 33, 0], raw.as_slice()].concat()] {
            assert_eq!(public_key(&form), Some(key));
        }
        for wrong in [Vec::new(), raw[1..].to_vec(), [&[4, 33], raw.as_slice()].concat(), [raw, vec![0]].concat()] {
            assert_eq!(public_key(&wrong), None);
        }
    }

    #[test]
    fn a_module_that_is_none_is_named() {
        let settings =
            TokenSettings { module: "/dev/null".into(), token: None, pin: None, key_label: Some("k".to_owned()) };
        let refusal = KeyInToken::open(&settings, "k").err().expect("refuses").to_string();
        assert!(refusal.contains("/dev/null"), "{refusal}");
    }
}
