//! Which addresses may be fetched: the public internet, and nothing that only this machine or its
//! network can reach. An address is judged where it is used: a host that is written as one before
//! the request, a name by the resolver that the request itself connects with, so that nothing can
//! change between the look and the use. Pure but for asking the system for names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::{Ipv4Net, Ipv6Net};
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The longest address that is taken, in bytes.
const MAX_URL: usize = 8_192;

/// IPv4 that is not of the public internet, or whose servers speak to machines only.
const CLOSED_V4: [Ipv4Net; 16] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    // Behind a provider's own translation; one cloud has its metadata there.
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    // Link-local, with the metadata of most clouds.
    v4([169, 254, 0, 0], 16),
    // One cloud's agent speaks here, from a public range.
    v4([168, 63, 129, 16], 32),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
];

/// All that is public in IPv6 is in here.
const OPEN_V6: Ipv6Net = v6([0x2000, 0, 0], 3);

/// But for this.
const CLOSED_V6: [Ipv6Net; 4] = [
    // Protocols: Teredo, which wraps IPv4, and others.
    v6([0x2001, 0, 0], 23),
    v6([0x2001, 0xdb8, 0], 32),
    // 6to4, which wraps IPv4.
    v6([0x2002, 0, 0], 16),
    v6([0x3fff, 0, 0], 20),
];

/// IPv4 as a translator of the network shows it; the address inside counts.
const TRANSLATED: Ipv6Net = v6([0x64, 0xff9b, 0], 96);

const fn v4(address: [u8; 4], prefix: u8) -> Ipv4Net {
    let [a, b, c, d] = address;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(start: [u16; 3], prefix: u8) -> Ipv6Net {
    let [a, b, c] = start;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// Whether an address belongs to the public internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => {
            if let Some(inner) = address.to_ipv4_mapped() {
                return is_public_v4(inner);
            }
            if TRANSLATED.contains(&address) {
                let [.., a, b, c, d] = address.octets();
                return is_public_v4(Ipv4Addr::new(a, b, c, d));
            }
            // ISATAP: the address inside is where it goes.
            if let [.., 0 | 2, 0, 0x5e, 0xfe, a, b, c, d] = address.octets()
                && !is_public_v4(Ipv4Addr::new(a, b, c, d))
            {
                return false;
            }
            OPEN_V6.contains(&address) && !CLOSED_V6.iter().any(|net| net.contains(&address))
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !CLOSED_V4.iter().any(|net| net.contains(&address))
}

/// Why an address is not fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    /// It cannot be read as one.
    #[error("not an address")]
    Unreadable,
    /// Neither http nor https.
    #[error("scheme {0}")]
    Scheme(String),
    /// It carries a user's name or password.
    #[error("credentials in the address")]
    Credentials,
    /// It leads to this machine or its network.
    #[error("{0} is not public")]
    Private(String),
    /// Nobody knows the name.
    #[error("{0} has no address")]
    NoName(String),
}

/// Whom to ask for the addresses of a name.
#[derive(Debug, Clone)]
enum Names {
    System,
    #[cfg(test)]
    Fixed(std::collections::BTreeMap<String, Vec<IpAddr>>),
}

impl Names {
    async fn of(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
        match self {
            Self::System => Ok(tokio::net::lookup_host((name, 0))
                .await?
                .map(|found| found.ip())
                .collect()),
            #[cfg(test)]
            Self::Fixed(names) => names.get(name).cloned().ok_or_else(|| {
                std::io::Error::new(std::io::ErrorKind::NotFound, "no such name in this test")
            }),
        }
    }
}

/// What may be fetched. In the product there is one policy and no setting that widens it.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    names: Names,
    /// Servers of a test on the loopback; empty in the product, which cannot fill it.
    open: Arc<[SocketAddr]>,
}

impl Policy {
    /// The public internet.
    pub(super) fn public() -> Self {
        Self {
            names: Names::System,
            open: Arc::default(),
        }
    }

    /// For tests: these names, and these servers besides the public internet.
    #[cfg(test)]
    pub(super) fn with(names: &[(&str, &[&str])], open: &[SocketAddr]) -> Self {
        let names = names
            .iter()
            .map(|(name, at)| {
                let at = at.iter().map(|at| at.parse().expect("an IP address"));
                ((*name).to_owned(), at.collect())
            })
            .collect();
        Self {
            names: Names::Fixed(names),
            open: open.into(),
        }
    }

    /// Reads an address as a person or a server writes it, and judges what can be judged without
    /// asking for names. Without a scheme it is taken as https.
    pub(super) fn read(&self, typed: &str) -> Result<Url, Refused> {
        let typed = typed.trim();
        if typed.is_empty() || typed.len() > MAX_URL {
            return Err(Refused::Unreadable);
        }
        let url = if typed.contains("://") {
            Url::parse(typed)
        } else {
            match Url::parse(typed) {
                // `example.com:8080/x` reads as a scheme of its own; `file:…` and `data:…` are one.
                Ok(url) if !url.scheme().contains('.') && !is_port(url.path()) => Ok(url),
                _ => Url::parse(&format!("https://{typed}")),
            }
        };
        let url = url.map_err(|_| Refused::Unreadable)?;
        self.check(&url)?;
        Ok(url)
    }

    /// Judges a whole address; a name in it is judged by [`Policy::resolve`] when it is connected to.
    pub(super) fn check(&self, url: &Url) -> Result<(), Refused> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials);
        }
        let host = url.host_str().ok_or(Refused::Unreadable)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        // Whatever spelling an IPv4 address had (decimal, octal, hex, short), it is dotted here.
        if let Ok(address) = bare.trim_end_matches('.').parse::<IpAddr>() {
            let port = url.port_or_known_default().unwrap_or_default();
            return self.judge(SocketAddr::new(address, port), host);
        }
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        if name.is_empty() {
            return Err(Refused::Unreadable);
        }
        if name == "localhost" || name.ends_with(".localhost") {
            return Err(Refused::Private(host.to_owned()));
        }
        Ok(())
    }

    fn judge(&self, address: SocketAddr, shown: &str) -> Result<(), Refused> {
        if is_public(address.ip()) || self.open.contains(&address) {
            Ok(())
        } else {
            Err(Refused::Private(shown.to_owned()))
        }
    }

    /// The addresses of a name that may be connected to; port 0.
    async fn addresses(
        &self,
        name: &str,
    ) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let unknown = || Refused::NoName(name.to_owned());
        let found = self.names.of(name).await.map_err(|_| unknown())?;
        if found.is_empty() {
            return Err(unknown().into());
        }
        let good: Vec<_> = found
            .into_iter()
            .filter(|address| {
                // A test's server is known by its address only: the port comes from the request.
                is_public(*address) || self.open.iter().any(|open| open.ip() == *address)
            })
            .map(|address| SocketAddr::new(address, 0))
            .collect();
        if good.is_empty() {
            return Err(Refused::Private(name.to_owned()).into());
        }
        Ok(good)
    }
}

/// The rest of `host:8080/x`, read as if `host` were a scheme.
fn is_port(path: &str) -> bool {
    let digits = path.split('/').next().unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
}

impl Resolve for Policy {
    fn resolve(&self, name: Name) -> Resolving {
        let this = self.clone();
        Box::pin(async move {
            let found = this.addresses(name.as_str()).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests;
