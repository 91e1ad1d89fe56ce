"""A host for each test."""

from collections.abc import Iterator

import pytest
from host import ScriptedHost, serving


@pytest.fixture
def host() -> ScriptedHost:
    return ScriptedHost()  # type: ignore[abstract] # what no test needs is UNIMPLEMENTED


@pytest.fixture
def address(host: ScriptedHost) -> Iterator[str]:
    with serving(host) as address:
        yield address
