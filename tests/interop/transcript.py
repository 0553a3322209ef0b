"""Reads the transcripts in docs/protocols and compares what a program answers with them.

A block opens with ```transcript and maybe options of the program. `> ` is a command, the `< ` lines behind it are its
reply. {name} stands for a number, the same one wherever the name comes again in the block.
"""
from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

DOCUMENTS = Path(__file__).resolve().parents[2] / "docs" / "protocols"
DEFAULT_OPTIONS = ["-l", "127.0.0.1"]


@dataclass
class Exchange:
    command: str
    replies: list[str] = field(default_factory=list)


@dataclass
class Transcript:
    document: str
    line: int
    options: list[str]
    exchanges: list[Exchange] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def read(document: Path) -> list[Transcript]:
    found: list[Transcript] = []
    inside = False
    for number, text in enumerate(document.read_text().splitlines(), start=1):
        if text.startswith("```"):
            inside = not inside and text.startswith("```transcript")
            if inside:
                options = shlex.split(text.removeprefix("```transcript")) or DEFAULT_OPTIONS
                found.append(Transcript(document.stem, number, options))
        elif inside and text.startswith("> "):
            found[-1].exchanges.append(Exchange(text[2:]))
        elif inside and text.startswith("<"):
            found[-1].exchanges[-1].replies.append(text[2:])
        elif inside:
            raise ValueError(f"{document}:{number}: neither > nor <: {text!r}")
    return found


class Numbers:
    """What the placeholders of one block stand for."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def matches(self, expected: str, got: str) -> bool:
        pattern, names = "", []
        for piece in re.split(r"(\{\w+\})", expected):
            if not piece.startswith("{"):
                pattern += re.escape(piece)
            elif piece[1:-1] in self.known:
                pattern += self.known[piece[1:-1]]
            else:
                names.append(piece[1:-1])
                pattern += r"(\d+)"
        match = re.fullmatch(pattern, got)
        if match is None:
            return False
        self.known.update(zip(names, match.groups(), strict=True))
        return True
