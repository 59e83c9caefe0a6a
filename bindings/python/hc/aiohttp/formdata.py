"""Forms: urlencoded, or multipart as soon as there is a file in them."""

import io
import warnings
from typing import Any, Dict, Iterable, List, Optional, Tuple, Type
from urllib.parse import urlencode

from multidict import MultiDict, MultiDictProxy

from . import _original, hdrs, multipart, payload
from ._mime import safe_header
from .helpers import guess_filename
from .payload import Payload

__all__ = ("FormData",)


class FormData:
    """Fields of a form, in their order. Called, it gives the body."""

    def __init__(
        self,
        fields: Iterable[Any] = (),
        quote_fields: bool = True,
        charset: Optional[str] = None,
        *,
        default_to_multipart: bool = False,
    ) -> None:
        self._writer = multipart.MultipartWriter("form-data")
        self._fields: List[Tuple["MultiDict[str]", Dict[str, str], Any]] = []
        self._is_multipart = default_to_multipart
        self._quote_fields = quote_fields
        self._charset = charset
        if isinstance(fields, dict):
            fields = list(fields.items())
        elif not isinstance(fields, (list, tuple)):
            fields = (fields,)
        self.add_fields(*fields)

    @property
    def is_multipart(self) -> bool:
        return self._is_multipart

    def add_field(
        self,
        name: str,
        value: Any,
        *,
        content_type: Optional[str] = None,
        filename: Optional[str] = None,
        content_transfer_encoding: Optional[str] = None,
    ) -> None:
        if isinstance(value, (bytes, bytearray, memoryview)) and filename is None and content_transfer_encoding is None:
            text = "In v4, passing bytes will no longer create a file field. "
            text += "Please explicitly use the filename parameter or pass a BytesIO object."
            warnings.warn(text, DeprecationWarning, stacklevel=2)
            filename = name
        if isinstance(value, io.IOBase) and filename is None:
            filename = guess_filename(value, name)
        parameters: "MultiDict[str]" = MultiDict({"name": safe_header(name)})
        if filename is not None:
            parameters["filename"] = safe_header(_str("filename", filename))
        headers: Dict[str, str] = {}
        if content_type is not None:
            headers[hdrs.CONTENT_TYPE] = safe_header(_str("content_type", content_type))
        if content_transfer_encoding is not None:
            _str("content_transfer_encoding", content_transfer_encoding)
            text = "content_transfer_encoding is deprecated. "
            text += "To maintain compatibility with v4 please pass a BytesPayload."
            warnings.warn(text, DeprecationWarning, stacklevel=2)
        if (filename, content_type, content_transfer_encoding) != (None, None, None):
            self._is_multipart = True
        self._fields.append((parameters, headers, value))

    def add_fields(self, *fields: Any) -> None:
        pending = list(fields)
        for field in pending:
            if isinstance(field, io.IOBase):
                self.add_field(guess_filename(field, "unknown") or "unknown", field)
            elif isinstance(field, (MultiDictProxy, MultiDict)):
                pending.extend(field.items())  # after all that were given
            elif isinstance(field, (list, tuple)) and len(field) == 2:
                self.add_field(*field)
            else:
                text = "Only io.IOBase, multidict and (name, file) pairs allowed, use .add_field() for passing "
                raise TypeError(text + f"more complex parameters, got {field!r}")

    def __call__(self) -> Payload:
        return self._multipart() if self._is_multipart else self._urlencoded()

    def _urlencoded(self) -> Payload:
        charset = self._charset if self._charset is not None else "utf-8"
        content_type = "application/x-www-form-urlencoded"
        if charset != "utf-8":
            content_type += f"; charset={charset}"
        fields = [(parameters["name"], value) for parameters, _, value in self._fields]
        return payload.BytesPayload(urlencode(fields, doseq=True, encoding=charset).encode(), content_type=content_type)

    def _multipart(self) -> Payload:
        """Gives its fields away: a second call has the same body with nothing added."""
        for parameters, headers, value in self._fields:
            part = self._part_of(headers, value)
            part.set_content_disposition("form-data", quote_fields=self._quote_fields, **parameters)
            part.headers.popall(hdrs.CONTENT_LENGTH, None)  # not in forms
            self._writer.append_payload(part)
        self._fields.clear()
        return self._writer

    def _part_of(self, headers: Dict[str, str], value: Any) -> Payload:
        options = {"content_type": headers[hdrs.CONTENT_TYPE]} if hdrs.CONTENT_TYPE in headers else {}
        try:
            return payload.get_payload(value, headers=headers, encoding=self._charset, **options)
        except Exception as failure:
            text = f"Can not serialize value type: {type(value)!r}\n headers: {headers!r}\n value: {value!r}"
            raise TypeError(text) from failure


#: For isinstance(): forms of ours, and of aiohttp.
FORMS: Tuple[Type[Any], ...] = (FormData, *_original.accepted("formdata", "FormData"))


def _str(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be an instance of str. Got: {value}")
    return value
