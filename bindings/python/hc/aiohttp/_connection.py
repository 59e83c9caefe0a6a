"""What `response.connection` shows of the core's connection."""

from typing import TYPE_CHECKING, Any, Callable, Optional

from ._engine import Transfer

if TYPE_CHECKING:
    from ._response import ClientResponse


class Transport:
    """As much of an asyncio transport as the core tells."""

    def __init__(self, transfer: Transfer) -> None:
        self._transfer = transfer

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """ "peername": (address, port), or the path of a unix socket's other end, which is "". """
        if name != "peername":
            return default
        _, _, address, port = self._transfer.connection()
        return (address, port) if address else ""

    def is_closing(self) -> bool:
        return self._transfer.is_done

    def close(self) -> None:
        self._transfer.cancel()

    abort = close


class Connection:
    """The connection that a response is still arriving on."""

    def __init__(self, transfer: Transfer, response: "ClientResponse") -> None:
        self._transfer = transfer
        self._response = response

    def __repr__(self) -> str:
        return f"<Connection {self.number}{' closed' if self.closed else ''}>"

    @property
    def number(self) -> int:
        """Of the connection in its connector, from 1."""
        return self._transfer.connection()[0]

    @property
    def reused(self) -> bool:
        """Whether it had served before."""
        return self._transfer.connection()[1]

    @property
    def transport(self) -> Optional[Transport]:
        return None if self.closed else Transport(self._transfer)

    @property
    def protocol(self) -> None:
        """The core speaks HTTP by itself."""
        return None

    @property
    def closed(self) -> bool:
        return self._transfer.is_done

    def add_callback(self, callback: Callable[[], None]) -> None:
        """Called when the connection is given up."""
        self._transfer.when_done(callback)

    def release(self) -> None:
        self._response.release()

    def close(self) -> None:
        self._response.close()
