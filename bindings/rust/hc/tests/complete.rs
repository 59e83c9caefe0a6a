//! What the C interface has, this crate has, too: options, fields of a request, codes, counters, events.

const OPTIONS: &str = include_str!("../src/options.rs");
const REQUEST: &str = concat!(include_str!("../src/request.rs"), include_str!("../src/body.rs"));
const TLS: &str = include_str!("../src/tls.rs");
const CALLBACKS: &str = include_str!("../src/callbacks.rs");
const RESPONSE: &str = concat!(include_str!("../src/response.rs"), include_str!("../src/stream.rs"));
const STATS: &str = include_str!("../src/stats.rs");
const ERRORS: &str = include_str!("../src/error.rs");

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|found| found == word)
}

/// Fields of a struct that no source says anything about.
fn forgotten(name: &str, sources: &[&str]) -> Vec<&'static str> {
    let structs = hc_sys::structs();
    let each = structs.iter().find(|each| each.name == name).unwrap();
    let fields = each.fields.iter().map(|field| field.name);
    let is_ours = |field: &&str| !field.starts_with("reserved") && *field != "struct_size";
    fields.filter(is_ours).filter(|field| !sources.iter().any(|text| has_word(text, field))).collect()
}

#[test]
fn every_field_is_there() {
    let nothing: [&str; 0] = [];
    assert_eq!(forgotten("hc_session_options", &[OPTIONS, CALLBACKS]), nothing);
    assert_eq!(forgotten("hc_request", &[REQUEST]), ["queue"], "callbacks wake tasks without one");
    assert_eq!(forgotten("hc_tls_options", &[TLS]), nothing);
    assert_eq!(forgotten("hc_timeouts", &[REQUEST]), nothing);
    assert_eq!(forgotten("hc_response_info", &[RESPONSE]), nothing);
    assert_eq!(forgotten("hc_timing", &[RESPONSE]), nothing);
    assert_eq!(forgotten("hc_attempt", &[RESPONSE]), nothing);
    assert_eq!(forgotten("hc_hop", &[RESPONSE]), nothing);
    assert_eq!(forgotten("hc_chunk", &[RESPONSE]), nothing);
    assert_eq!(forgotten("hc_trace_event", &[CALLBACKS]), nothing);
    assert_eq!(forgotten("hc_socket_info", &[CALLBACKS]), nothing);
    assert_eq!(forgotten("hc_stats", &[STATS]), nothing);
    assert_eq!(forgotten("hc_histograms", &[STATS]), nothing);
    assert_eq!(forgotten("hc_histogram", &[STATS]), nothing);
    assert_eq!(forgotten("hc_origin_stats", &[STATS]), nothing);
    assert_eq!(forgotten("hc_runtime_info", &[STATS]), ["curl_version_number"], "its text is there");
    assert_eq!(forgotten("hc_error", &[ERRORS]), nothing);
}

#[test]
fn every_code_phase_and_domain_has_its_variant() {
    let is_told = |name: &&str| {
        let kinds = ["HC_E_", "HC_PHASE_", "HC_NATIVE_"];
        let never = ["HC_E_AGAIN", "HC_PHASE_NONE", "HC_NATIVE_NONE"]; // Poll::Pending and None
        kinds.iter().any(|kind| name.starts_with(kind)) && !never.contains(name)
    };
    let names: Vec<_> = hc_sys::constants().into_iter().map(|(name, _)| name).filter(is_told).collect();
    assert!(names.len() > 45, "{names:?}");
    let missing: Vec<_> = names.iter().filter(|name| !has_word(ERRORS, name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_function_is_used() {
    let rest = concat!(
        include_str!("../src/session.rs"),
        include_str!("../src/exchange.rs"),
        include_str!("../src/pending.rs")
    );
    let sources = [OPTIONS, REQUEST, TLS, CALLBACKS, RESPONSE, STATS, ERRORS, rest];
    let is_used = |name: &&str| sources.iter().any(|text| has_word(text, name));
    let unused: Vec<_> =
        hc_sys::functions().iter().map(|each| each.name).filter(|name| !is_used(name)).collect();
    let by_other_means = [
        "hc_version_number",           // the loader sees to it
        "hc_phase_name",               // Phase has Debug
        "hc_session_perform",          // blocking calls wait for the future
        "hc_response_body",            // comes with the completion
        "hc_response_get_certificate", // for languages without structs by value
        "hc_queue_create",             // callbacks wake tasks without a queue
        "hc_queue_fd",
        "hc_queue_drain",
        "hc_queue_wait",
        "hc_queue_close",
    ];
    assert_eq!(unused, by_other_means);
}
