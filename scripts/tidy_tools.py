"""The checks of `./mr tidy` that run a tool: clang-format, the compiler (headers alone) and clang-tidy.

The compiler and clang-tidy are slow, so what passed once is remembered under build/tidy by the hash of everything
that the verdict depends on: the file, what it includes of ours, the flags.
"""

import hashlib
import json
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tidy_text import Finding, Source, Tree

JOBS = os.cpu_count() or 1
FORMAT, TIDY, COMPILER = "clang-format-19", "clang-tidy-19", "g++"
# A checkout that belongs to another user (CI as root) is as readable as our own.
GIT = ("git", "-c", "safe.directory=*")
LANGUAGE = ("-std=c++23", "-Wall", "-Wextra", "-Werror")


def output(command: list[str], root: Path) -> tuple[int, str]:
    done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


class Memory:
    """Which (check, file) pairs passed in the state that they are in now."""

    def __init__(self, tree: Tree):
        self.tree = tree
        self.folder = tree.root / "build" / "tidy"
        self.folder.mkdir(parents=True, exist_ok=True)

    def closure(self, source: Source) -> list[Source]:
        seen, queue = {source.name: source}, [source]
        while queue:
            for include in (current := queue.pop()).includes:
                target = self.tree.resolve(current, include)
                if target is not None and target.name not in seen:
                    seen[target.name] = target
                    queue.append(target)
        return [seen[name] for name in sorted(seen)]

    def mark(self, source: Source, *conditions: str) -> Path:
        digest = hashlib.sha256("\0".join((source.name, *conditions)).encode())
        for part in self.closure(source):
            digest.update(part.text.encode())
        return self.folder / digest.hexdigest()


def each_unknown(memory: Memory, sources: list[Source], conditions: tuple[str, ...], check) -> list[Finding]:
    """Runs `check` on the sources that have not passed before, several at once, and remembers those that pass."""
    marks = {source.name: memory.mark(source, *conditions) for source in sources}
    unknown = [source for source in sources if not marks[source.name].exists()]
    findings = []
    with ThreadPoolExecutor(JOBS) as pool:
        for source, found in zip(unknown, pool.map(check, unknown)):
            findings += found
            if not found:
                marks[source.name].touch()
    return findings


# --- format -----------------------------------------------------------------------------------------------------------


def check_format(tree: Tree) -> list[Finding]:
    names = [source.name for source in tree.sources]
    if not names:
        return []
    _, text = output([FORMAT, "--dry-run", *names], tree.root)
    first = {}
    for name, line in re.findall(r"^(\S+?):(\d+):\d+: (?:warning|error): code should be clang-formatted", text, re.M):
        first.setdefault(name, int(line))
    return [Finding(name, line, "not in the project's format", "./mr tidy --fix") for name, line in first.items()]


def fix_format(tree: Tree) -> None:
    output([FORMAT, "-i", *(source.name for source in tree.sources)], tree.root)


# --- headers alone ----------------------------------------------------------------------------------------------------


def check_headers_alone(tree: Tree) -> list[Finding]:
    flags = (*LANGUAGE, "-Isrc", "-Itools", "-Itests", "-Ibuild/release/generated", "-isystem",
             "build/release/protos")
    _, version = output([COMPILER, "--version"], tree.root)

    def alone(source: Source) -> list[Finding]:
        # From standard input, because a header that is compiled by name is told that it is the main file.
        done = subprocess.run([COMPILER, *flags, "-fsyntax-only", "-x", "c++", "-"], cwd=tree.root, text=True, check=False,
                              input=f'#include "{source.name}"\n', stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode == 0:
            return []
        error = re.search(r"^(\S+?):(\d+):\d+: (?:fatal )?error: (.*)$", done.stdout, re.M)
        where, line, what = error.groups() if error else (source.name, "1", done.stdout.strip()[-200:])
        return [Finding(where, int(line), f"{source.name} does not compile alone ({what})", "include what it uses")]

    headers = [source for source in tree.sources if source.is_header]
    return each_unknown(Memory(tree), headers, ("alone", *flags, version), alone)


# --- clang-tidy -------------------------------------------------------------------------------------------------------


def changed_names(root: Path) -> set[str] | None:
    """What differs from the branch's start (or from the last commit on the main branch), and the working tree. None
    when there is no history to ask: then everything counts as changed."""
    for base in ("origin/main", "main"):
        code, text = output([*GIT, "merge-base", "HEAD", base], root)
        if code == 0:
            _, head = output([*GIT, "rev-parse", "HEAD"], root)
            base_commit = text.strip() if text.strip() != head.strip() else "HEAD~1"
            break
    else:
        base_commit = "HEAD~1"
    code, committed = output([*GIT, "diff", "--name-only", base_commit], root)
    if code != 0:
        return None
    _, untracked = output([*GIT, "ls-files", "--others", "--exclude-standard"], root)
    return set(committed.split()) | set(untracked.split())


def compiled_for(tree: Tree, names: set[str]) -> list[Source]:
    """The .cpp files among the names, and for each header one that shows it: its own, or the first that includes it."""
    chosen = {}
    for name in sorted(names & tree.by_name.keys()):
        source = tree.by_name[name]
        if source.path.suffix == ".cpp":
            chosen[name] = source
            continue
        own = tree.by_name.get(name.rpartition(".")[0] + ".cpp")
        users = (s for s in tree.sources if s.path.suffix == ".cpp"
                 and any(tree.resolve(s, include) is source for include in s.includes))
        if (shown := own or next(users, None)) is not None:
            chosen[shown.name] = shown
    return list(chosen.values())


def check_clang_tidy(tree: Tree, everything: bool) -> list[Finding]:
    code, text = output(["cmake", "--preset", "release"], tree.root)
    if code != 0:
        return [Finding("CMakeLists.txt", 1, "cmake --preset release fails", text.strip()[-300:])]
    database = json.loads((tree.root / "build/release/compile_commands.json").read_text())
    known = {Path(entry["file"]).resolve() for entry in database}

    names = None if everything else changed_names(tree.root)
    sources = compiled_for(tree, names if names is not None else set(tree.by_name))
    # The fuzzers and benchmarks are not in the release build's list.
    sources = [source for source in sources if source.path.resolve() in known]
    config = (tree.root / ".clang-tidy").read_text()

    def one(source: Source) -> list[Finding]:
        _, text = output([TIDY, "-p", "build/release", "--quiet", "--extra-arg=-Wno-error",
                          "--extra-arg=-Wno-unknown-warning-option", source.name], tree.root)
        pattern = r"^(\S+?):(\d+):\d+: (?:warning|error): (.*) \[([\w.-]+)(?:,-warnings-as-errors)?\]$"
        found = {Finding(os.path.relpath(tree.root / name, tree.root), int(line), f"{what} [{check}]", 
                         "mend it, or say why it is well with NOLINTNEXTLINE")
                 for name, line, what, check in re.findall(pattern, text, re.M) if not check.startswith("clang-diagnostic-#")}
        return sorted(found, key=lambda finding: (finding.path, finding.line))

    found = each_unknown(Memory(tree), sources, ("clang-tidy", config), one)
    return list(dict.fromkeys(found))   # a header's finding comes once from each file that shows it
