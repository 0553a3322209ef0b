"""The documents' transcripts over every kind of control socket."""
from __future__ import annotations

import pytest

import transcript
from program import KINDS

ALL = transcript.read(transcript.DOCUMENTS / "rtpproxy.md")


def test_the_document_has_transcripts() -> None:
    assert len(ALL) > 15
    assert all(block.exchanges and all(exchange.replies for exchange in block.exchanges) for block in ALL)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("block", ALL, ids=str)
def test_the_program_answers_as_the_document_says(start, block: transcript.Transcript, kind: str) -> None:
    program = start(block.options, kind)
    numbers = transcript.Numbers()
    for exchange in block.exchanges:
        replies = program.client.ask(exchange.command, len(exchange.replies))
        assert len(replies) == len(exchange.replies), f"> {exchange.command}: {replies}"
        for expected, got in zip(exchange.replies, replies, strict=True):
            assert numbers.matches(expected, got), f"> {exchange.command}\n< {got}\nnot {expected}, {numbers.known}"
