"""YAML files, and the lines of what is wrong in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from hnl.errors import InputError

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where libyaml was there: ten times faster

# Our choices, far above any catalogue. Without them a small file exhausts the stack, or for hours the processor.
MAX_DEPTH = 50
MAX_REPETITION = 10  # entries with those of aliases written out, over entries written (and a thousand)


@dataclass(frozen=True)
class Document:
    """A YAML file with a mapping.

    Attributes:
        path: of the file.
        node: tells lines.
        content: the mapping.
        error: what is raised for anything wrong in it.
    """

    path: Path
    node: yaml.Node
    content: dict[str, Any]
    error: type[InputError]

    def wrong(self, loc: Sequence[str | int], message: str) -> InputError:
        """The error with file and line of an entry."""
        return self.error(f"{self.path}, line {line(self.node, loc)}: {message}")

    def invalid(self, found: ValidationError, at: Sequence[str | int] = ()) -> InputError:
        """The error with every problem that pydantic has found, one a line.

        Args:
            found: by pydantic.
            at: the entry that was validated.
        """
        problems = [str(self.wrong((*at, *detail["loc"]), _in_words(detail, at))) for detail in found.errors()]
        return self.error("\n".join(dict.fromkeys(problems)))


def _in_words(detail: ErrorDetails, at: Sequence[str | int]) -> str:
    """One problem as 'where: what (value)'."""
    loc = (*at, *detail["loc"])
    where = ".".join(str(part) for part in loc if isinstance(part, int) or " " not in str(part))
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        message = f"unknown key '{loc[-1]}'"
    elif detail["type"] != "missing" and not isinstance(detail["input"], dict | list):
        message += f" (got {detail['input']!r})"
    return f"{where}: {message}"


def read(path: Path, what: str, keys: str, error: type[InputError]) -> Document:
    """Reads a file.

    Args:
        path: of the file.
        what: it is, for messages.
        keys: that it must have, in words.
        error: to be raised.

    Raises:
        InputError: `error`, if the file is not there, is no YAML, holds no mapping, or a key twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if (deep := _too_deep(text)) is not None:
            raise error(f"{path}, line {deep}: lists and keys in more than {MAX_DEPTH} levels")
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is not None and (size := _entries(node)) > MAX_REPETITION * (1000 + text.count("\n") + text.count(",")):
            raise error(f"{path}: its aliases (*name) stand for {size:,} entries, too many for what is written")
        content = None if node is None else loader.construct_document(node)
    except OSError as problem:
        raise error(f"cannot read the {what} {path}: {problem.strerror}") from None
    except UnicodeDecodeError as problem:
        raise error(f"the {what} {path} is not UTF-8 text: {problem.reason}") from None
    except yaml.MarkedYAMLError as problem:
        number = problem.problem_mark.line + 1 if problem.problem_mark else 1
        raise error(f"{path}, line {number}: not valid YAML: {problem.problem}") from None
    except yaml.YAMLError as problem:
        raise error(f"{path}: not valid YAML: {problem}") from None
    if node is None or not isinstance(content, dict):
        raise error(f"{path}, line 1: {keys}")
    if repeated := repeated_key(node):
        key, number = repeated
        raise error(f"{path}, line {number}: the key '{key}' is given twice")
    return Document(path, node, content, error)


def _too_deep(text: str) -> int | None:
    """The line, from 1, where a text goes deeper than `MAX_DEPTH`; None if it does not."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            return event.start_mark.line + 1 if event.start_mark else 1
    return None


def _entries(node: yaml.Node, known: dict[int, int] | None = None) -> int:
    """Number of values in a node, those of an alias as often as it stands there; aliases of themselves count once."""
    known = {} if known is None else known
    if id(node) not in known:
        known[id(node)] = 1
        inner = node.value if isinstance(node, yaml.SequenceNode | yaml.MappingNode) else ()
        values = [entry[1] if isinstance(entry, tuple) else entry for entry in inner]
        known[id(node)] = 1 + sum(_entries(value, known) for value in values)
    return known[id(node)]


def line(node: yaml.Node, loc: Sequence[str | int]) -> int:
    """Line number, from 1, of the entry at `loc` (keys and positions in lists), or of its nearest parent."""
    start = node.start_mark.line
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            entry = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if entry is None:
                break
            start, node = entry[0].start_mark.line, entry[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            start = node.start_mark.line
        else:
            break
    return int(start) + 1


def repeated_key(node: yaml.Node) -> tuple[str, int] | None:
    """A key that a mapping has twice, and its second line. YAML would silently keep only the last."""
    for mapping in _mappings(node):
        keys: set[str] = set()
        for key, _ in mapping.value:
            if key.value in keys:
                return key.value, key.start_mark.line + 1
            keys.add(key.value)
    return None


def _mappings(node: yaml.Node) -> Iterator[yaml.MappingNode]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for _, value in node.value:
            yield from _mappings(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _mappings(value)
