"""What must happen when the process forks or the interpreter ends.

Fork: in the child every handle answers HC_E_FORKED and its memory alone may be given up. `generation` tells objects of the
parent from the child's own.

Exit: sessions that are still open are closed (not freed: daemon threads may still hold them) while the interpreter can
still run their callbacks. A loop thread that called into a finalized interpreter would be ended by it, in the middle
of C++ frames.
"""

import atexit
import os
from typing import Set

from ._library import lib

generation = 0
_open: Set[int] = set()


def opened(session: int) -> None:
    _open.add(session)


def closed(session: int) -> None:
    _open.discard(session)


def _in_child() -> None:
    global generation
    generation += 1
    _open.clear()


def _at_exit() -> None:
    while _open:
        lib.hc_session_close(_open.pop(), 0)


os.register_at_fork(after_in_child=_in_child)
atexit.register(_at_exit)
