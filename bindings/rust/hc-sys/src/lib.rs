//! The raw declarations of libhc's C interface, name by name as in `hc/hc.h`, which is also their documentation. Every
//! constant, size, offset and signature is compared with that header by a test. The safe interface is the crate `hc`.
//!
//! libhc is looked for in the folder that the environment variable `HC_LIB_DIR` names, else with pkg-config.

#![allow(non_camel_case_types)]

#[macro_use]
#[doc(hidden)]
pub mod declare;
mod ffi;

pub use ffi::*;
