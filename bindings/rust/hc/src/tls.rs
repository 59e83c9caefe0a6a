//! Whom a TLS connection trusts, and who we are on it.

use std::mem::{size_of, MaybeUninit};
use std::ptr::{self, NonNull};
use std::sync::Arc;

use hc_sys as ffi;

use crate::error::{Error, ErrorSlot};
use crate::kept::Kept;

/// A TLS identity, for sessions and requests to name. Immutable and cheap to clone.
///
/// Connections and TLS sessions are never shared between two identities, not even when they were made from equal
/// options: make one and keep it.
#[derive(Clone)]
pub struct Tls(Arc<Handle>);

struct Handle(NonNull<ffi::hc_tls>);

// Safe: immutable, and for any thread.
unsafe impl Send for Handle {}
unsafe impl Sync for Handle {}

impl Tls {
    pub fn builder() -> TlsBuilder {
        TlsBuilder::new()
    }

    pub(crate) fn as_ptr(&self) -> *const ffi::hc_tls {
        self.0 .0.as_ptr()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        unsafe { ffi::hc_tls_free(self.0.as_ptr()) };
    }
}

/// The oldest TLS that is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsVersion {
    Tls12,
    Tls13,
}

/// Makes a [`Tls`]. Files are PEM, and read once, by [`build`](TlsBuilder::build).
///
/// ```
/// # let server = hc_testing::serve();
/// let tls = hc::Tls::builder().ca_file(server.ca()).min_version(hc::TlsVersion::Tls13).build()?;
/// let session = hc::Session::builder().tls(&tls).build()?;
/// assert_eq!(session.get(server.https_url("/bytes/1")).send_blocking()?.status(), 200);
/// # Ok::<(), hc::Error>(())
/// ```
pub struct TlsBuilder {
    raw: ffi::hc_tls_options,
    kept: Kept<'static>,
    pins: Vec<ffi::hc_str>,
}

// Safe: the pointers lead to what it owns itself.
unsafe impl Send for TlsBuilder {}

impl TlsBuilder {
    fn new() -> TlsBuilder {
        let mut raw = MaybeUninit::<ffi::hc_tls_options>::zeroed();
        let raw = unsafe {
            ffi::hc_tls_options_init(raw.as_mut_ptr(), size_of::<ffi::hc_tls_options>());
            raw.assume_init() // zeroed at least
        };
        TlsBuilder { raw, kept: Kept::default(), pins: Vec::new() }
    }

    /// Reads the files. May block on disk.
    pub fn build(self) -> Result<Tls, Error> {
        let mut raw = self.raw;
        if !self.pins.is_empty() {
            (raw.pins, raw.pin_count) = (self.pins.as_ptr(), self.pins.len());
        }
        let (mut handle, mut slot) = (ptr::null_mut(), ErrorSlot::new());
        let status = unsafe { ffi::hc_tls_create(&mut handle, &raw, slot.as_mut_ptr()) };
        slot.check(status)?;
        let handle = NonNull::new(handle).expect("HC_OK comes with an identity");
        Ok(Tls(Arc::new(Handle(handle))))
    }

    flags! {
        /// Verify certificate chain and host name: on. Off trusts everybody (pins are checked all the same).
        verify;
    }

    paths! {
        /// Bundle of authorities: those of $SSL_CERT_FILE (nobody is trusted if that cannot be read) or of the system.
        ca_file;
        /// Our own certificate, with the chain to its authority if one is needed.
        certificate_file;
        /// Where its key is, if not in the same file.
        key_file;
        /// None: secrets of each connection are appended there, for debugging. $SSLKEYLOGFILE is never obeyed.
        key_log_file;
    }

    texts! { String;
        /// As `ca_file`, as text.
        ca_pem;
        /// As `certificate_file`, as text.
        certificate_pem;
        /// As `key_file`, as text.
        key_pem;
        /// Of an encrypted key; nobody is ever asked for it.
        key_password;
        /// The name asked for (SNI) and looked for in the certificate: the URL's host.
        server_name;
    }

    /// TLS 1.2.
    pub fn min_version(mut self, version: TlsVersion) -> Self {
        self.raw.min_version = match version {
            TlsVersion::Tls12 => ffi::HC_TLS_1_2 as u8,
            TlsVersion::Tls13 => ffi::HC_TLS_1_3 as u8,
        };
        self
    }

    /// One more SHA-256 digest of a whole certificate (DER), 64 hex digits, with or without colons. The server's own
    /// must be one of them; this comes on top of `verify`.
    pub fn pin(mut self, sha256: impl Into<String>) -> Self {
        self.pins.push(self.kept.text(sha256.into()));
        self
    }
}
