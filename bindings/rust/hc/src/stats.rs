//! What a session counted, and what the library runs on.

use std::mem::{size_of, MaybeUninit};
use std::ptr;
use std::time::Duration;

use hc_sys as ffi;

use crate::error::{check, Error};
use crate::session::Session;
use crate::text::{array, text, text_of_array, view};

macro_rules! counted {
    (
        $(#[doc = $type_doc:literal])* $name:ident from $raw:ident;
        counts { $($(#[doc = $doc:literal])* $count:ident,)* }
        times { $($(#[doc = $time_doc:literal])* $time:ident from $field:ident,)* }
    ) => {
        $(#[doc = $type_doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[doc = $doc])* pub $count: u64,)*
            $($(#[doc = $time_doc])* pub $time: Duration,)*
        }

        impl $name {
            fn of(raw: &ffi::$raw) -> $name {
                $name {
                    $($count: raw.$count,)*
                    $($time: Duration::from_nanos(raw.$field),)*
                }
            }
        }
    };
}

counted! {
    /// Counters since the session was created, and gauges of now. One consistent picture: `submitted` is `succeeded`,
    /// `failed`, `cancelled` and `in_flight` together.
    Stats from hc_stats;
    counts {
        submitted,
        /// Answered, with whatever HTTP status.
        succeeded,
        failed,
        cancelled,
        /// Gauge: no outcome yet, waiting ones included.
        in_flight,
        /// Gauge: in line for a connection.
        waiting,
        /// Repeated on a fresh connection.
        stale_retries,
        /// Of bodies.
        bytes_received,
        /// Of bodies.
        bytes_sent,
        sockets_opened,
        sockets_closed,
        /// Gauge.
        sockets_connecting,
        /// Gauge.
        sockets_in_use,
        /// Gauge.
        sockets_idle,
        /// Gauge: shut down, descriptor not yet closed.
        sockets_retired,
        /// Highest connecting, in use and idle so far.
        sockets_peak,
        /// Became usable.
        connections_made,
        /// Times a request rode an existing one.
        connections_reused,
        /// Sockets that never became usable.
        connect_failures,
        /// Questions that left the cache.
        dns_lookups,
        dns_cache_hits,
        dns_failures,
        loop_turns,
    }
    times {
        /// Sum of the time in line.
        waited from waited_ns,
        /// The session's thread working, not waiting.
        loop_busy from loop_busy_ns,
        /// Since the session was created.
        loop_elapsed from loop_elapsed_ns,
        loop_worst_turn from loop_worst_turn_ns,
    }
}

counted! {
    /// One origin's part of [`Stats`].
    OriginCounts from hc_origin_stats;
    counts {
        submitted,
        succeeded,
        failed,
        cancelled,
        /// Gauge.
        in_flight,
        /// Gauge.
        waiting,
        /// Gauge: promised to a request, connecting, in use, idle.
        sockets,
        /// Gauge.
        sockets_idle,
        connections_made,
        connections_reused,
        stale_retries,
    }
    times {
        /// Sum of the time in line.
        waited from waited_ns,
        /// Sum from the submits to the ends.
        total from total_ns,
    }
}

/// How long something took, many times over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Histogram {
    /// How often.
    pub count: u64,
    pub sum: Duration,
    /// (upper bound, how often up to that and above the bound before); None: without bound.
    pub buckets: Vec<(Option<Duration>, u64)>,
}

/// Where the time of requests went, since the session was created.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Histograms {
    /// In line; each slot that was given counts, zero too.
    pub waiting: Histogram,
    /// From the slot to a usable new connection.
    pub connect: Histogram,
    /// From the request sent to the first byte.
    pub first_byte: Histogram,
    /// From the submit to the end, whatever it was.
    pub total: Histogram,
}

impl Histogram {
    fn of(raw: &ffi::hc_histogram, bounds: &[u64]) -> Histogram {
        let bounds = bounds.iter().map(|bound| Some(Duration::from_nanos(*bound))).chain([None]);
        let buckets = bounds.zip(raw.buckets).collect();
        Histogram { count: raw.count, sum: Duration::from_nanos(raw.sum_ns), buckets }
    }
}

impl Session {
    /// Counters and gauges, read without stopping the session's thread.
    ///
    /// ```
    /// # let server = hc_testing::serve();
    /// # let url = server.url("/bytes/1");
    /// let session = hc::Session::new()?;
    /// session.get(url).send_blocking()?;
    /// assert_eq!(session.stats()?.succeeded, 1);
    /// assert_eq!(session.histograms()?.total.count, 1);
    /// assert_eq!(session.origins()?[0].1.connections_made, 1);
    /// assert!(hc::prometheus(&[(&session, "main")])?.contains("session=\"main\""));
    /// # Ok::<(), hc::Error>(())
    /// ```
    pub fn stats(&self) -> Result<Stats, Error> {
        let mut raw = MaybeUninit::<ffi::hc_stats>::zeroed();
        unsafe {
            (*raw.as_mut_ptr()).struct_size = size_of::<ffi::hc_stats>() as u32;
            check(ffi::hc_session_stats(self.as_ptr(), raw.as_mut_ptr()))?;
            Ok(Stats::of(raw.assume_init_ref()))
        }
    }

    pub fn histograms(&self) -> Result<Histograms, Error> {
        let mut raw = MaybeUninit::<ffi::hc_histograms>::zeroed();
        let raw = unsafe {
            (*raw.as_mut_ptr()).struct_size = size_of::<ffi::hc_histograms>() as u32;
            check(ffi::hc_session_histograms(self.as_ptr(), raw.as_mut_ptr()))?;
            raw.assume_init()
        };
        let bounds = unsafe { array(raw.bounds_ns, raw.bound_count as usize) };
        Ok(Histograms {
            waiting: Histogram::of(&raw.waiting, bounds),
            connect: Histogram::of(&raw.connect, bounds),
            first_byte: Histogram::of(&raw.first_byte, bounds),
            total: Histogram::of(&raw.total, bounds),
        })
    }

    /// What was counted for each origin (`https://example.org:443`), busiest first; those without a row of their own are
    /// together in a last one named "".
    pub fn origins(&self) -> Result<Vec<(String, OriginCounts)>, Error> {
        let capacity = ffi::HC_MAX_ORIGINS as usize;
        let (size, mut count) = (size_of::<ffi::hc_origin_stats>(), 0);
        let mut rows = Vec::<ffi::hc_origin_stats>::with_capacity(capacity);
        unsafe {
            check(ffi::hc_session_origins(self.as_ptr(), rows.as_mut_ptr(), size, capacity, &mut count))?;
            rows.set_len(count);
        }
        Ok(rows.iter().map(|row| (text_of_array(&row.origin), OriginCounts::of(row))).collect())
    }
}

/// The statistics of sessions in Prometheus' text format, for a scraper; each with the value of its label `session`. The
/// metrics are in `docs/observability.md` of libhc.
pub fn prometheus(sessions: &[(&Session, &str)]) -> Result<String, Error> {
    let handles: Vec<_> = sessions.iter().map(|(session, _)| session.as_ptr()).collect();
    let names: Vec<_> = sessions.iter().map(|(_, name)| view(name.as_bytes())).collect();
    let mut text: Vec<u8> = Vec::new();
    let mut length = 0;
    let (handles_at, names_at, count) = (handles.as_ptr(), names.as_ptr(), handles.len());
    loop {
        let (place, room) = match text.capacity() {
            0 => (ptr::null_mut(), 0),
            room => (text.as_mut_ptr().cast(), room),
        };
        check(unsafe { ffi::hc_metrics_prometheus(handles_at, names_at, count, place, room, &mut length) })?;
        if length <= room {
            unsafe { text.set_len(length) };
            return Ok(String::from_utf8_lossy(&text).into_owned());
        }
        text = Vec::with_capacity(length + length / 8); // it may grow meanwhile
    }
}

/// The libraries found at run time, and the limits of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuntimeInfo {
    pub curl_version: String,
    /// Separated by spaces.
    pub curl_features: String,
    pub ares_version: String,
    pub tls_version: String,
    /// The default bundle of authorities; empty: none was found.
    pub ca_file: String,
    /// Soft RLIMIT_NOFILE.
    pub descriptor_limit: u64,
    /// Sockets that all sessions together may open.
    pub descriptor_budget: u64,
    /// Of that budget.
    pub descriptors_in_use: u64,
}

/// What the library runs on.
pub fn runtime_info() -> Result<RuntimeInfo, Error> {
    let mut raw = MaybeUninit::<ffi::hc_runtime_info>::zeroed();
    let raw = unsafe {
        (*raw.as_mut_ptr()).struct_size = size_of::<ffi::hc_runtime_info>() as u32;
        check(ffi::hc_runtime_get_info(raw.as_mut_ptr()))?;
        raw.assume_init()
    };
    let owned = |view| unsafe { text(view) }.into_owned();
    Ok(RuntimeInfo {
        curl_version: owned(raw.curl_version),
        curl_features: owned(raw.curl_features),
        ares_version: owned(raw.ares_version),
        tls_version: owned(raw.tls_version),
        ca_file: owned(raw.ca_file),
        descriptor_limit: raw.descriptor_limit,
        descriptor_budget: raw.descriptor_budget,
        descriptors_in_use: raw.descriptors_in_use,
    })
}
