"""The checks of `./mr tidy` that look at text alone: folder order, heavy headers, sizes, dead files, settings."""

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

CODE_FOLDERS = ("src", "tools", "tests", "fuzz", "bench")
SCRIPT_FOLDERS = ("scripts", "tests", "bench")
FUNCTION_LINES = 70
FILE_LINES_USUAL = 500
FILE_LINES_MOST = 600
HEAVY = re.compile(r"boost/(asio|beast)|grpc|google/protobuf|toml\+\+|CLI/")
HELP_ARGUMENT = 3   # of config::field(key, member, allowed, help, ...)
# Folders whose order alone would allow it, but whose design does not: the forwarding half knows plans, not calls.
FORBIDDEN = {"dataplane": ("session",)}


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    what: str
    mend: str
    warning: bool = False   # shown, but fails nothing

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {'(warning) ' if self.warning else ''}{self.what}: {self.mend}"


@dataclass(frozen=True)
class Include:
    line: int
    name: str
    quoted: bool


class Source:
    """One file: its text, its code (comments, literals and directives blanked, lines kept) and its includes."""

    LITERAL = re.compile(
        r"""(?P<number>\b[0-9](?:'?[0-9A-Za-z_.])*)"""
        r"""|(?P<comment>//[^\n]*|/\*.*?\*/)"""
        r'''|(?P<raw>R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)")'''
        r"""|(?P<text>"(?:\\.|[^"\\\n])*")|(?P<char>'(?:\\.|[^'\\\n])+')""", re.S)
    DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)
    INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)

    def __init__(self, root: Path, path: Path):
        self.path = path
        self.name = path.relative_to(root).as_posix()
        self.text = path.read_text(encoding="utf-8", errors="replace")

    @cached_property
    def code(self) -> str:
        def blank(match: re.Match) -> str:
            whole = match.group()
            if match.lastgroup == "number":
                return whole
            hidden = re.sub(r"[^\n]", " ", whole)
            return hidden if match.group("comment") else f'"{hidden[1:-1]}"'
        return self.DIRECTIVE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), self.LITERAL.sub(blank, self.text))

    @cached_property
    def includes(self) -> list[Include]:
        return [Include(self.line_of(m.start(1)), m.group(2), m.group(1) == '"') for m in self.INCLUDE.finditer(self.text)]

    @property
    def is_header(self) -> bool:
        return self.path.suffix == ".hpp"

    @property
    def is_test(self) -> bool:
        return self.name.endswith("_test.cpp")

    def line_of(self, offset: int) -> int:
        return self.text.count("\n", 0, offset) + 1


class Tree:
    """The project's files, and the folders of src/ in dependency order as src/CMakeLists.txt lists them."""

    FOLDER_LINE = re.compile(r"^\s*millrace_(library|engine|frontend)\(\s*([\w/]+)", re.M)
    FOLDER_PARENT = {"library": "", "engine": "dataplane/", "frontend": "control/"}

    def __init__(self, root: Path):
        self.root = root
        self.sources = [Source(root, path) for folder in CODE_FOLDERS for path in sorted((root / folder).rglob("*"))
                        if path.suffix in (".cpp", ".hpp", ".h") and "__pycache__" not in path.parts]
        self.by_name = {source.name: source for source in self.sources}
        self.folders = self.listed("src/CMakeLists.txt")

    def listed(self, name: str) -> list[str]:
        lists = self.root / name
        text = lists.read_text() if lists.exists() else ""
        return [self.FOLDER_PARENT[kind] + folder for kind, folder in self.FOLDER_LINE.findall(text)]

    def folder_of(self, name: str) -> str | None:
        """The listed folder that a path below src/ belongs to: the longest one that fits."""
        parent = name.rpartition("/")[0]
        fitting = [f for f in self.folders if parent == f or parent.startswith(f + "/")]
        return max(fitting, key=len, default=None)

    def resolve(self, source: Source, include: Include) -> Source | None:
        """The project's own file that an include means, if it is one."""
        if not include.quoted:
            return None
        beside = source.name.rpartition("/")[0]
        for prefix in ("src", "tools", "tests", beside):
            found = self.by_name.get(f"{prefix}/{include.name}")
            if found is not None:
                return found
        return None


# --- folder order -----------------------------------------------------------------------------------------------------


def check_order(tree: Tree) -> list[Finding]:
    findings = []
    for source in tree.sources:
        if not source.name.startswith("src/"):
            continue
        mine = tree.folder_of(source.name.removeprefix("src/"))
        for include in source.includes:
            problem = order_problem(tree, source, mine, include)
            if problem:
                findings.append(Finding(source.name, include.line, *problem))
    return findings


def order_problem(tree: Tree, source: Source, mine: str | None, include: Include) -> tuple[str, str] | None:
    if ".." in include.name.split("/"):
        return f"includes {include.name} through ..", "write the path from src/"
    if not include.quoted:
        if f"src/{include.name}" in tree.by_name:
            return f"<{include.name}> is our own", 'write it in quotes: #include "..."'
        return None
    if "/" not in include.name:
        return f"includes {include.name} without its folder", "write the path from src/"
    theirs = tree.folder_of(include.name)
    if mine is None or theirs is None or mine == theirs:
        return None
    for upper, lower in FORBIDDEN.items():
        if mine.split("/")[0] == upper and theirs.split("/")[0] in lower:
            return f"{mine}/ includes {theirs}/", f"{upper}/ never knows {theirs}/; what both need belongs below them"
    if tree.folders.index(theirs) > tree.folders.index(mine):
        return f"{mine}/ includes {theirs}/, which is above it", \
            "move what is needed down, or hand it in from above (order: src/CMakeLists.txt)"
    if "/" in mine and "/" in theirs and mine.rpartition("/")[0] == theirs.rpartition("/")[0]:
        return f"{mine}/ includes its sibling {theirs}/", \
            f"siblings meet in {mine.rpartition('/')[0]}/'s contract header, or in app/"
    return None


def check_heavy_headers(tree: Tree) -> list[Finding]:
    return [Finding(source.name, include.line, f"<{include.name}> in a header",
                    "it costs every file that includes this one 4 to 20 s; keep it in the .cpp, behind a type of ours")
            for source in tree.sources if source.path.suffix in (".hpp", ".h")
            for include in source.includes if HEAVY.match(include.name)]


# --- sizes ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Block:
    kind: str   # function, table
    head: str
    first: int
    last: int


def closing(code: str, start: int) -> int:
    """The offset of the bracket that closes the one at `start`; the end of the text when none does."""
    opener = code[start]
    closer = {"{": "}", "(": ")"}[opener]
    depth = 0
    for match in re.compile(f"[{re.escape(opener + closer)}]").finditer(code, start):
        depth += 1 if match.group() == opener else -1
        if depth == 0:
            return match.start()
    return len(code) - 1


def without_parentheses(text: str) -> str:
    while True:
        shorter = re.sub(r"\([^()]*\)", "<>", text)
        if shorter == text:
            return text.replace("<>", "()")
        text = shorter


def without_template(text: str) -> str:
    if not text.startswith("template"):
        return text
    depth = 0
    for offset, letter in enumerate(text):
        depth += {"<": 1, ">": -1}.get(letter, 0)
        if letter == ">" and depth == 0:
            return without_template(text[offset + 1:].strip())
    return text


def kind_of(head: str) -> str:
    """What a `{` at namespace or class level opens, from the text before it: scope, function or table."""
    head = without_template(re.sub(r"^((public|private|protected)\s*:\s*)+", "", head.strip()))
    if re.match(r"(inline\s+)?namespace\b|extern\s*\"", head):
        return "scope"
    if re.match(r"(\[\[.*?\]\]\s*)?(typedef\s+)?(class|struct|union|enum)\b", head) and not head.endswith(")"):
        return "scope"
    flat = without_parentheses(re.sub(r"\boperator\s*[^\s\w(]+", "operator", head))
    if "(" not in flat:
        return "function" if re.search(r"=\s*\[", flat) else "table"
    if re.search(r"(?<![=<>!])=(?!=)", flat):
        return "function" if re.search(r"=\s*\[", flat) else "table"   # a variable: a lambda or its rows
    if re.search(r"\)[^:]*(?<!:):(?!:)", flat):
        return "function" if head[-1] in ")}" else "table"   # a constructor: the member's braces, then the body
    return "function"


def blocks(source: Source) -> list[Block]:
    """Functions and brace-initialised variables at namespace and class level."""
    code, found, start, offset = source.code, [], 0, 0
    token = re.compile(r"[;{}(]")
    while (match := token.search(code, offset)) is not None:
        offset = match.end()
        if match.group() == "(":
            offset = closing(code, match.start()) + 1
        elif match.group() in ";}":
            start = offset
        else:
            head = code[start:match.start()]
            kind = kind_of(head)
            if kind == "scope":
                start = offset
                continue
            end = closing(code, match.start())
            label = re.sub(r"^\s*((public|private|protected)\s*:\s*)+", "", head)
            first = source.line_of(match.start() - len(label.lstrip()))
            found.append(Block(kind, " ".join(label.split()), first, source.line_of(end)))
            offset = end + 1
            if kind == "function":
                start = offset
    return found


def check_function_length(tree: Tree) -> list[Finding]:
    mend = "push `if` up and `for` down, or find the concept that is missing"
    findings = []
    for source in tree.sources:
        for block in blocks(source):
            length = block.last - block.first + 1
            if block.kind == "function" and length > FUNCTION_LINES:
                name = block.head.split("(")[0].split(" ")[-1] if not block.head.startswith("TEST") else block.head
                findings.append(Finding(source.name, block.first, f"{name} has {length} lines, {FUNCTION_LINES} is most",
                                        mend))
    for path in scripts(tree):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno + 1 > FUNCTION_LINES:
                length = node.end_lineno - node.lineno + 1
                findings.append(Finding(path.relative_to(tree.root).as_posix(), node.lineno,
                                        f"{node.name} has {length} lines, {FUNCTION_LINES} is most", mend))
    return findings


def scripts(tree: Tree) -> list[Path]:
    return [path for folder in SCRIPT_FOLDERS for path in sorted((tree.root / folder).rglob("*.py"))]


def check_file_length(tree: Tree) -> list[Finding]:
    """Rows of tables are not counted: a long table reads as easily as a short one."""
    lengths = []
    for source in tree.sources:
        rows = sum(b.last - b.first - 1 for b in blocks(source) if b.kind == "table" and b.last - b.first > 2)
        lengths.append((source.name, source.text.count("\n") - rows))
    lengths += [(p.relative_to(tree.root).as_posix(), p.read_text().count("\n")) for p in scripts(tree)]
    return [Finding(name, 1, f"{length} lines without tables, {FILE_LINES_USUAL} is usual",
                    "it holds more than one idea; give the second one a file of its own",
                    warning=length <= FILE_LINES_MOST)
            for name, length in lengths if length > FILE_LINES_USUAL]


# --- dead files -------------------------------------------------------------------------------------------------------


def is_built(tree: Tree, source: Source, tools: set[str]) -> bool:
    top, _, rest = source.name.partition("/")
    folder = rest.rpartition("/")[0]
    if top == "src":
        return folder in tree.folders
    if top == "tools":
        return folder in tools
    if top == "tests":
        return folder == "sim"
    return folder == "" and source.name.endswith({"fuzz": "_fuzz.cpp", "bench": ("_bench.cpp", "api_load.cpp")}[top])


def check_dead_files(tree: Tree) -> list[Finding]:
    users: dict[str, set[str]] = {}
    for source in tree.sources:
        for include in source.includes:
            target = tree.resolve(source, include)
            if target is not None and target is not source:
                users.setdefault(target.name, set()).add(source.name)

    lists = tree.root / "tools" / "CMakeLists.txt"
    tools = set(re.findall(r"^\s*millrace_tool\((\w+)", lists.read_text() if lists.exists() else "", re.M))
    findings = []
    for source in tree.sources:
        stem = source.name.rpartition(".")[0]
        own = {f"{stem}.cpp", f"{stem}_test.cpp"}
        included_by = users.get(source.name, set())
        if source.path.suffix == ".cpp":
            if not is_built(tree, source, tools) and not included_by:
                findings.append(Finding(source.name, 1, "nothing builds it",
                                        "name its folder in a CMakeLists.txt, or remove it"))
        elif not included_by:
            findings.append(Finding(source.name, 1, "nothing includes it", "remove it, or use it"))
        elif included_by <= own and f"{stem}_test.cpp" in included_by:
            findings.append(Finding(source.name, 1, "only its own test uses it", "remove the unit, or use it"))
    return findings


# --- settings ---------------------------------------------------------------------------------------------------------


def arguments(code: str, open_offset: int) -> list[tuple[int, int]]:
    """Where the arguments of the call whose `(` is at the offset begin and end."""
    end, spans, depth, start = closing(code, open_offset), [], 0, open_offset + 1
    for offset in range(open_offset + 1, end):
        depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(code[offset], 0)
        if code[offset] == "," and depth == 0:
            spans.append((start, offset))
            start = offset + 1
    return [*spans, (start, end)]


def check_settings(tree: Tree) -> list[Finding]:
    """Each member of a `struct Settings` has a field(...) line, and each of these has a help text."""
    findings = []
    for source in tree.sources:
        if source.path.name != "settings.hpp":
            continue
        declared = set()
        for match in re.finditer(r"\bfield\s*(\()", source.code):
            spans = arguments(source.code, match.start(1))
            declared |= set(re.findall(r"&\w*Settings::(\w+)", source.code[match.start(1):spans[-1][1]]))
            help_text = source.text[slice(*spans[HELP_ARGUMENT])] if len(spans) > HELP_ARGUMENT else ""
            if not re.search(r'"[^"]*\w{2,}[^"]*"', help_text):
                findings.append(Finding(source.name, source.line_of(match.start()), "a setting without help",
                                        "the fourth argument of field() is one sentence for the operator"))
        findings += [Finding(source.name, line, f"setting {name} is not in the schema", "give it a field(...) line")
                     for name, line in members(source) if name not in declared]
    return findings


def members(source: Source) -> list[tuple[str, int]]:
    found = []
    for struct in re.finditer(r"\bstruct\s+\w*Settings\b[^;{]*(\{)", source.code):
        start, end = struct.end(), closing(source.code, struct.start(1))
        for match in re.finditer(r"[ \t]*([^;{}()]*?[\w>\]]\s+)(\w+)\s*(?:=[^;]*|\{[^;]*\})?;", source.code[start:end]):
            # A member that is a Settings itself is a section of its own, with a schema of its own.
            if not re.search(r"\b(static|using|friend|return|constexpr)\b|Settings\b", match.group(1)):
                found.append((match.group(2), source.line_of(start + match.start(2))))
    return found


CHECKS = {
    "folder order": check_order,
    "heavy headers": check_heavy_headers,
    "function length": check_function_length,
    "file length": check_file_length,
    "dead files": check_dead_files,
    "settings have help": check_settings,
}
