//! Where the broker listens, and with which certificate: `hub.conf` and the files in `tls/`. A file that is as we wrote
//! it follows the configuration to TLS; one that was edited is its owner's.

use std::path::Path;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use super::certificate::{self, Authority, Pair, Signed};
use super::conf::{self, HubOptions, Tls};
use super::{Hub, IdentityError, file};

/// What was done for the broker's listeners.
pub(super) struct Listening {
    /// A file was written.
    pub(super) written: bool,
    /// Hash of `hub.conf` while it is as we wrote it.
    pub(super) ours: Option<String>,
    /// The certificate of the hub's own authority, when it uses one.
    pub(super) signed: Option<Signed>,
}

impl Hub {
    /// Makes certificate and `hub.conf`. `known` is the hash of what was last written, for a hub that is complete
    /// (`finished`).
    pub(super) fn make_listeners(
        &self,
        options: &HubOptions,
        finished: bool,
        known: Option<&str>,
    ) -> Result<Listening, IdentityError> {
        let (files, signed) = self.certificate(options.tls.as_ref())?;
        let path = self.conf_path();
        let wanted = conf::hub_conf(options, files.as_ref());
        let mut listening = Listening {
            written: matches!(signed, Some(Signed::Made | Signed::Renewed)),
            ours: Some(hash(&wanted)),
            signed,
        };
        let found = file::read(&path)?;
        if found.as_ref() == Some(&wanted) {
            return Ok(listening);
        }
        if let Some(text) = found.filter(|_| finished) {
            let ours = known == Some(hash(&text).as_str());
            match &files {
                // Moving a plain one is its owner's: the address in the file counts.
                None => {
                    listening.ours = ours.then(|| hash(&text));
                    return Ok(listening);
                }
                Some(_) if ours || conf::is_plain_one_of_ours(&text) => {}
                Some(_) if conf::has_tls(&text) => {
                    listening.ours = None;
                    return Ok(listening);
                }
                Some(files) => {
                    return Err(IdentityError::PlainConf {
                        path,
                        lines: conf::tls_block(files),
                    });
                }
            }
        }
        file::write_plain(&path, &wanted)?;
        listening.written = true;
        Ok(listening)
    }

    /// The files of the broker's certificate.
    fn certificate(
        &self,
        tls: Option<&Tls>,
    ) -> Result<(Option<Pair>, Option<Signed>), IdentityError> {
        match tls {
            None => Ok((None, None)),
            Some(Tls::Given {
                name,
                certificate,
                key,
            }) => {
                let files = Pair {
                    certificate: certificate.clone(),
                    key: key.clone(),
                };
                certificate::check_given(&files, name)?;
                Ok((Some(files), None))
            }
            Some(Tls::Own { name }) => {
                let files = own_files(&self.dir);
                let mut names = vec![name.clone()];
                // Our own parts may take the short way; between containers the hub is called so.
                for near in ["localhost", "127.0.0.1", "::1", "hub"] {
                    if near != name {
                        names.push(near.to_owned());
                    }
                }
                let signed = Authority::of(&self.dir)?.sign(&names, &files)?;
                Ok((Some(files), Some(signed)))
            }
        }
    }

    /// Whether the certificate that our own authority made for the broker is good for two months more under this name.
    /// None when there is none.
    pub fn certificate_lasts(&self, name: &str) -> Option<bool> {
        certificate::lasts(&self.dir, name, &own_files(&self.dir))
    }

    /// What became of the broker's certificate in [`Hub::init`]; none when it is not of our own authority.
    pub const fn signed(&self) -> Option<Signed> {
        self.signed
    }
}

fn own_files(dir: &Path) -> Pair {
    Pair {
        certificate: dir.join("tls/hub.pem"),
        key: dir.join("tls/hub.key"),
    }
}

fn hash(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
}
