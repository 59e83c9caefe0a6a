#!/usr/bin/python3
"""Tests the checks beside this file: each must find what it is for, and must not cry wolf."""

import contextlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import check_abi
import check_docs
import check_exports
import check_floors
import check_linking
import check_tree
import count_tests
import ffi_json
import fn_size
import hc_header
import matrix
import python_ffi
import rust_ffi
import xml.etree.ElementTree as xml
from cpp_source import code_only

ROOT = pathlib.Path(__file__).resolve().parent.parent


class InTree(unittest.TestCase):
    """Gives each test an empty directory to write a small tree into."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


class Format(InTree):
    def check(self, **files):
        for name in ("tools/format.sh", ".clang-format"):
            self.write(name, (ROOT / name).read_text())
        for suffix, text in files.items():
            self.write(f"include/hc/a.{suffix}", text)
        command = ["bash", self.root / "tools/format.sh", "--check"]
        return subprocess.run(command, capture_output=True, text=True)

    def test_each_kind_of_file_counts(self):
        self.assertIn("a.cpp:1: not in the code format", self.check(cpp="int  a;\n", hpp="int a;\n").stdout)
        self.assertIn("a.hpp:1: not in the code format", self.check(cpp="int a;\n", hpp="int  a;\n").stdout)

    def test_and_so_does_the_exit_code(self):
        for good, bad in (("cpp", "hpp"), ("hpp", "cpp")):
            self.assertEqual(self.check(**{good: "int a;\n", bad: "int  a;\n"}).returncode, 1)
        self.assertEqual(self.check(cpp="int a;\n", hpp="int a;\n").returncode, 0)


class Floors(InTree):
    def test_down_and_sideways_are_fine(self):
        self.write("src/engine/session.cpp", '#include <hc/hc.h>\n#include "engine/session.h"\n#include "base/fd.h"\n')
        self.write("src/adapter/multi.cpp", '#include <curl/curl.h>\n#include <ares.h>\n#include <openssl/ssl.h>\n')
        self.write("capi/session.cpp", '#include "guard.h"\n#include "engine/session.h"\n')
        self.write("capi/guard.h", "")
        self.assertEqual(check_floors.check(self.root), [])

    def test_up_is_not(self):
        self.write("src/model/request.h", '#include <string>\n#  include "engine/session.h"\n')
        self.assertEqual(len(check_floors.check(self.root)), 1)
        self.assertIn("src/model/request.h:2:", check_floors.check(self.root)[0])

    def test_up_to_the_shim_is_not_whatever_the_spelling(self):
        self.write("capi/guard.h", "")
        self.write("src/engine/a.h", '#include "capi/guard.h"\n#include "../../capi/guard.h"\n#include "guard.h"\n')
        self.assertEqual(len(check_floors.check(self.root)), 3)

    def test_foreign_headers_stay_in_the_adapter(self):
        for header in ("<curl/curl.h>", "<ares.h>", "<ares_dns.h>", '"openssl/ssl.h"'):
            self.write("src/engine/a.cpp", f"#include {header}\n")
            self.assertEqual(len(check_floors.check(self.root)), 1, header)

    def test_a_file_stands_on_a_floor(self):
        self.write("src/util/a.h", "")
        self.write("src/b.h", "")
        self.assertEqual(len(check_floors.check(self.root)), 2)


class FunctionSizes(unittest.TestCase):
    def sizes(self, text):
        return {one.name: one.length for one in fn_size.functions("a.cpp", text)}

    def test_plain_methods_and_templates(self):
        text = """
namespace a::b {
struct [[nodiscard]] P final : Base<int, std::function<void()>> {
  explicit P(int a) : x{a}, y{{1, 2}} {}
  bool operator<(const P& o) const { return x < o.x; }
 public:
  template <class T, class = std::enable_if_t<(sizeof(T) > 3)>>
  auto get(T t = T{}) -> std::vector<T> {
    auto inner = [&](int q) {
      return q;
    };
    return {t};
  }
};
P::~P()
    noexcept {
}
"""
        self.assertEqual(self.sizes(text), {"P": 1, "operator": 1, "get": 7, "P::~P": 3})

    def test_initialiser_lists_belong_to_the_constructor(self):
        text = """
X::X(std::vector<int> v)
    : v_(std::move(v)), w_{[this] { return 1; }},
      Base<int>{3} {
  go();
}
int after() { return 1; }
"""
        self.assertEqual(self.sizes(text), {"X::X": 5, "after": 1})

    def test_braces_that_are_no_functions(self):
        text = """
#define M(x) { x
enum class Color : uint8_t { red, green };
const char* text = R"x({{{ " )x";  // {
const std::map<int, std::string> names{{1, "a"}, {2, "}"}};
std::function<void()> on_done_{};
static int table[] = {1'000, '{'};
"""
        self.assertEqual(self.sizes(text), {})

    def test_c_linkage_and_lambdas_at_namespace_scope(self):
        text = """
extern "C" int one(void) { return 1; }
extern "C" {
int two(void) {
  return 2; }
}
auto helper = [](int x) {
  return x;
};
"""
        self.assertEqual(self.sizes(text), {"one": 1, "two": 2, "(lambda)": 3})

    def test_budgets(self):
        short, long = fn_size.Function("a", 1, 3, "f"), fn_size.Function("a", 9, 81, "g")
        self.assertEqual(fn_size.report("good", [short] * 10), 0)
        self.assertEqual(fn_size.report("one too long", [short] * 10 + [long]), 1)
        self.assertEqual(fn_size.report("all too long", [long] * 3), 3)


class Source(unittest.TestCase):
    def test_lines_stay_in_place(self):
        text = 'a /* { \n */ b // }\n"{" \'}\' R"(\n{)" 1\'000\n#define X \\\n {\nc\n'
        code = code_only(text)
        self.assertEqual(code.count("\n"), text.count("\n"))
        self.assertNotRegex(code, "[{}]")
        self.assertEqual(code.split("\n")[-2], "c")


DOCUMENTED = """
/**
 * Ends it.
 *
 * Threads    Any.
 * Returns    HC_OK
 * Since      0.1
 */
HC_API HC_NODISCARD hc_status
hc_thing_close(hc_thing *thing);
/** Frees it.
 *
 * Since      0.1
 */
HC_API void hc_thing_free(hc_thing *thing);
/**
 * Returns its name.
 *
 * Since      0.1
 */
HC_API const char *hc_thing_name(const hc_thing *thing);
"""


PROMISED = """
#include <stddef.h>
#include <stdint.h>
#define HC_API __attribute__((visibility("default")))
enum { HC_OK = 0, HC_E_INVALID = -1 };
typedef int32_t hc_status;
typedef struct hc_str {
  const char *data;
  size_t len;
} hc_str;
typedef struct hc_thing hc_thing;
typedef hc_status (*hc_thing_fn)(const hc_str *name, void *user_data);
typedef struct hc_thing_options {
  uint32_t struct_size;
  int32_t number;
  hc_str name;
  hc_thing_fn on_thing;
  uint32_t last;
} hc_thing_options;
HC_API hc_status hc_thing_create(hc_thing **out, const hc_thing_options *options);
HC_API void hc_thing_free(hc_thing *thing);
"""
PROMISED_MAP = "HC_0.1 {\n  global: hc_*;\n  local: *;\n};\n"


class Abi(InTree):
    """A baseline, and a library that was built from a header that is other than that."""

    def offences(self, *replacements, script=PROMISED_MAP, soname="libhc.so.0", options=()):
        header = PROMISED
        for old, new in replacements:
            self.assertEqual(header.count(old), 1, old)
            header = header.replace(old, new)
        for where, text, nodes in (("abi/libhc.so.0/0.1", PROMISED, PROMISED_MAP), ("now", header, script)):
            self.write(f"{where}/hc/hc.h", text)
            self.write(f"{where}/hc.map", nodes)
        self.write("include/hc/hc.h", header)
        self.write("capi/hc.map", script)
        library = check_abi.make_stub(self.root / "now", soname, self.root)
        for option in options:
            subprocess.run(["objcopy", option, str(library)], check=True)
        return "\n".join(check_abi.check(self.root, library)[0])

    def test_nothing_changed(self):
        self.assertEqual(self.offences(), "")

    def test_what_may_grow(self):
        script = PROMISED_MAP + "HC_0.2 {\n  global: hc_thing_name;\n} HC_0.1;\n"
        self.assertEqual(self.offences(
            ("-1 }", "-1, HC_E_NEW = -2 }"),
            ("  uint32_t last;\n", "  uint32_t last;\n  uint64_t more;\n"),
            ("HC_API void", "HC_API hc_str hc_thing_name(const hc_thing *thing);\nHC_API void"),
            script=script), "")

    def test_fields_stay_where_and_what_they_are(self):
        self.assertIn("number at 4", self.offences(("  int32_t number;", "  uint32_t number;")))
        self.assertIn("hc_thing_options.name: was", self.offences(("  hc_str name;", "  hc_str other;\n  hc_str name;")))
        self.assertIn("is gone", self.offences(("  uint32_t last;\n", "")))

    def test_a_new_field_makes_the_struct_longer(self):
        self.assertIn("was padding", self.offences(("  uint32_t last;", "  uint32_t last;\n  uint32_t more;")))

    def test_a_struct_without_a_length_never_grows(self):
        found = self.offences(("  size_t len;", "  size_t len;\n  size_t room;"))
        self.assertIn("hc_str.room: is new", found)
        self.assertIn("abidiff", found)

    def test_constants_and_callbacks_stay(self):
        self.assertIn("HC_E_INVALID: was -1, is -2", self.offences(("-1 }", "-2 }")))
        self.assertIn("hc_thing_fn", self.offences(("const hc_str *name, void", "hc_str name, void")))

    def test_functions_stay(self):
        self.assertIn("abidiff", self.offences(("HC_API void hc_thing_free(hc_thing *thing);", "")))
        self.assertIn("abidiff", self.offences(("hc_thing_free(hc_thing *thing)", "hc_thing_free(hc_thing **thing)")))

    def test_nodes_are_only_added_at_the_end(self):
        other = PROMISED_MAP.replace("HC_0.1", "HC_0.0")
        self.assertIn("new ones go to the end", self.offences(script=other))
        self.assertIn("abidiff", self.offences(script=other))
        apart = PROMISED_MAP + "HC_0.2 {\n  global: hc_thing_free;\n};\n"
        self.assertIn("must stand on HC_0.1", self.offences(script=apart))

    def test_nothing_to_compare_is_no_success(self):
        self.assertIn("no baseline of libhc.so.1", self.offences(soname="libhc.so.1"))
        self.assertIn("no debug information", self.offences(options=["--strip-debug"]))

    def test_a_baseline_has_no_comments(self):
        self.write("CMakeLists.txt", "project(libhc VERSION 1.2.3 X)\nset(HC_SOVERSION 4)\n")
        self.write("include/hc/version.h.in", "@PROJECT_VERSION_MINOR@ @PROJECT_VERSION@\n")
        self.write("include/hc/hc.h", "/* what */\n#include <x.h>\nint a; /* it\nis */\n")
        self.write("capi/hc.map", PROMISED_MAP)
        folder = check_abi.keep(self.root)
        self.assertEqual(folder, self.root / "abi/libhc.so.4/1.2")
        self.assertEqual((folder / "hc/hc.h").read_text(), "#include <x.h>\nint a;\n")
        self.assertEqual((folder / "hc/version.h").read_text(), "2 1.2.3\n")


class Linking(InTree):
    GOOD = ["-fPIC", "-Wl,-z,relro,-z,now,-z,nodelete"]
    CODE = "int number; int *where(void) { return &number; }"

    def offences(self, *options, code=CODE, start=GOOD):
        self.write("a.c", code)
        library = str(self.root / "a.so")
        command = ["gcc", "-shared", "-nostdlib", str(self.root / "a.c"), "-o", library, *start, *options]
        subprocess.run(command, check=True)
        return " ".join(check_linking.check(library))

    def test_as_it_must_be(self):
        self.assertEqual(self.offences(), "")

    def test_memory(self):
        self.assertIn("executable stack", self.offences("-Wl,-z,execstack"))
        code = 'void f(void); __asm__(".globl f\\nf: .quad f");'
        self.assertIn("relocations in code", self.offences("-Wl,-z,notext", code=code))
        self.assertIn("writable and executable", self.offences("-Wl,-N", start=["-fPIC"]))

    def test_hardening_and_lifetime(self):
        self.assertIn("no RELRO", self.offences("-Wl,-z,norelro"))
        self.assertIn("bound lazily", self.offences("-Wl,-z,lazy"))
        self.assertIn("NODELETE", self.offences(start=["-fPIC", "-Wl,-z,now"]))

    def test_place_and_needs(self):
        self.assertIn("RUNPATH", self.offences("-Wl,-rpath,/opt/x"))
        self.write("b.c", "")
        other = str(self.root / "libother.so")
        subprocess.run(["gcc", "-shared", "-nostdlib", str(self.root / "b.c"), "-o", other], check=True)
        self.assertIn("libother", self.offences("-Wl,--no-as-needed", other))


class Docs(unittest.TestCase):
    def offences(self, old="", new=""):
        self.assertIn(old, DOCUMENTED)
        return check_docs.check(DOCUMENTED.replace(old, new, 1), "hc.h")

    def test_good_form(self):
        self.assertEqual(self.offences(), [])

    def test_missing_pieces(self):
        self.assertEqual(len(self.offences(" * Since      0.1\n")), 1)
        self.assertEqual(len(self.offences(" * Returns    HC_OK\n")), 1)
        self.assertEqual(len(self.offences(" * Ends it.\n")), 1)
        self.assertEqual(len(self.offences(" * Returns its name", " * Gives its name")), 1)

    def test_order(self):
        self.assertEqual(len(self.offences(" * Threads    Any.\n * Returns    HC_OK", " * Returns    HC_OK\n * Threads    Any.")), 1)

    def test_no_block(self):
        self.assertEqual(len(self.offences("/** Frees it.\n *\n * Since      0.1\n */\n", "")), 1)

    def test_line(self):
        self.assertIn("hc.h:10: hc_thing_close", self.offences(" * Since      0.1\n", " *\n")[0])


class TestNames(InTree):
    def test_each_exists(self):
        self.write("tests/unit/a_test.cpp", "TEST(Gate, Opens) {}\nTEST_F(GateTest, Shuts) {}\nTEST_P(\n    Wide, Gate) {}\n")
        self.write("docs/a.md", "`Gate.Opens`, `GateTest.Shuts`, `Wide.Gate`, `Gate.h`, `hc.h`\n")
        self.assertEqual(check_docs.unknown_tests(self.root), [])

    def test_one_does_not(self):
        self.write("docs/a.md", "\n| x | `Gate.Opens` |\n")
        self.assertEqual(check_docs.unknown_tests(self.root), ["docs/a.md:2: there is no test Gate.Opens"])


class Exports(InTree):
    def setUp(self):
        super().setUp()
        self.write("include/hc/hc.h", DOCUMENTED)
        self.write("capi/hc.map", "/* nodes { */\nHC_0.1 {\n  global: hc_*;\n  local: *;\n};\n")
        self.symbols = [f"hc_thing_{verb}@@HC_0.1" for verb in ("close", "free", "name")]
        self.write("capi/exports.txt", "# comment\n" + "\n".join(self.symbols) + "\n")

    def test_all_agree(self):
        self.assertEqual(check_exports.check(self.root, self.symbols), [])

    def test_library_has_more_or_less(self):
        self.assertEqual(len(check_exports.check(self.root, self.symbols + ["_ZN2hc4leakEv@@HC_0.1"])), 1)
        self.assertEqual(len(check_exports.check(self.root, self.symbols[1:])), 1)
        self.assertEqual(len(check_exports.check(self.root, ["hc_thing_close"] + self.symbols[1:])), 2)

    def test_header_has_more(self):
        self.write("include/hc/hc.h", DOCUMENTED + "HC_API int hc_extra(void);\n")
        self.assertEqual(len(check_exports.check(self.root, self.symbols)), 1)

    def test_map_has_another_node(self):
        self.write("capi/hc.map", "HC_0.1 {\n  global: hc_*;\n};\nHC_0.2 {\n} HC_0.1;\n")
        self.assertEqual(len(check_exports.check(self.root, self.symbols)), 1)

    def test_list_is_sorted(self):
        self.write("capi/exports.txt", "\n".join(reversed(self.symbols)))
        self.assertEqual(len(check_exports.check(self.root, self.symbols)), 1)


class Tree(InTree):
    def test_traces_of_a_machine(self):
        for trace in ("/wo" + "rk/main", "/ro" + "ot/x", "https://registry." + "npmjs.org/a", "artifactory." + "example.com/x"):
            self.write("docs/a.md", f"one\nsee {trace}\n")
            self.assertEqual(len(check_tree.check(self.root)), 1, trace)

    def test_what_only_looks_like_one(self):
        self.write("docs/a.md", "http://example.com/work/x and a/work/b, ~/work/c, work/d\n")
        self.assertEqual(check_tree.check(self.root), [])

    def test_long_files(self):
        self.write("src/base/a.cpp", "\n" * 451)
        self.write("include/hc/hc.h", "\n" * 800)
        self.write("tests/unit/a.cpp", "\n" * 800)
        self.write("src/base/b.cpp", "\n" * 450)
        self.assertEqual(len(check_tree.check(self.root)), 1)

    def test_binary_files_are_left_alone(self):
        (self.root / "data").write_bytes(b"\0/wo" + b"rk/x")
        self.assertEqual(check_tree.check(self.root), [])


class Counting(unittest.TestCase):
    def test_what_counts_as_what(self):
        expected = {
            '<testcase status="run"/>': "passed",
            '<testcase status="fail"/>': "failed",
            '<testcase status="disabled"/>': "skipped",
            '<testcase status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/></testcase>': "skipped",
            '<testcase status="notrun"><skipped message="Unable to find executable"/></testcase>': "failed",
        }
        for text, outcome in expected.items():
            self.assertEqual(count_tests.outcome(xml.fromstring(text)), outcome, text)

    def test_what_counts_as_what_for_pytest(self):
        expected = {
            '<testcase classname="a" name="b"/>': "passed",
            '<testcase classname="a" name="b"><system-out>x</system-out></testcase>': "passed",
            '<testcase classname="a" name="b"><failure message="x"/></testcase>': "failed",
            '<testcase classname="a" name="b"><error message="x"/></testcase>': "failed",
            '<testcase classname="a" name="b"><skipped message="x"/></testcase>': "skipped",
        }
        for text, outcome in expected.items():
            case = xml.fromstring(text)
            self.assertEqual(count_tests.outcome(case), outcome, text)
            self.assertEqual(count_tests.name_of(case), "a.b")

    def test_outcomes_of_cargo(self):
        text = "running 3 tests\ntest a::b ... ok\ntest src/lib.rs - (line 6) ... FAILED\ntest c ... ignored, why\ntest result: ok."
        expected = [("a::b", "passed"), ("src/lib.rs - (line 6)", "failed"), ("c", "skipped")]
        self.assertEqual(count_tests.outcomes_in(text), expected)


class Matrix(InTree):
    """The Python tests in a chroot: nothing may pass that did not run, or ran without aiohttp."""

    ENDED = '<testsuite><testcase classname="a" name="b"/><testcase name="c"><skipped/></testcase>{}</testsuite>'
    PASSED = ENDED.format("")
    FAILED = ENDED.format('<testcase classname="a" name="d"><failure/></testcase>')

    def test_which_releases(self):
        releases = lambda python, *named: matrix.releases_for(mock.Mock(python=python, releases=list(named)))  # noqa: E731
        self.assertEqual(releases(False), ["bookworm", "trixie", "sid"])
        self.assertEqual(releases(False, "sid"), ["bookworm", "sid"])
        self.assertEqual(releases(True), ["trixie", "sid"])
        self.assertEqual(releases(True, "bookworm"), ["bookworm"])

    def test_what_pytest_tells(self):
        self.assertEqual(matrix.tally_of_pytest(0, self.PASSED), (["a.b"], [], ["c"], [], ""))
        self.assertEqual(matrix.tally_of_pytest(1, self.FAILED), (["a.b"], ["a.d"], ["c"], [], ""))

    def test_what_did_not_come_to_its_end_is_a_problem(self):
        self.assertIn("no test ran", matrix.tally_of_pytest(124, "").problem)
        self.assertIn("no test ran", matrix.tally_of_pytest(5, "<testsuite/>").problem)
        self.assertIn("1 skipped", matrix.tally_of_pytest(0, '<a><testcase name="c"><skipped/></testcase></a>').problem)
        for status, results in ((1, self.PASSED), (0, self.FAILED), (-9, self.PASSED), (3, self.FAILED)):
            self.assertIn(f"ended with {status}", matrix.tally_of_pytest(status, results).problem)

    def run_in(self, aiohttp, status=0, results=PASSED):
        """`aiohttp` is what importing it prints in the chroot, and pytest writes `results`."""
        (self.root / "shared/sid").mkdir(parents=True)
        (self.root / "log").mkdir()
        chroot = mock.Mock(suite="sid", version_of=lambda package: "1.0")
        chroot.output = lambda *command: aiohttp if "import aiohttp" in command[-1] else "1.0"
        pytest = f"printf %s '{results}' >{self.root}/shared/sid/python.xml; exit {status}"
        chroot.command = lambda *_, environment: ["sh", "-c", pytest]
        with mock.patch.multiple(matrix, SHARED=self.root / "shared", LOGS=self.root / "log", say=mock.DEFAULT):
            row = matrix.test_python(chroot)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            return matrix.report([row], is_complete=False, is_frozen=False), printed.getvalue()

    def test_the_counts_and_the_versions_are_told(self):
        good, printed = self.run_in("3.14.3")
        self.assertTrue(good)
        self.assertIn("3.14.3", printed)
        self.assertTrue(printed.endswith("1 passed, 0 failed, 1 skipped\n"), printed)

    def test_a_failed_test_is_named(self):
        good, printed = self.run_in("3.14.3", status=1, results=self.FAILED)
        self.assertFalse(good)
        self.assertIn("`python.a.d` failed", printed)

    def test_no_aiohttp_is_a_failure(self):
        good, printed = self.run_in("")
        self.assertFalse(good)
        self.assertIn("no aiohttp", printed)
        self.assertTrue(printed.endswith("0 passed, 1 failed\n"), printed)


class Header(unittest.TestCase):
    TEXT = """
/** A status. */
typedef int32_t hc_status;
#define HC_TOP UINT64_MAX
#define HC_LESS (UINT64_MAX - 1) /* why */
#define HC_WORD(x) x
enum { HC_A, HC_B = 4, /* c, d */ HC_C };
typedef struct hc_thing hc_thing;
typedef struct hc_str { const char *data; size_t len; } hc_str;
#define HC_MANY 5
typedef struct hc_o { uint8_t pad[3]; uint64_t many[HC_MANY]; hc_str a; /* x; y */ const hc_str *b; hc_thing *c; } hc_o;
typedef void (*hc_done_fn)(const hc_o *o, void *user_data);
/** Makes one. */
HC_API HC_NODISCARD hc_status hc_thing_create(hc_thing **out,
                                              const hc_o *options, uint64_t ms);
HC_API const char *hc_version(void);
"""

    def test_what_is_read(self):
        self.assertEqual(
            hc_header.constants(self.TEXT),
            {"HC_TOP": 2**64 - 1, "HC_LESS": 2**64 - 2, "HC_MANY": 5, "HC_A": 0, "HC_B": 4, "HC_C": 5},
        )
        self.assertEqual(hc_header.handles(self.TEXT), ["hc_thing"])
        self.assertEqual(hc_header.aliases(self.TEXT), {"hc_status": "int32_t"})
        fields = {struct.name: [tuple(field[:3]) for field in struct.fields] for struct in hc_header.structs(self.TEXT)}
        self.assertEqual(
            fields["hc_o"],
            [("uint8_t", "pad", 3), ("uint64_t", "many", 5), ("hc_str", "a", 0), ("hc_str *", "b", 0), ("hc_thing *", "c", 0)],
        )
        create, version = hc_header.functions(self.TEXT)
        self.assertEqual([field.type for field in create.parameters], ["hc_thing **", "hc_o *", "uint64_t"])
        self.assertEqual([field.spelled for field in create.parameters][1], "const hc_o *")
        self.assertEqual((create.returns, version.returns, version.parameters), ("hc_status", "char *", []))
        self.assertEqual([each.name for each in hc_header.callbacks(self.TEXT)], ["hc_done_fn"])

    def test_in_ctypes(self):
        text = python_ffi.Writer(self.TEXT).write(7)
        for line in (
            "VERSION_NUMBER = 7",
            '        ("pad", c_uint8 * 3),',
            '        ("b", POINTER(hc_str)),',
            "hc_done_fn = CFUNCTYPE(None, POINTER(hc_o), c_void_p)",
            '    "hc_thing_create": (c_int32, [POINTER(c_void_p), POINTER(hc_o), c_uint64]),',
            '    "hc_version": (c_char_p, []),',
        ):
            self.assertIn(line, text.splitlines())
        with self.assertRaises(ValueError):
            python_ffi.Writer("HC_API wchar_t hc_f(void);").write(7)

    def test_in_rust(self):
        text = rust_ffi.Writer(self.TEXT).write(7)
        for line in (
            "    HC_VERSION_NUMBER: u32 = 7;",
            "    HC_LESS: u64 = 18446744073709551614;",
            "        pad: [u8; 3],",
            "        b: *const hc_str,",
            "    hc_done_fn(o: *const hc_o, user_data: *mut c_void);",
            "    fn hc_thing_create(out: *mut *mut hc_thing, options: *const hc_o, ms: u64) -> hc_status;",
            "    fn hc_version() -> *const c_char;",
        ):
            self.assertIn(line, text.splitlines())
        self.assertEqual(rust_ffi.rust_type("hc_thing * const *"), "*const *mut hc_thing")
        with self.assertRaises(ValueError):
            rust_ffi.Writer("HC_API wchar_t hc_f(void);").write(7)

    def test_in_json(self):
        interface = json.loads(ffi_json.Writer(self.TEXT).write())
        self.assertEqual(interface["constants"]["HC_LESS"], str(2**64 - 2))
        self.assertEqual(interface["constants"]["HC_C"], 5)
        self.assertEqual(interface["structs"]["hc_str"], [["data", "const void *"], ["len", "size_t"]])
        self.assertEqual(
            interface["structs"]["hc_o"],
            [["pad", "uint8_t[3]"], ["many", "uint64_t[5]"], ["a", "hc_str"], ["b", "const hc_str *"], ["c", "void *"]],
        )
        self.assertEqual(interface["callbacks"]["hc_done_fn"]["parameters"][0], ["o", "const hc_o *"])
        self.assertEqual(
            interface["functions"],
            {
                "hc_thing_create": {
                    "returns": "int32_t",
                    "parameters": [["out", "void **"], ["options", "const hc_o *"], ["ms", "uint64_t"]],
                },
                "hc_version": {"returns": "const char *", "parameters": []},
            },
        )


@unittest.skipUnless(shutil.which("git"), "package.sh asks git what is source")
class Package(InTree):
    """What tools/package.sh does to a folder before it builds anything."""

    def setUp(self):
        super().setUp()
        self.write("tree/tools/package.sh", (ROOT / "tools/package.sh").read_text())
        subprocess.run(["git", "init", "--quiet", self.root / "tree"], check=True)

    def package(self, folder, beside="tree"):
        # --help in place of a build.
        command = ["bash", self.root / "tree/tools/package.sh", folder, "--help"]
        return subprocess.run(command, cwd=self.root / beside, capture_output=True, text=True)

    def refuses(self, folder, why, **where):
        result = self.package(folder, **where)
        self.assertEqual(result.returncode, 2, result)
        self.assertRegex(result.stderr, rf"\Apackage\.sh: \S+ {why}[^\n]*\n\Z")

    def test_the_tree_is_never_deleted(self):
        for folder in (".", "..", self.root, "/"):
            self.refuses(folder, "holds this tree")
        self.assertTrue((self.root / "tree/.git").is_dir())

    def test_nor_is_what_somebody_else_made(self):
        self.write("mine/thesis.txt", "years")
        self.refuses("../mine", "has not been made here")
        self.refuses("mine/thesis.txt", "has not been made here", beside=".")
        self.assertEqual((self.root / "mine/thesis.txt").read_text(), "years")

    def test_an_earlier_build_is_replaced_where_the_caller_stands(self):
        (self.root / "beside/built").mkdir(parents=True)
        self.package("built", beside="beside")
        self.assertTrue((self.root / "beside/built/source/tools/package.sh").exists())
        self.write("beside/built/old.deb", "")
        self.package("built", beside="beside")
        self.assertEqual(sorted(os.listdir(self.root / "beside/built")), [".made-by-package.sh", "source"])
        self.assertEqual(os.listdir(self.root / "tree/tools"), ["package.sh"])


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.main()
