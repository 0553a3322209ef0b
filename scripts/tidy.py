"""Checks what the compiler does not: `./mr tidy`. Each finding is `file:line: what: how to mend it`."""

import argparse
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import tidy_text
import tidy_tools
from tidy_text import Finding, Tree

ROOT = Path(__file__).resolve().parent.parent


def write_junit(path: str, results: dict[str, list[Finding]]) -> None:
    """One case a check, in the form that `./mr test` counts."""
    suite = ElementTree.Element("testsuite", name="tidy")
    for name, findings in results.items():
        case = ElementTree.SubElement(suite, "testcase", name=name)
        if any(not finding.warning for finding in findings):
            ElementTree.SubElement(case, "failure").text = "\n".join(map(str, findings))
    ElementTree.ElementTree(suite).write(path, encoding="unicode")


def main() -> int:
    parser = argparse.ArgumentParser(prog="mr tidy", description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="clang-tidy on every file, not only on changed ones")
    parser.add_argument("--fix", action="store_true", help="let clang-format mend the format first")
    parser.add_argument("--junitxml", metavar="FILE", help="write the verdict of each check there too")
    options = parser.parse_args()

    if options.fix:
        tidy_tools.fix_format(Tree(ROOT))
    tree = Tree(ROOT)
    checks = {
        "format": tidy_tools.check_format,
        **tidy_text.CHECKS,
        "headers compile alone": tidy_tools.check_headers_alone,
        "clang-tidy": lambda files: tidy_tools.check_clang_tidy(files, options.all),
    }
    # Configured, and with the headers that are generated: others include them.
    (ROOT / "build").mkdir(exist_ok=True)
    subprocess.run(["scripts/build.sh", "release", "millrace_control_grpc_protos"], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL)
    results = {}
    for name, check in checks.items():
        began = time.monotonic()
        results[name] = check(tree)
        failed = [finding for finding in results[name] if not finding.warning]
        print(f"{'FAIL' if failed else 'ok  '} {name} ({time.monotonic() - began:.1f} s)", flush=True)
        for finding in results[name]:
            print(f"  {finding}", flush=True)

    if options.junitxml:
        write_junit(options.junitxml, results)
    bad = sum(any(not finding.warning for finding in findings) for findings in results.values())
    print(f"tidy: {len(results) - bad} checks passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
