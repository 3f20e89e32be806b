//! Who may see the page: a link that works once, then a signed cookie.
//!
//! The link is printed where only the owner of this machine reads it. The key behind the cookie is
//! kept on disk, so that a restart logs nobody out; removing the file logs everybody out.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use axum_extra::extract::cookie::{Cookie, Key, SameSite, SignedCookieJar};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use subtle::ConstantTimeEq as _;

/// How long a cookie is good. Renewed each time the page is opened; browsers keep none longer.
const GOOD_FOR: Duration = Duration::from_secs(400 * 24 * 3600);
const KEY_BYTES: usize = 64;

/// The key behind the cookies cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "the page's key {path} cannot be used: {why}. Remove the file to make a new one; everybody then logs in again"
)]
pub struct KeyError {
    path: PathBuf,
    why: String,
}

/// The door.
pub(super) struct Login {
    /// The token of the link that was not used yet.
    token: Mutex<Option<[u8; 32]>>,
    key: Key,
    cookie: String,
}

impl Login {
    /// Opens or makes the key in `data_dir`, and makes a new link token.
    pub(super) fn open(data_dir: &Path) -> Result<(Self, SecretString), KeyError> {
        let path = data_dir.join("web.key");
        let bytes = key_bytes(data_dir, &path).map_err(|why| KeyError {
            path: path.clone(),
            why: why.to_string(),
        })?;
        let token: [u8; 32] = rand::random();
        let login = Self {
            token: Mutex::new(Some(token)),
            key: Key::from(&bytes),
            cookie: cookie_name(&bytes),
        };
        Ok((login, SecretString::from(URL_SAFE_NO_PAD.encode(token))))
    }

    /// Uses the link up. True once, for the right token.
    pub(super) fn redeem(&self, text: &str) -> bool {
        let Ok(given) = URL_SAFE_NO_PAD.decode(text) else {
            return false;
        };
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        let right = token
            .as_ref()
            .is_some_and(|token| bool::from(token.as_slice().ct_eq(&given)));
        if right {
            *token = None;
        }
        right
    }

    /// The cookie of somebody who is in.
    pub(super) fn pass(&self) -> SignedCookieJar {
        let value = format!("owner.{}", chrono::Utc::now().timestamp());
        let cookie = Cookie::build((self.cookie.clone(), value))
            .http_only(true)
            .same_site(SameSite::Strict)
            .path("/")
            .max_age(GOOD_FOR.try_into().unwrap_or_default())
            .build();
        SignedCookieJar::new(self.key.clone()).add(cookie)
    }

    /// Whether a request comes from somebody who is in.
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        let jar = SignedCookieJar::from_headers(headers, self.key.clone());
        let Some(cookie) = jar.get(&self.cookie) else {
            return false;
        };
        let issued = cookie
            .value()
            .strip_prefix("owner.")
            .and_then(|at| at.parse::<i64>().ok())
            .and_then(|at| chrono::DateTime::from_timestamp(at, 0));
        issued.is_some_and(|at| {
            let age = chrono::Utc::now() - at;
            age.to_std().is_ok_and(|age| age < GOOD_FOR)
                // A clock that was set back a little must not log anybody out.
                || age.abs() < chrono::TimeDelta::hours(24)
        })
    }
}

/// Cookies know no ports: two installations on one machine must not overwrite each other's.
fn cookie_name(key: &[u8]) -> String {
    let mark = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, key);
    let mut name = format!("phonework_{}", mark.simple());
    name.truncate("phonework_".len() + 8);
    name
}

fn key_bytes(data_dir: &Path, path: &Path) -> std::io::Result<Vec<u8>> {
    match std::fs::File::open(path) {
        Ok(mut file) => {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            if bytes.len() == KEY_BYTES {
                return Ok(bytes);
            }
            let why = format!("it has {} bytes instead of {KEY_BYTES}", bytes.len());
            Err(std::io::Error::other(why))
        }
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
            std::fs::create_dir_all(data_dir)?;
            let bytes: [u8; KEY_BYTES] = rand::random();
            // Written aside and renamed, so that a crash leaves no half of a key.
            let aside = path.with_extension("key.new");
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create(true).truncate(true);
            #[cfg(unix)]
            {
                use std::os::unix::fs::OpenOptionsExt as _;
                options.mode(0o600);
            }
            let mut file = options.open(&aside)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            std::fs::rename(&aside, path)?;
            Ok(bytes.to_vec())
        }
        Err(why) => Err(why),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::{COOKIE, SET_COOKIE};
    use axum::response::IntoResponse as _;
    use secrecy::ExposeSecret as _;

    use super::*;

    fn headers_of(login: &Login) -> HeaderMap {
        let response = login.pass().into_response();
        let set = response.headers()[SET_COOKIE].to_str().unwrap().to_owned();
        assert!(
            set.contains("HttpOnly") && set.contains("SameSite=Strict"),
            "{set}"
        );
        let mut headers = HeaderMap::new();
        let pair = set.split(';').next().unwrap();
        headers.insert(COOKIE, pair.parse().unwrap());
        headers
    }

    #[test]
    fn a_link_works_once() {
        let dir = tempfile::tempdir().unwrap();
        let (login, token) = Login::open(dir.path()).unwrap();
        assert!(!login.redeem(""));
        assert!(!login.redeem(&URL_SAFE_NO_PAD.encode([0; 32])));
        assert!(login.redeem(token.expose_secret()));
        assert!(!login.redeem(token.expose_secret()));
    }

    #[test]
    fn a_cookie_outlives_a_restart_and_no_other_key_takes_it() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (login, first) = Login::open(one.path()).unwrap();
        let headers = headers_of(&login);
        assert!(login.admits(&headers));
        assert!(!login.admits(&HeaderMap::new()));
        let (again, second) = Login::open(one.path()).unwrap();
        assert!(again.admits(&headers));
        assert_ne!(first.expose_secret(), second.expose_secret());
        assert!(!Login::open(two.path()).unwrap().0.admits(&headers));
    }

    #[test]
    fn a_damaged_key_is_refused_with_the_way_out() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("web.key"), "short").unwrap();
        let why = Login::open(dir.path()).err().unwrap().to_string();
        assert!(
            why.contains("5 bytes") && why.contains("Remove the file"),
            "{why}"
        );
    }
}
