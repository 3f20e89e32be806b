//! The hub's own certificates: an authority made once, and certificates that it signs for the broker and for the
//! servers of sites. A certificate is made anew when it is not for the name that is asked for or ends soon.
//! Where the files are used is `listen`'s.
//!
//! Nothing here reads a date out of a certificate: whether one is good is asked of the code that clients trust, for
//! today and for the day on which it would have to be good still.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Datelike as _, Days, Utc};
use data_encoding::{BASE64, HEXLOWER};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, client::verify_server_name};
use sha2::{Digest as _, Sha256};

use super::{IdentityError, file};

/// How long an authority is good: it is carried to every machine, so this is as long as a hub may live.
const AUTHORITY_DAYS: u64 = 30 * 365;
/// How long a server's certificate is good.
const SERVER_DAYS: u64 = 825;
/// One that is good for fewer days than this is made anew by `init`.
pub(super) const RENEWED_WITHIN: u64 = 90;
/// One that is good for fewer days than this is worth a warning.
pub(super) const WARNED_WITHIN: u64 = 60;

/// Files of a certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// What became of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// It was good and was left alone.
    Kept,
    /// There was none.
    Made,
    /// The old one ended soon, or was for another name or authority.
    Renewed,
}

/// The hub's own authority.
pub(super) struct Authority {
    certificate: CertificateDer<'static>,
    key_file: PathBuf,
}

impl Authority {
    /// The authority of this hub, made when there is none. A lost certificate is made again from its key; a lost key
    /// only matters once something has to be signed.
    pub(super) fn of(dir: &Path) -> Result<Self, IdentityError> {
        let (path, key_file) = (authority_path(dir), dir.join("keys/ca.key"));
        if let Some(text) = file::read(&path)? {
            let certificate = CertificateDer::from_pem_slice(text.as_bytes())
                .map_err(|why| record(&path, &why))?;
            return Ok(Self {
                certificate,
                key_file,
            });
        }
        let key = if key_file.exists() {
            read_key(&key_file)?
        } else {
            let key = KeyPair::generate().map_err(|why| failed(&why))?;
            file::write_secret(&key_file, &pem("PRIVATE KEY", key.serialized_der()))?;
            key
        };
        let made = authority_params(&key)
            .self_signed(&key)
            .map_err(|why| failed(&why))?;
        file::write_plain(&path, &pem("CERTIFICATE", made.der()))?;
        Ok(Self {
            certificate: made.der().clone(),
            key_file,
        })
    }

    /// Whether there is one in this folder.
    pub(super) fn exists(dir: &Path) -> bool {
        authority_path(dir).exists()
    }

    /// The first of these names decides whether a certificate is for the right server.
    pub(super) fn sign(&self, names: &[String], files: &Pair) -> Result<Signed, IdentityError> {
        let known = read_pair(files);
        let name = names.first().map_or("localhost", String::as_str);
        if let Ok((chain, key)) = &known
            && key_fits(chain, key)
            && self.good(chain, name, 0)
            && self.good(chain, name, RENEWED_WITHIN)
        {
            return Ok(Signed::Kept);
        }
        let signer = read_key(&self.key_file)?;
        let issuer = Issuer::new(authority_params(&signer), &signer);
        let key = KeyPair::generate().map_err(|why| failed(&why))?;
        let mut params = CertificateParams::new(names.to_vec()).map_err(|why| failed(&why))?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        date(&mut params, SERVER_DAYS);
        let made = params
            .signed_by(&key, &issuer)
            .map_err(|why| failed(&why))?;
        // The key first: a certificate without its key would be found again and mended, as would this one.
        file::write_secret(&files.key, &pem("PRIVATE KEY", key.serialized_der()))?;
        file::write_plain(&files.certificate, &pem("CERTIFICATE", made.der()))?;
        Ok(if known.is_ok() {
            Signed::Renewed
        } else {
            Signed::Made
        })
    }

    /// Whether clients of this authority would accept it under that name after so many days.
    fn good(&self, chain: &[CertificateDer<'_>], name: &str, days: u64) -> bool {
        let (Some((first, rest)), Ok(name)) = (chain.split_first(), ServerName::try_from(name))
        else {
            return false;
        };
        let mut roots = RootCertStore::empty();
        if roots.add(self.certificate.clone()).is_err() {
            return false;
        }
        let provider = Arc::new(default_provider());
        let Ok(verifier) =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build()
        else {
            return false;
        };
        let day = Duration::from_secs(86_400);
        let now = UnixTime::now().as_secs();
        let then = Duration::from_secs(now) + day * u32::try_from(days).unwrap_or(u32::MAX);
        let then = UnixTime::since_unix_epoch(then);
        verifier
            .verify_server_cert(first, rest, &name, &[], then)
            .is_ok()
    }
}

/// Where the authority's certificate is: with the credentials, since whoever gets those needs it too.
pub(super) fn authority_path(dir: &Path) -> PathBuf {
    dir.join("creds/ca.pem")
}

/// Whether this server's certificate is still good for a while; none when there is none of ours.
pub(super) fn lasts(dir: &Path, name: &str, files: &Pair) -> Option<bool> {
    if !Authority::exists(dir) {
        return None;
    }
    let authority = Authority::of(dir).ok()?;
    let (chain, _) = read_pair(files).ok()?;
    Some(authority.good(&chain, name, WARNED_WITHIN))
}

/// Refuses a certificate of somebody else's making that cannot work for this name. Whether clients trust who signed it
/// is theirs to say.
pub(super) fn check_given(files: &Pair, name: &str) -> Result<(), IdentityError> {
    let wrong = |path: &Path, why: &str| IdentityError::Certificate {
        path: path.to_owned(),
        why: why.to_owned(),
    };
    let (chain, key) = read_pair(files)?;
    let first = chain
        .first()
        .ok_or_else(|| wrong(&files.certificate, "it holds no certificate in PEM"))?;
    if !key_fits(&chain, &key) {
        return Err(wrong(
            &files.key,
            "it is not the key of the certificate in NATS_TLS_CERT",
        ));
    }
    let fits = ParsedCertificate::try_from(first).is_ok_and(|certificate| {
        ServerName::try_from(name).is_ok_and(|name| verify_server_name(&certificate, &name).is_ok())
    });
    if fits {
        Ok(())
    } else {
        Err(wrong(
            &files.certificate,
            &format!("it is not for {name}, the name in NATS_URL; write the name that it is for"),
        ))
    }
}

fn authority_params(key: &KeyPair) -> CertificateParams {
    let mut params = CertificateParams::default();
    // A name of its own: of two authorities with one name, clients could not say that they know another.
    let print = HEXLOWER.encode(&Sha256::digest(key.der_bytes()));
    let print = print.get(..16).unwrap_or_default();
    params
        .distinguished_name
        .push(DnType::CommonName, format!("PhoneWork hub {print}"));
    // Nothing below it but servers.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    date(&mut params, AUTHORITY_DAYS);
    params
}

/// From yesterday on, since clocks differ.
fn date(params: &mut CertificateParams, days: u64) {
    let day = |at: Option<DateTime<Utc>>| {
        let at = at.unwrap_or_else(Utc::now);
        let number = |n: u32| u8::try_from(n).unwrap_or(1);
        rcgen::date_time_ymd(at.year(), number(at.month()), number(at.day()))
    };
    let now = Utc::now();
    params.not_before = day(now.checked_sub_days(Days::new(1)));
    params.not_after = day(now.checked_add_days(Days::new(days)));
}

fn read_pair(
    files: &Pair,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), IdentityError> {
    let wrong = |path: &Path, why: String| IdentityError::Certificate {
        path: path.to_owned(),
        why,
    };
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|why| wrong(&files.certificate, format!("it cannot be read: {why}")))?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|why| wrong(&files.key, format!("it cannot be read: {why}")))?;
    Ok((chain, key))
}

fn key_fits(chain: &[CertificateDer<'static>], key: &PrivateKeyDer<'static>) -> bool {
    CertifiedKey::from_der(chain.to_vec(), key.clone_key(), &default_provider()).is_ok()
}

fn read_key(path: &Path) -> Result<KeyPair, IdentityError> {
    let damaged = |why| IdentityError::KeyFile {
        path: path.to_owned(),
        why,
    };
    let text = file::read(path)?.ok_or_else(|| damaged("it is missing"))?;
    PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes())
        .ok()
        .and_then(|der| KeyPair::try_from(&der).ok())
        .ok_or_else(|| damaged("it does not hold a key (cut off, or another file?)"))
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        // Base64 is ASCII.
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem + &format!("-----END {label}-----\n")
}

fn record(path: &Path, why: &dyn std::fmt::Display) -> IdentityError {
    IdentityError::Record {
        path: path.to_owned(),
        why: why.to_string(),
    }
}

fn failed(why: &rcgen::Error) -> IdentityError {
    IdentityError::Key(format!("making a certificate: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place {
        dir: tempfile::TempDir,
        files: Pair,
    }

    fn place() -> Place {
        let dir = tempfile::tempdir().unwrap();
        for part in ["keys", "creds", "tls"] {
            file::private_dir(&dir.path().join(part)).unwrap();
        }
        let files = Pair {
            certificate: dir.path().join("tls/hub.pem"),
            key: dir.path().join("tls/hub.key"),
        };
        Place { dir, files }
    }

    fn sign(place: &Place, name: &str) -> Result<Signed, IdentityError> {
        Authority::of(place.dir.path())?.sign(&[name.to_owned(), "127.0.0.1".into()], &place.files)
    }

    #[test]
    fn a_certificate_is_kept_while_it_is_good_and_made_anew_for_another_name() {
        let place = place();
        assert_eq!(sign(&place, "hub.example").unwrap(), Signed::Made);
        let first = std::fs::read_to_string(&place.files.certificate).unwrap();
        assert_eq!(sign(&place, "hub.example").unwrap(), Signed::Kept);
        assert_eq!(sign(&place, "10.0.0.7").unwrap(), Signed::Renewed);
        assert_ne!(
            std::fs::read_to_string(&place.files.certificate).unwrap(),
            first
        );
        assert_eq!(sign(&place, "127.0.0.1").unwrap(), Signed::Kept);
        let lasts = |name: &str| super::lasts(place.dir.path(), name, &place.files);
        assert_eq!((lasts("10.0.0.7"), lasts("x")), (Some(true), Some(false)));
        // A key that is another's.
        std::fs::copy(place.dir.path().join("keys/ca.key"), &place.files.key).unwrap();
        assert_eq!(sign(&place, "10.0.0.7").unwrap(), Signed::Renewed);
    }

    #[test]
    fn one_that_ends_soon_is_made_anew() {
        let place = place();
        let authority = Authority::of(place.dir.path()).unwrap();
        let signer = read_key(&authority.key_file).unwrap();
        let issuer = Issuer::new(authority_params(&signer), &signer);
        for (days, expected) in [
            (RENEWED_WITHIN + 2, Signed::Kept),
            (RENEWED_WITHIN - 2, Signed::Renewed),
        ] {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(vec!["hub".to_owned()]).unwrap();
            date(&mut params, days);
            let made = params.signed_by(&key, &issuer).unwrap();
            file::write_secret(&place.files.key, &pem("PRIVATE KEY", key.serialized_der()))
                .unwrap();
            file::write_plain(&place.files.certificate, &pem("CERTIFICATE", made.der())).unwrap();
            assert_eq!(sign(&place, "hub").unwrap(), expected, "{days}");
        }
        assert_eq!(sign(&place, "hub").unwrap(), Signed::Kept);
    }

    #[test]
    fn a_lost_authority_comes_back_from_its_key_and_a_lost_key_does_not() {
        let place = place();
        sign(&place, "hub").unwrap();
        let path = authority_path(place.dir.path());
        std::fs::remove_file(&path).unwrap();
        // The same one: what it signed is still good.
        assert_eq!(sign(&place, "hub").unwrap(), Signed::Kept);
        std::fs::remove_file(place.dir.path().join("keys/ca.key")).unwrap();
        assert_eq!(sign(&place, "hub").unwrap(), Signed::Kept);
        let lost = sign(&place, "other").unwrap_err().to_string();
        assert!(
            lost.contains("keys/ca.key") && lost.contains("missing"),
            "{lost}"
        );
    }

    #[test]
    fn a_given_certificate_must_have_its_key_and_our_name() {
        let (place, other) = (place(), place());
        sign(&place, "hub.example").unwrap();
        sign(&other, "hub.example").unwrap();
        check_given(&place.files, "hub.example").unwrap();
        let name = check_given(&place.files, "hub2.example").unwrap_err();
        assert!(name.to_string().contains("not for hub2.example"), "{name}");
        let key = Pair {
            key: other.files.key.clone(),
            ..place.files.clone()
        };
        let key = check_given(&key, "hub.example").unwrap_err();
        assert!(key.to_string().contains("not the key"), "{key}");
        let none = Pair {
            certificate: "/nowhere/x.pem".into(),
            ..place.files.clone()
        };
        let none = check_given(&none, "hub.example").unwrap_err().to_string();
        assert!(none.contains("/nowhere/x.pem"), "{none}");
    }
}
