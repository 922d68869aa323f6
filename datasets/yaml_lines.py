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
        loader = _Loader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
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
