"""What can be wrong with a message, as the original's parsers say it; causes of the client's own exceptions."""

from textwrap import indent
from typing import Any, Optional, Union

__all__ = ("HttpProcessingError",)


class HttpProcessingError(Exception):
    """An error with a status, a message and header fields."""

    code = 0
    message = ""
    headers: Any = None

    def __init__(self, *, code: Optional[int] = None, message: str = "", headers: Any = None) -> None:
        if code is not None:
            self.code = code
        self.headers = headers
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}, message:\n{indent(self.message, '  ')}"

    def __repr__(self) -> str:
        return f"<{self.__class__.__name__}: {self.code}, message={self.message!r}>"


class BadHttpMessage(HttpProcessingError):
    code = 400
    message = "Bad Request"

    def __init__(self, message: str, *, headers: Any = None) -> None:
        super().__init__(message=message, headers=headers)
        self.args = (message,)


class HttpBadRequest(BadHttpMessage):
    code = 400
    message = "Bad Request"


class PayloadEncodingError(BadHttpMessage):
    """The body is not as the head says."""


class ContentEncodingError(PayloadEncodingError):
    """It cannot be decompressed."""


class TransferEncodingError(PayloadEncodingError):
    """Its chunks are broken."""


class ContentLengthError(PayloadEncodingError):
    """It is shorter than its Content-Length."""


class DecompressSizeError(PayloadEncodingError):
    """Not raised any more."""


class LineTooLong(BadHttpMessage):
    def __init__(
        self, line: Union[str, bytes], limit: Union[str, int] = "Unknown", actual_size: str = "Unknown"
    ) -> None:
        super().__init__(f"Got more than {limit} bytes when reading: {line!r}.")
        self.args = (line, limit, actual_size)


class InvalidHeader(BadHttpMessage):
    def __init__(self, hdr: Union[bytes, str]) -> None:
        super().__init__(f"Invalid HTTP header: {hdr!r}")
        self.hdr = hdr.decode(errors="backslashreplace") if isinstance(hdr, bytes) else hdr
        self.args = (hdr,)


class BadStatusLine(BadHttpMessage):
    def __init__(self, line: Any = "", error: Optional[str] = None) -> None:
        self.line = line if isinstance(line, str) else repr(line)
        super().__init__(error or f"Bad status line {self.line!r}")
        self.args = (self.line,)


class BadHttpMethod(BadStatusLine):
    def __init__(self, line: str = "", error: Optional[str] = None) -> None:
        if error is None and line.startswith("\x16\x03"):
            error = "Received HTTPS traffic on an HTTP port"
        super().__init__(line, error or f"Bad HTTP method in status line {line!r}")


class InvalidURLError(BadHttpMessage):
    """The target of a request is no URL."""
