//! Texts that an option struct points to.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::path::Path;

use hc_sys as ffi;

use crate::text::{path_bytes, view};

/// Keeps what it owns until the struct has been copied; the rest is borrowed for `'a`.
///
/// The bytes of a `Vec` stay where they are when the `Vec` itself is moved, so views of them stay good.
#[derive(Default)]
pub(crate) struct Kept<'a> {
    owned: Vec<Vec<u8>>,
    borrowed: PhantomData<&'a [u8]>,
}

impl<'a> Kept<'a> {
    pub(crate) fn text(&mut self, text: impl Into<Cow<'a, str>>) -> ffi::hc_str {
        match text.into() {
            Cow::Borrowed(text) => view(text.as_bytes()),
            Cow::Owned(text) => self.own(text.into_bytes()),
        }
    }

    pub(crate) fn bytes(&mut self, bytes: impl Into<Cow<'a, [u8]>>) -> ffi::hc_str {
        match bytes.into() {
            Cow::Borrowed(bytes) => view(bytes),
            Cow::Owned(bytes) => self.own(bytes),
        }
    }

    pub(crate) fn path(&mut self, path: &Path) -> ffi::hc_str {
        self.own(path_bytes(path))
    }

    fn own(&mut self, bytes: Vec<u8>) -> ffi::hc_str {
        let view = view(&bytes);
        self.owned.push(bytes);
        view
    }
}
