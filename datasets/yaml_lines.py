"""Line numbers in a YAML file."""

from collections.abc import Iterator, Sequence

import yaml


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
