//! Proving that one knows `ROUTER_SECRET` without sending it.

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// Proves that whoever asks for `node` with `public_key` knows the secret. The secret itself is never sent, and the
/// proof is of no use for another id or key.
pub fn secret_proof(secret: &SecretString, node: &str, public_key: &str) -> String {
    BASE64URL_NOPAD.encode(
        &mac(secret, node, public_key)
            .map(|mac| mac.finalize().into_bytes().to_vec())
            .unwrap_or_default(),
    )
}

/// Whether a proof is right; takes the same time wherever it is wrong.
pub fn check_secret_proof(
    secret: &SecretString,
    node: &str,
    public_key: &str,
    proof: &str,
) -> bool {
    let Ok(proof) = BASE64URL_NOPAD.decode(proof.as_bytes()) else {
        return false;
    };
    mac(secret, node, public_key).is_some_and(|mac| mac.verify_slice(&proof).is_ok())
}

/// Keys of any length are taken, so there always is one.
fn mac(secret: &SecretString, node: &str, public_key: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).ok()?;
    // An id cannot hold the separator, and the key is the last: no other parts give the same text.
    for part in ["phonework-enrol-1", node, public_key] {
        mac.update(part.as_bytes());
        mac.update(b"\n");
    }
    Some(mac)
}

/// A gateway's word that `user` sent the file `key` with `message`: made when it came, asked for when a node wants its
/// bytes, so that a node gets nothing that it was not given.
pub fn seal(secret: &SecretString, user: &str, message: &str, key: &str) -> String {
    BASE64URL_NOPAD.encode(
        &sealed(secret, user, message, key)
            .map(|mac| mac.finalize().into_bytes().to_vec())
            .unwrap_or_default(),
    )
}

/// Whether a seal is right; takes the same time wherever it is wrong.
pub fn check_seal(secret: &SecretString, user: &str, message: &str, key: &str, seal: &str) -> bool {
    let Ok(seal) = BASE64URL_NOPAD.decode(seal.as_bytes()) else {
        return false;
    };
    sealed(secret, user, message, key).is_some_and(|mac| mac.verify_slice(&seal).is_ok())
}

fn sealed(secret: &SecretString, user: &str, message: &str, key: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).ok()?;
    for part in ["phonework-file-1", user, message, key] {
        // With their lengths, no other parts give the same text.
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_holds_for_one_id_key_and_secret() {
        let (secret, other) = (
            SecretString::from("s3cret".to_owned()),
            SecretString::from("s3creT".to_owned()),
        );
        let proof = secret_proof(&secret, "a", "UKEY");
        assert!(check_secret_proof(&secret, "a", "UKEY", &proof));
        assert!(!check_secret_proof(&other, "a", "UKEY", &proof));
        assert!(!check_secret_proof(&secret, "b", "UKEY", &proof));
        assert!(!check_secret_proof(&secret, "a", "UKEZ", &proof));
        for wrong in ["", "!", &proof[1..]] {
            assert!(!check_secret_proof(&secret, "a", "UKEY", wrong));
        }
    }

    #[test]
    fn a_seal_holds_for_one_file_of_one_person() {
        let secret = SecretString::from("s3cret".to_owned());
        let seal = seal(&secret, "feishu/ou_1", "om_1", "file_1");
        let holds = |user, message, key| check_seal(&secret, user, message, key, &seal);
        assert!(holds("feishu/ou_1", "om_1", "file_1"));
        assert!(!holds("feishu/ou_2", "om_1", "file_1"));
        assert!(!holds("feishu/ou_1", "om_2", "file_1"));
        assert!(!holds("feishu/ou_1", "om_1", "file_2"));
        assert!(!holds("feishu/ou_1", "om_1f", "ile_1"));
    }
}
