"""tidy finds what it should, and leaves alone what is well: small trees with one thing wrong in each."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import tidy_text   # noqa: E402
import tidy_tools  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = """\
millrace_library(base)
millrace_library(net DEPENDS base)
millrace_library(flow DEPENDS net)
millrace_library(session DEPENDS flow)
millrace_library(dataplane DEPENDS flow)
millrace_engine(socket DEPENDS dataplane)
millrace_engine(xdp DEPENDS dataplane)
millrace_library(control DEPENDS session)
millrace_frontend(admin DEPENDS control)
millrace_frontend(rtpproxy DEPENDS control)
"""


def tree_of(root: Path, files: dict[str, str]) -> tidy_text.Tree:
    for name, text in ({"src/CMakeLists.txt": FOLDERS} | files).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return tidy_text.Tree(root)


def include(name: str) -> str:
    return f'#pragma once\n#include "{name}"\n'


@pytest.mark.parametrize(("user", "used", "allowed"), [
    ("src/net/a.hpp", "base/b.hpp", True),
    ("src/net/a.hpp", "net/b.hpp", True),
    ("src/base/a.hpp", "net/b.hpp", False),
    ("src/flow/a.hpp", "session/b.hpp", False),
    ("src/dataplane/a.hpp", "session/b.hpp", False),
    ("src/dataplane/socket/a.hpp", "session/b.hpp", False),
    ("src/dataplane/socket/a.hpp", "dataplane/b.hpp", True),
    ("src/dataplane/a.hpp", "dataplane/socket/b.hpp", False),
    ("src/dataplane/xdp/a.hpp", "dataplane/socket/b.hpp", False),
    ("src/control/rtpproxy/a.hpp", "control/b.hpp", True),
    ("src/control/rtpproxy/a.hpp", "control/admin/b.hpp", False),
    ("src/net/a.hpp", "../base/b.hpp", False),
    ("src/net/a.hpp", "b.hpp", False),
])
def test_a_folder_includes_only_what_lies_below_it(tmp_path, user, used, allowed):
    tree = tree_of(tmp_path, {user: include(used), f"src/{used}".replace("/../", "/"): "#pragma once\n"})
    findings = [f for f in tidy_text.check_order(tree) if f.path == user]
    assert [f.line for f in findings] == ([] if allowed else [2])


def test_our_own_file_in_angle_brackets_is_found(tmp_path):
    tree = tree_of(tmp_path, {"src/net/a.cpp": "#include <base/b.hpp>\n", "src/base/b.hpp": "#pragma once\n"})
    assert len(tidy_text.check_order(tree)) == 1


@pytest.mark.parametrize(("name", "header", "found"), [
    ("src/control/a.hpp", "boost/asio/io_context.hpp", True),
    ("src/control/a.hpp", "toml++/toml.h", True),
    ("src/control/a.hpp", "CLI/CLI.hpp", True),
    ("src/control/a.hpp", "grpcpp/grpcpp.h", True),
    ("src/control/a.hpp", "vector", False),
    ("src/control/a.cpp", "boost/asio/io_context.hpp", False),
])
def test_heavy_headers_stay_in_leaves(tmp_path, name, header, found):
    tree = tree_of(tmp_path, {name: f"#include <{header}>\n"})
    assert bool(tidy_text.check_heavy_headers(tree)) == found


def lines(count: int) -> str:
    return "  work();\n" * count


@pytest.mark.parametrize(("head", "tail"), [
    ("void f() {", "}"),
    ("template <class T>\n  requires std::integral<T>\nauto f(T a = T{1}) const noexcept(true) -> std::vector<T> {", "}"),
    ("Foo::Foo(int a, int b) : a_{a}, b_(b) {", "}"),
    ("Foo::Foo(int a) : Base(a), b_{\n  a} {", "}"),
    ("TEST(Suite, a_sentence) {", "}"),
    ("struct Foo {\n public:\n  bool operator==(const Foo& o) const {", "}\n int a_ = 1; };"),
    ("constexpr auto kRun = [](int a) {", "};"),
    ("namespace a {\nenum class E : int { one, two };\nconst char* kText = \"}{\";  // } {\nchar kBrace = '{';\nvoid f() {",
     "}\n}"),
    ("auto kRaw = R\"x({{{)x\";\n#define OPEN {\nint f(int n = 1'000) {", "}"),
])
def test_a_function_of_more_than_a_screen_is_found_whatever_its_head(tmp_path, head, tail):
    head_lines = head.count("\n")
    for count, found in ((tidy_text.FUNCTION_LINES - 2 - head_lines, False), (tidy_text.FUNCTION_LINES + 3, True)):
        tree = tree_of(tmp_path, {"src/base/a.cpp": f"{head}\n{lines(count)}{tail}\n"})
        assert bool(tidy_text.check_function_length(tree)) == found, count


def test_long_tables_and_types_are_not_long_functions(tmp_path):
    rows = '    Case{"a", f(1)},\n' * 100
    tree = tree_of(tmp_path, {
        "src/base/a.cpp": f"constexpr std::array kCases{{\n{rows}}};\nconst std::map<int, int> kMap = {{\n{rows}}};\n",
        "src/base/b.hpp": "struct alignas(64) A : B {\n" + "  int f() { return 1; }\n" * 100 + "};\n",
    })
    assert tidy_text.check_function_length(tree) == []


def test_files_are_measured_without_their_tables(tmp_path):
    code, rows = "int a = 1;\n", '    Case{"a", 1},\n'
    tree = tree_of(tmp_path, {
        "src/base/usual.cpp": code * 500,
        "src/base/table.cpp": code * 400 + "constexpr std::array kCases{\n" + rows * 900 + "};\n",
        "src/base/long.cpp": code * 550,
        "src/base/most.cpp": code * 601,
        "tests/e2e/long_test.py": "a = 1\n" * 601,
    })
    verdicts = {f.path: f.warning for f in tidy_text.check_file_length(tree)}
    assert verdicts == {"src/base/long.cpp": True, "src/base/most.cpp": False, "tests/e2e/long_test.py": False}


def test_files_that_nothing_builds_or_includes_are_dead(tmp_path):
    tree = tree_of(tmp_path, {
        "src/base/used.hpp": "", "src/base/used.cpp": include("base/used.hpp"),
        "src/net/user.cpp": include("base/used.hpp"),
        "src/base/alone.hpp": "",
        "src/base/tested.hpp": "", "src/base/tested_test.cpp": include("base/tested.hpp"),
        "src/base/for_tests.hpp": "", "src/net/user_test.cpp": include("base/for_tests.hpp"),
        "src/nowhere/a.cpp": "", "fuzz/rtp_fuzz.cpp": "", "fuzz/helper.cpp": "", "tests/sim/call_test.cpp": "",
        "tools/CMakeLists.txt": "millrace_tool(mrctl)\n", "tools/mrctl/main.cpp": "", "tools/lost/main.cpp": "",
    })
    assert {f.path for f in tidy_text.check_dead_files(tree)} == {
        "src/base/alone.hpp", "src/base/tested.hpp", "src/nowhere/a.cpp", "fuzz/helper.cpp", "tools/lost/main.cpp"}


def test_each_setting_has_a_line_in_the_schema_and_a_help(tmp_path):
    tree = tree_of(tmp_path, {"src/net/settings.hpp": """\
struct Settings {
  std::chrono::milliseconds first{40};
  int second = 1;   // a comment; with a semicolon
  bool third = false;
  flow::LatchingSettings latching;
  static constexpr auto schema = config::section("net",
      config::field("first", &Settings::first, "10ms..500ms", "Shortest tone, in words", live),
      config::field("second", &Settings::second, "1..2", ""));
};
"""})
    assert [(f.line, f.what.split()[0]) for f in tidy_text.check_settings(tree)] == [(8, "a"), (4, "setting")]


@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++")
def test_a_header_that_needs_another_first_is_found_and_forgotten_when_mended(tmp_path):
    files = {"src/base/a.hpp": "#pragma once\n#include <vector>\ninline std::vector<int> a;\n",
             "src/base/b.hpp": "#pragma once\ninline std::vector<int> b;\n"}
    findings = tidy_tools.check_headers_alone(tree_of(tmp_path, files))
    assert [(f.path, f.line) for f in findings] == [("src/base/b.hpp", 2)]
    files["src/base/b.hpp"] = include("base/a.hpp") + "inline std::vector<int> b;\n"
    assert tidy_tools.check_headers_alone(tree_of(tmp_path, files)) == []
    files["src/base/a.hpp"] = "#pragma once\n"   # b's verdict hangs on what it includes
    assert len(tidy_tools.check_headers_alone(tree_of(tmp_path, files))) == 1


@pytest.mark.skipif(shutil.which(tidy_tools.FORMAT) is None, reason="no clang-format")
def test_a_crooked_line_is_found_and_mended(tmp_path):
    shutil.copy(ROOT / ".clang-format", tmp_path)
    tree = tree_of(tmp_path, {"src/base/a.cpp": "int a = 1;\nint   b=2;\n", "src/base/b.cpp": "int c = 1;\n"})
    assert [(f.path, f.line) for f in tidy_tools.check_format(tree)] == [("src/base/a.cpp", 2)]
    tidy_tools.fix_format(tree)
    assert tidy_tools.check_format(tree) == []


@pytest.mark.skipif(shutil.which(tidy_tools.TIDY) is None, reason="no clang-tidy")
@pytest.mark.parametrize(("code", "check"), [
    ("class A {\n  int count = 1;\n};\n", "readability-identifier-naming"),
    ("void CamelCase() {}\n", "readability-identifier-naming"),
    ("constexpr int limit = 3;\n", "readability-identifier-naming"),
    ("struct A {\n  int open_ports = 1;\n  static constexpr int kMost = 2;\n};\nenum class E { one_two };\n", None),
])
def test_names_follow_the_house_style(tmp_path, code, check):
    shutil.copy(ROOT / ".clang-tidy", tmp_path)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.cpp").write_text(code)
    _, text = tidy_tools.output([tidy_tools.TIDY, "src/a.cpp", "--", "-std=c++23"], tmp_path)
    assert (check in text) if check else "warning:" not in text and "error:" not in text, text
