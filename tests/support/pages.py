"""Pages of the documentation and the blocks in them."""

import re
from dataclasses import dataclass
from pathlib import Path

import hnl

ROOT = Path(hnl.__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?$")
MARK = re.compile(r"^ *<!-- not run: (?P<reason>.+) -->$")


@dataclass(frozen=True)
class Block:
    """A fenced block; `title` is the name of a file that the reader writes, `not_run` a reason."""

    page: Path
    line: int
    language: str
    title: str | None
    not_run: str | None
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    found, lines = [], page.read_text(encoding="utf-8").splitlines()
    at = 0
    while at < len(lines):
        if opened := FENCE.match(lines[at]):
            end = next(i for i in range(at + 1, len(lines)) if lines[i].strip() == "```")
            text = "\n".join(line.removeprefix(opened["indent"]) for line in lines[at + 1 : end])
            mark = MARK.match(lines[at - 1]) if at else None
            reason = mark["reason"] if mark else None
            found.append(Block(page, at + 1, opened["language"], opened["title"], reason, text))
            at = end
        elif lines[at].lstrip().startswith("```"):
            raise AssertionError(f"{page}:{at + 1}: {lines[at]}")
        at += 1
    return found


def commands(block: Block) -> list[str]:
    """Lines of a block of bash, continued lines joined, without comments on lines of their own."""
    lines = block.text.replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
