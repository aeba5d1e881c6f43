"""Names that strangers chose: the nearest known one, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST = 255
_LONGEST_NAME = 60
_MORE = "; and more"


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like a name, if it differs by no more than a third of its letters."""
    best: tuple[int, str] | None = None
    for candidate in candidates:
        # Measuring takes time in proportion to what a stranger sent.
        if len(name.encode(errors="replace")) > 8 * len(candidate):
            continue
        distance = _distance(name, candidate)
        if distance * 3 <= max(len(candidate), 3) and (best is None or distance < best[0]):
            best = (distance, candidate)
    return None if best is None else best[1]


def _distance(one: str, other: str) -> int:
    """Damerau and Levenshtein's, of neighbours that change places once."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        row = [i]
        for j, right in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]


def hint(name: str, candidates: Iterable[str]) -> str | None:
    """The nearest one as a question."""
    found = nearest(name, candidates)
    return None if found is None else f"did you mean `{found}`?"


def escaped(text: str) -> str:
    """Without what would steer a terminal."""
    return "".join(c if c.isprintable() and c != "\\" else f"\\u{{{ord(c):x}}}" for c in text)


def unknown(names: Iterable[str], known: list[str]) -> str:
    """Arguments that a function does not take, each with the nearest one that it takes."""
    text = ""
    for name in names:
        question = hint(name, known)
        dots = "…" if len(name) > _LONGEST_NAME else ""
        more = f"`{escaped(name[:_LONGEST_NAME])}{dots}`" + (f", {question}" if question else "")
        more = f"; {more}" if text else more
        if len((text + more + _MORE).encode()) > _LONGEST:
            return text + _MORE if text else "one of a long name"
        text += more
    return text
