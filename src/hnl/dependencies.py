"""What code a product depends on: the modules that its maker reaches by import, and the libraries that these import.

Found from the source alone, nothing is imported. Imports inside functions count; those under TYPE_CHECKING do not, as
they are there for annotations. Whoever cuts an import makes products keep for longer, and nobody keeps a list.
"""

import ast
import hashlib
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

PACKAGE = "hnl"
FOLDER = Path(__file__).resolve().parent

# Where a closure ends: whatever these say, a product holds the same, or its digest has it by value.
ENDS = {
    "hnl": "the version",
    "hnl.analysis": "the wiring: the stages of a search name the modules that they call",
    "hnl.dependencies": "what this module finds is in the digest",
    "hnl.errors": "how errors are told",
    "hnl.layout": "where products are",
    "hnl.provenance": "how products are written and hashed",
    "hnl.records": "how typed files are written and read",
    "hnl.stages.run": "what stages share: products, as they are",
    "hnl.terminal": "how things are shown",
    # Settings: a stage has those that it uses in its digest, as they were read.
    "hnl.datasets.catalogue": "settings",
    "hnl.datasets.corrections": "settings",
    "hnl.datasets.model": "settings",
    "hnl.datasets.own_weights": "settings",
    "hnl.datasets.settings": "settings",
    "hnl.datasets.weight_corrections": "settings",
    "hnl.datasets.remote": "how bytes of a file arrive, which is whole or not at all",
}
LIBRARIES_OF_SETTINGS = frozenset({"pydantic"})
DISTRIBUTIONS = {"yaml": "PyYAML", "htcondor2": "htcondor"}  # of modules that are not called as they are
INDIRECT = {"coffea": ("vector",)}  # momenta of NanoEvents


@cache
def modules() -> Mapping[str, Path]:
    """Every module of this package and its file."""
    found = {}
    for room in [FOLDER, *(path for path in FOLDER.iterdir() if path.is_dir())]:
        files = room.glob("*.py") if room == FOLDER else room.rglob("*.py")
        for path in files:
            parts = path.relative_to(FOLDER).with_suffix("").parts
            found[".".join([PACKAGE, *(parts[:-1] if parts[-1] == "__init__" else parts)])] = path
    return dict(sorted(found.items()))


@cache
def source(module: str) -> str:
    """The text of a module: of this package, or of one with a user's own search, once it is loaded.

    Of MODULE#NAME:KEYWORD,KEYWORD only the `definitions` of that call.
    """
    module, _, part = module.partition("#")
    path = modules().get(module) or Path(str(sys.modules[module].__file__))
    text = path.read_text(encoding="utf-8")
    if not part:
        return text
    name, _, keywords = part.partition(":")
    return definitions(text, name, keywords.split(","))


def definitions(text: str, name: str, keywords: Collection[str]) -> str:
    """What decides on some arguments of a call at the top of a module.

    That is their expressions, the statements that define what these use, and so on. Comments do not count.

    Args:
        text: of the module.
        name: that the result of the call is given.
        keywords: of the arguments.

    Returns:
        All of the text if there is no such call.
    """
    body = ast.parse(text).body
    call = next((s.value for s in body if isinstance(s, ast.Assign | ast.AnnAssign) and name in _bound(s)), None)
    if not isinstance(call, ast.Call) or any(argument.arg is None for argument in call.keywords) or call.args:
        return text
    arguments = [argument for argument in call.keywords if argument.arg in keywords]
    used = {id(statement) for statement in body if not _bound(statement) and not _is_docstring(statement)}
    waiting: list[ast.AST] = [*arguments, *(statement for statement in body if id(statement) in used)]
    while waiting:
        names = {node.id for node in ast.walk(waiting.pop()) if isinstance(node, ast.Name)}
        for statement in body:
            if id(statement) not in used and names & _bound(statement):
                used.add(id(statement))
                waiting.append(statement)
    parts = [ast.unparse(statement) for statement in body if id(statement) in used]
    return "\n".join(parts + [ast.unparse(argument.value) for argument in arguments])


def _bound(statement: ast.stmt) -> set[str]:
    """Names that a statement at the top of a module gives a meaning; none for those that only do something."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        return {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return set()


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def closure(roots: Iterable[str], changed: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The modules that some modules reach by import, themselves included, without those of `ENDS`.

    Args:
        roots: names of modules of this package, or of the one of a user.
        changed: sources to be taken in place of those on disk.

    Raises:
        KeyError: no such module.
    """
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        if module in found or module in ENDS:
            continue
        found.add(module)
        text = (changed or {}).get(module)
        waiting += (_imports(module) if text is None else imported(text))[0]
    return tuple(sorted(found))


def libraries(used: Iterable[str], changed: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The distributions that modules import, such as 'numpy'; not those of Python itself, nor of settings alone."""
    names: set[str] = set()
    for module in used:
        text = (changed or {}).get(module)
        names |= (_imports(module) if text is None else imported(text))[1]
    names |= {other for name in names for other in INDIRECT.get(name, ())}
    return tuple(sorted(DISTRIBUTIONS.get(name, name) for name in names - LIBRARIES_OF_SETTINGS))


def digest(roots: Iterable[str], changed: Mapping[str, str] | None = None) -> str:
    """SHA-256 of the source of a closure, and of the versions of its libraries.

    Args:
        roots: see `closure`.
        changed: see `closure`.
    """
    return _digest(tuple(roots)) if changed is None else _sum(tuple(roots), changed)


@cache
def _digest(roots: tuple[str, ...]) -> str:
    return _sum(roots, {})


def _sum(roots: tuple[str, ...], changed: Mapping[str, str]) -> str:
    total = hashlib.sha256()
    used = closure(roots, changed)
    for module in used:
        # A file of a user has another name in every place where it lies.
        total.update(f"{module.rpartition('#')[2]}\0{changed.get(module, source(module))}\0".encode())
    for library in libraries(used, changed):
        total.update(f"{library} {_version(library)}\n".encode())
    return total.hexdigest()


def code(roots: Iterable[str]) -> dict[str, str]:
    """What `digest` is made of, to name what differs: a hash of each module, and the version of each library.

    Comments, docstrings and layout of the source do not count here.
    """
    return dict(_code(tuple(roots)))


@cache
def _code(roots: tuple[str, ...]) -> Mapping[str, str]:
    used = closure(roots)
    meanings = {module if "hnl." in module else module.rpartition("#")[2]: _meaning(source(module)) for module in used}
    hashes = {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in meanings.items()}
    return hashes | {library: _version(library) for library in libraries(used)}


def _meaning(text: str) -> str:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and any(map(_is_docstring, node.body[:1])):
            del node.body[0]
    return ast.dump(tree)


def _version(library: str) -> str:
    from importlib.metadata import PackageNotFoundError, version  # late, for a command that ends in a message

    try:
        return version(library)
    except PackageNotFoundError:  # an optional one
        return "none"


@cache
def package_digest() -> str:
    """SHA-256 of the source of all modules."""
    total = hashlib.sha256()
    for module in modules():
        total.update(f"{module}\0{source(module)}\0".encode())
    return total.hexdigest()


def whole_digest() -> str:
    """SHA-256 of the source of all modules, and of the versions of all libraries: what a worker must share."""
    return digest(tuple(modules()))


@cache
def _imports(module: str) -> tuple[frozenset[str], frozenset[str]]:
    return imported(source(module))


def imported(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """What a module imports: modules of this package, and top-level names of libraries."""
    ours: set[str] = set()
    libraries: set[str] = set()
    known = modules()
    for node in _statements(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            base = node.module or ""
            inner = [f"{base}.{alias.name}" for alias in node.names]
            names = [name if name in known else base for name in inner]
        for name in names:
            if name in known:
                ours.add(name)
            elif name.partition(".")[0] not in (PACKAGE, *sys.stdlib_module_names):
                libraries.add(name.partition(".")[0])
    return frozenset(ours), frozenset(libraries)


def _statements(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Import statements anywhere, but for those under TYPE_CHECKING."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield from _statements(ast.Module([other], []))
        else:
            yield from _statements(child)
