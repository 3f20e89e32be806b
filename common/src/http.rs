//! The one constructor of HTTP clients, and the one TLS provider.

/// Installs the TLS provider; harmless when called again.
pub fn install_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
