"""The names of enum values without their prefix: OPEN, not SESSION_STATE_OPEN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from google.protobuf.descriptor import EnumDescriptor


class Enum(Protocol):
    """An enum of the API, such as SessionState."""

    @property
    def DESCRIPTOR(self) -> EnumDescriptor: ...  # noqa: N802 the name is protobuf's


def name_of(enum: Enum, value: int) -> str:
    """Return the name of a value: `name_of(SessionState, session.state)` is "OPEN".

    For a value of a newer host that this version does not know, return the number as text.
    """
    values = enum.DESCRIPTOR.values_by_number
    found = values.get(value)
    # The first value of each enum is its prefix and UNSPECIFIED.
    return str(value) if found is None else found.name.removeprefix(values[0].name.removesuffix("UNSPECIFIED"))
