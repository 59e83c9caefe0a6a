"""The header fields of a response."""

from typing import Iterator, List, Mapping, Optional, Sequence, Tuple


class Headers(Mapping[str, str]):
    """Fields by name without case, all of them and in the order of arrival.

    As a mapping it has each name once, with its first value: h["set-cookie"]. getall() gives the others, too, and
    fields() everything as it came.
    """

    __slots__ = ("raw", "_values")

    def __init__(self, raw: Sequence[Tuple[bytes, bytes]] = ()) -> None:
        self.raw: Tuple[Tuple[bytes, bytes], ...] = tuple(raw)
        self._values: Optional[Mapping[str, List[str]]] = None

    def fields(self) -> List[Tuple[str, str]]:
        """Every (name, value), in the order of arrival and with the case as sent."""
        return [(_text(name), _text(value)) for name, value in self.raw]

    def getall(self, name: str) -> List[str]:
        """All values of a name, in order; none is an empty list."""
        return list(self._by_name().get(name.lower(), ()))

    def __getitem__(self, name: str) -> str:
        try:
            return self._by_name()[name.lower()][0]
        except (KeyError, AttributeError):
            raise KeyError(name) from None

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._by_name()

    def __iter__(self) -> Iterator[str]:
        seen = set()
        for name, _ in self.fields():
            if name.lower() not in seen:
                seen.add(name.lower())
                yield name

    def __len__(self) -> int:
        """How many names there are; len(h.raw) counts the fields."""
        return len(self._by_name())

    def __repr__(self) -> str:
        return f"Headers({self.fields()!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    def _by_name(self) -> Mapping[str, List[str]]:
        if self._values is None:
            values: dict[str, List[str]] = {}
            for name, value in self.fields():
                values.setdefault(name.lower(), []).append(value)
            self._values = values
        return self._values


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
