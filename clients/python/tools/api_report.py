"""Prints the public API of this package, without bodies and docstrings.

These are the names that its modules export, and the classes of this package that these names lead to. It runs in .venv.
"""

from collections.abc import Iterator
from pathlib import Path

import griffe

SOURCES = Path(__file__).resolve().parent.parent / "src"
PACKAGE = "wifidirect_gateway"


def is_shown(name: str) -> bool:
    """Return whether users see a member of a class: all that is public, and what the language calls."""
    return not name.startswith("_") or (name.endswith("__") and name != "__slots__")


def function(member: griffe.Function, indent: str) -> Iterator[str]:
    for overload in [*(member.overloads or []), member]:
        for decorator in overload.decorators:
            yield f"{indent}@{decorator.value}"
        keyword = "async def" if "async" in overload.labels else "def"
        yield f"{indent}{keyword} {overload.signature()}"


def attribute(member: griffe.Attribute, indent: str) -> Iterator[str]:
    is_property = "property" in member.labels
    if is_property:
        yield f"{indent}@property"
    annotation = f": {member.annotation}" if member.annotation is not None else ""
    value = f" = {member.value}" if member.value is not None and not is_property else ""
    yield f"{indent}{member.name}{annotation}{value}"


def target_of(member: griffe.Object | griffe.Alias) -> griffe.Object:
    return member.final_target if isinstance(member, griffe.Alias) else member


def shown_members(member: griffe.Object) -> list[griffe.Object]:
    return [target_of(inner) for name, inner in member.all_members.items() if is_shown(name)]


def describe(member: griffe.Object, indent: str = "") -> Iterator[str]:
    if isinstance(member, griffe.Class):
        for decorator in member.decorators:
            yield f"@{decorator.value}"
        yield f"class {member.name}({', '.join(str(base) for base in member.bases)}):"
        for inner in shown_members(member):
            yield from describe(inner, "    ")
    elif isinstance(member, griffe.Function):
        yield from function(member, indent)
    elif isinstance(member, griffe.Attribute):
        yield from attribute(member, indent)


def leads_to(member: griffe.Object) -> Iterator[str]:
    """Yield the paths of the types that a user of this member gets or gives."""
    types: list[str | griffe.Expr | None] = []
    if isinstance(member, griffe.Class):
        for inner in shown_members(member):
            # Programs get objects of a class that they can't name from other members.
            if inner.name != "__init__":
                yield from leads_to(inner)
    elif isinstance(member, griffe.Function):
        types = [member.returns, *(parameter.annotation for parameter in member.parameters)]
    elif isinstance(member, griffe.Attribute):
        types = [member.annotation or member.value]
    for expression in types:
        if isinstance(expression, griffe.Expr):
            for part in expression.iterate(flat=True):
                if isinstance(part, griffe.ExprName):
                    yield part.canonical_path


def report(module: griffe.Module, root: griffe.Module, seen: set[str]) -> Iterator[str]:
    yield f"# {module.path}\n"
    waiting: list[griffe.Object] = []
    for name in sorted(str(name) for name in module.exports or []):
        member = module.members[name]
        if isinstance(member, griffe.Alias) and not member.target_path.startswith(f"{PACKAGE}."):
            yield f"from {member.target_path.rpartition('.')[0]} import {name}"
        else:
            yield f"{name} is {target_of(member).path}"
            waiting.append(target_of(member))
    while waiting:
        member = waiting.pop(0)
        if member.path in seen:
            continue
        seen.add(member.path)
        yield f"\n# {member.path}"
        yield from describe(member)
        ours = sorted({path for path in leads_to(member) if path.startswith(f"{PACKAGE}.")})
        waiting += [target_of(root[path.removeprefix(f"{PACKAGE}.")]) for path in ours]


if __name__ == "__main__":
    package = griffe.load(PACKAGE, search_paths=[SOURCES], allow_inspection=False)
    asynchronous = package["aio"]
    if not isinstance(package, griffe.Module) or not isinstance(asynchronous, griffe.Module):
        raise TypeError(PACKAGE)
    seen: set[str] = set()
    for part in (package, asynchronous):
        print("\n".join(report(part, package, seen)))
