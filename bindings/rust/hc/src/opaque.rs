//! `Debug` of types whose insides are the library's.

use std::fmt;

macro_rules! opaque {
    ($($name:ident $(<$lifetime:lifetime>)?,)*) => {
        $(impl fmt::Debug for crate::$name $(<$lifetime>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        })*
    };
}

opaque! {
    Body<'_>,
    BodySender,
    Closing,
    NextChunk<'_>,
    Pending,
    PendingStream,
    Query,
    RequestBuilder<'_>,
    Sending<'_>,
    Session,
    SessionBuilder,
    Tls,
    TlsBuilder,
}
