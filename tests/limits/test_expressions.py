"""Every regular expression of ours, tried with inputs that make a bad one take for ever.

Python's `re` tries all ways to match, and an expression with two repetitions that can share the same text has very many of
them. Each is matched against long runs of what it is made of, which do not fit in the end: with ten times the text a good one
takes about ten times as long, a bad one a hundred times or much more.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import hub
import integrations
import workers

# The longest text that reaches any of them unshortened is a mail's; most get a field of a few hundred characters.
LENGTH = 1_000
# A whole second for what takes about a millisecond: no busy machine is that slow, and what is quadratic in what a mail may
# hold, or worse, takes minutes.
AT_MOST_S = 1.0


def expressions() -> Iterator[tuple[str, re.Pattern[str] | re.Pattern[bytes]]]:
    """The compiled expressions of every module, by name."""
    for package in (hub, workers, integrations):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith("__main__") or ".sandbox" in module.name:
                continue
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, re.Pattern):
                    yield f"{module.name}.{name}", value


FOUND = dict(expressions())
# What they are made of: each alone and by twos, then something that fits nowhere.
PIECES = (
    "a",
    "0",
    " ",
    "\t",
    "\n",
    "\r\n",
    ".",
    "-",
    "_",
    ",",
    ";",
    ":",
    "@",
    "<",
    ">",
    '"',
    "\\",
    "/",
    "(",
    "+",
    "%",
    "=?",
    "?=",
    "é",
)
PAIRS = (
    "a.",
    "a-",
    "a@",
    "a ",
    "0 ",
    "0.",
    " \n",
    "a,",
    "<a",
    '"a',
    "\\a",
    "re: ",
    "://",
    "%a",
    "a@a.",
    "on a wrote",
    "1/1/",
    "{a}",
)


def texts(pattern: str) -> Iterator[str]:
    """Crafted inputs: runs of pieces, after each of the words that the expression begins with."""
    words = sorted(set(re.findall(r"[A-Za-z]{3,}", pattern)), key=len)[-6:]
    for piece in (*PIECES, *PAIRS):
        run = (piece * LENGTH)[:LENGTH]
        yield run + "\x07"
        for word in words:
            yield f"{word} {run[: LENGTH // 2]}\x07"


@pytest.mark.parametrize("name", sorted(FOUND))
def test_none_takes_long_whatever_it_is_given(name: str) -> None:
    expression = FOUND[name]
    for text in texts(str(expression.pattern)):
        with at_most(AT_MOST_S, text):
            if isinstance(expression.pattern, bytes):
                expression.search(text.encode())
                expression.fullmatch(text.encode())
            else:
                expression.search(text)
                expression.fullmatch(text)


@contextmanager
def at_most(seconds: float, text: str) -> Iterator[None]:
    """Fail when the block takes more of the processor's time than that; `re` looks for signals while it matches."""

    def late(*_: object) -> None:
        raise AssertionError(f"more than {seconds} s for {text[:40]!r}...")

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
