//! Every declaration is that of hc.h: the C compiler says what the header means, and this test that nothing is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use hc_sys::declare::Function;

fn header_path() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../include/hc/hc.h"))
}

/// The header without its comments and without preprocessor lines other than #define.
fn code() -> String {
    let text = fs::read_to_string(header_path()).unwrap();
    let mut code = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("/*") {
        code += before;
        rest = after.split_once("*/").unwrap().1;
    }
    code += rest;
    let is_read = |line: &&str| !line.trim_start().starts_with('#') || line.starts_with("#define");
    code.lines().filter(is_read).flat_map(|line| [line, "\n"]).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// `*const *mut hc_session` is `hc_session * const *`.
fn c_type(rust: &str) -> String {
    let rust = rust.trim();
    if let Some(pointee) = rust.strip_prefix('*').map(str::trim_start) {
        return match pointee.strip_prefix("const ") {
            Some(pointee) => c_type(pointee) + " const *",
            None => c_type(pointee.strip_prefix("mut ").unwrap()) + " *",
        };
    }
    if let Some((element, count)) =
        rust.strip_prefix('[').and_then(|array| array.strip_suffix(']')?.split_once(';'))
    {
        return format!("{}[{}]", c_type(element), count.trim());
    }
    match rust {
        "" | "c_void" => "void".to_owned(),
        "c_char" => "char".to_owned(),
        "usize" => "size_t".to_owned(),
        number if number.starts_with('u') => format!("uint{}_t", &number[1..]),
        number if number.starts_with('i') => format!("int{}_t", &number[1..]),
        ours => ours.to_owned(),
    }
}

fn c_parameters(function: &Function) -> String {
    let types: Vec<_> = function.parameters.iter().map(|kind| c_type(kind)).collect();
    if types.is_empty() {
        "void".to_owned()
    } else {
        types.join(", ")
    }
}

/// Compiles a C program that begins with hc.h; with a main() it is run, too, and what it prints returned.
fn compile(name: &str, source: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(folder.join("hc")).unwrap();
    fs::write(folder.join("hc/version.h"), "").unwrap();
    fs::write(folder.join("probe.c"), format!("#include <hc/hc.h>\n#include <stdio.h>\n{source}")).unwrap();
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let runs = source.contains("int main");
    let ran = Command::new(compiler)
        .args([
            "-std=gnu11",
            "-Wall",
            "-Werror",
            if runs { "-O0" } else { "-c" },
            "probe.c",
            "-o",
            "probe",
            "-I.",
        ])
        .arg("-I")
        .arg(header_path().parent().unwrap().parent().unwrap())
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    if !runs {
        return String::new();
    }
    let ran = Command::new(folder.join("probe")).output().unwrap();
    assert!(ran.status.success());
    String::from_utf8(ran.stdout).unwrap()
}

fn print_all(name: &str, lines: &str) -> BTreeMap<String, String> {
    let printed = compile(name, &format!("int main(void) {{\n{lines}return 0;\n}}\n"));
    let pairs = printed.lines().map(|line| line.split_once(' ').unwrap());
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn constants_have_the_same_values() {
    let mut constants = hc_sys::constants();
    constants.retain(|(name, _)| *name != "HC_VERSION_NUMBER"); // of hc/version.h
    assert!(constants.len() > 90);
    let lines: String = constants
        .iter()
        .map(|(name, _)| format!("printf(\"{name} %lld\\n\", (long long){name});\n"))
        .collect();
    let printed = print_all("constants", &lines);
    for (name, value) in constants {
        let in_c: i64 = printed[name].parse().unwrap(); // as is what is beyond 2^63, wrapped
        assert_eq!(in_c as u64, value as u64, "{name}");
    }
}

#[test]
fn structs_have_the_same_size_offsets_and_types() {
    let structs = hc_sys::structs();
    let mut lines = String::new();
    for each in &structs {
        let name = each.name;
        writeln!(lines, "printf(\"{name} %zu\\n\", sizeof({name}));").unwrap();
        for field in &each.fields {
            let (field, kind) = (field.name, c_type(field.kind));
            let there = format!("(({name} *)0)->{field}");
            writeln!(
                lines,
                "printf(\"{name}.{field} %zu %zu\\n\", offsetof({name}, {field}), sizeof({there}));"
            )
            .unwrap();
            let same = format!("__builtin_types_compatible_p(__typeof__({there}), {kind})");
            writeln!(lines, "_Static_assert({same}, \"{name}.{field}: {kind}\");").unwrap();
        }
    }
    let printed = print_all("structs", &lines);
    assert!(structs.len() > 15);
    for each in &structs {
        assert_eq!(printed[each.name], each.size.to_string(), "{}", each.name);
        for field in &each.fields {
            let name = format!("{}.{}", each.name, field.name);
            assert_eq!(printed[&name], format!("{} {}", field.offset, field.size), "{name}");
        }
    }
}

/// Declares all of it once more after the header: a C compiler takes that only if it is the same, const included.
#[test]
fn signatures_are_the_same_to_a_c_compiler() {
    let mut source = String::new();
    for each in hc_sys::functions() {
        writeln!(source, "{} {}({});", c_type(each.returns), each.name, c_parameters(&each)).unwrap();
    }
    for each in hc_sys::callbacks() {
        writeln!(source, "typedef {} (*{})({});", c_type(each.returns), each.name, c_parameters(&each))
            .unwrap();
    }
    for (name, kind) in hc_sys::aliases() {
        writeln!(source, "typedef {} {name};", c_type(kind)).unwrap();
    }
    for name in hc_sys::handles() {
        writeln!(source, "typedef struct {name} {name};").unwrap();
    }
    compile("signatures", &source);
}

#[test]
fn a_signature_that_differs_is_noticed() {
    let wrong = "hc_status hc_queue_wait(hc_queue *, uint32_t, size_t *);\n";
    let noticed = std::panic::catch_unwind(|| compile("differs", wrong)).unwrap_err();
    assert!(noticed.downcast_ref::<String>().unwrap().contains("conflicting types"));
}

#[test]
fn nothing_of_the_header_is_missing() {
    let decorations = ["HC_HC_H", "HC_API", "HC_NODISCARD", "HC_DEPRECATED", "HC_STR"];
    let mut ours: BTreeSet<_> = decorations.into_iter().collect();
    ours.extend(hc_sys::constants().iter().map(|(name, _)| *name));
    ours.extend(hc_sys::aliases().iter().map(|(name, _)| *name));
    ours.extend(hc_sys::handles());
    ours.extend(hc_sys::structs().iter().map(|each| each.name));
    ours.extend(hc_sys::callbacks().iter().map(|each| each.name));
    ours.extend(hc_sys::functions().iter().map(|each| each.name));
    let code = code();
    let theirs: BTreeSet<_> =
        words(&code).filter(|word| word.starts_with("hc_") || word.starts_with("HC_")).collect();
    assert!(theirs.len() > 150);
    let missing: Vec<_> = theirs.difference(&ours).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// A small field could hide in padding from the comparison of sizes.
#[test]
fn no_field_is_missing() {
    let code = code();
    for each in hc_sys::structs() {
        let start = format!("typedef struct {} {{", each.name);
        let body = code.split_once(&start).unwrap().1.split_once('}').unwrap().0;
        assert_eq!(body.matches(';').count(), each.fields.len(), "{}", each.name);
    }
}

#[test]
fn the_library_is_not_older_than_the_declarations() {
    assert!(unsafe { hc_sys::hc_version_number() } >= hc_sys::HC_VERSION_NUMBER);
}
