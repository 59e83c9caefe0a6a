//! Between Rust's strings and durations and those of the C interface.

use std::borrow::Cow;
use std::ffi::CStr;
use std::os::raw::c_char;
use std::time::Duration;

use hc_sys as ffi;

pub(crate) const NOT_GIVEN: ffi::hc_str = ffi::hc_str { data: std::ptr::null(), len: 0 };

pub(crate) fn view(bytes: &[u8]) -> ffi::hc_str {
    ffi::hc_str { data: bytes.as_ptr().cast(), len: bytes.len() }
}

/// The bytes of a view of the library's.
///
/// # Safety
/// They live for `'a`.
pub(crate) unsafe fn bytes<'a>(view: ffi::hc_str) -> &'a [u8] {
    if view.data.is_null() {
        return &[];
    }
    std::slice::from_raw_parts(view.data.cast(), view.len)
}

/// # Safety
/// As for [`bytes`].
pub(crate) unsafe fn text<'a>(view: ffi::hc_str) -> Cow<'a, str> {
    String::from_utf8_lossy(bytes(view))
}

/// # Safety
/// As for [`bytes`]; `array` is NULL or has `count` elements.
pub(crate) unsafe fn array<'a, T>(array: *const T, count: usize) -> &'a [T] {
    if array.is_null() {
        return &[];
    }
    std::slice::from_raw_parts(array, count)
}

/// The text of a field that the library ended with a NUL.
pub(crate) fn text_of_array(field: &[c_char]) -> String {
    let bytes: Vec<u8> = field.iter().map(|c| *c as u8).take_while(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One of the library's own constant texts.
///
/// # Safety
/// `text` is NUL-terminated and lives as long as the process.
pub(crate) unsafe fn constant_text(text: *const c_char) -> &'static str {
    CStr::from_ptr(text).to_str().unwrap_or("?")
}

/// The largest number stands for "not set" there: it becomes the next, which is no less out of range, or without bound.
pub(crate) fn count(value: u64) -> u64 {
    value.min(ffi::HC_UNSET - 1)
}

/// Never less than asked for; what is beyond 64 bits is for ever.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    let whole = duration.as_nanos().saturating_add(999_999) / 1_000_000;
    u64::try_from(whole).map_or(ffi::HC_FOREVER, |ms| ms.min(ffi::HC_FOREVER))
}

pub(crate) fn nanoseconds(measured: u64) -> Option<Duration> {
    (measured != ffi::HC_UNSET).then(|| Duration::from_nanos(measured))
}

/// A path as the C interface takes it.
pub(crate) fn path_bytes(path: &std::path::Path) -> Vec<u8> {
    std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).to_vec()
}
