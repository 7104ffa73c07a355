"""The `.bin` of the face community: a pickle of (encoded pictures, same or not), read as data.

Unpickling runs what a file says. Here its instructions are only listed (`pickletools.genops`), and
those few that build a list of bytes, a list of booleans and a pair of both are followed; any other
one, above all one that names a function, is refused.
"""

import pickletools
from pathlib import Path
from typing import Any

from reinforge.errors import InputError

MAX_BYTES = 8 * 2**30
_MARK = object()
_BYTES = frozenset({"BINBYTES", "SHORT_BINBYTES", "BINBYTES8"})
_OLD_BYTES = frozenset({"BINSTRING", "SHORT_BINSTRING"})  # what Python 2 wrote
_STORES = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_FETCHES = frozenset({"GET", "BINGET", "LONG_BINGET"})
_SILENT = frozenset({"PROTO", "FRAME"})
_RUNS = frozenset(
    "GLOBAL STACK_GLOBAL REDUCE INST OBJ NEWOBJ NEWOBJ_EX BUILD "
    "EXT1 EXT2 EXT4 PERSID BINPERSID".split()
)


def read_packed_pairs(path: Path) -> tuple[list[bytes], list[bool]]:
    """Read the encoded pictures (two a pair) and whether each pair shows one person.

    Raises:
        InputError: The file holds anything but these two lists, or is damaged.
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise InputError(f"{path} has {size:,} bytes; the cap is {MAX_BYTES:,}.")
    try:
        told = _Stack(path).follow(path.read_bytes())
    except (ValueError, IndexError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{path} is no whole file of encoded pairs: {str(error)[:100]}."
        ) from error
    if not (isinstance(told, tuple | list) and len(told) == 2):
        raise InputError(f"{path} holds no pair of lists (pictures, same or not).")
    pictures, same = told
    if not (_all_are(pictures, bytes) and _all_are(same, bool)):
        raise InputError(f"{path}: a list of bytes and a list of booleans were wanted.")
    if len(pictures) != 2 * len(same):
        raise InputError(
            f"{path} holds {len(pictures)} pictures for {len(same)} pairs; two a pair were wanted."
        )
    return pictures, same


def _all_are(values: Any, kind: type) -> bool:
    return isinstance(values, list) and all(type(value) is kind for value in values)


class _Stack:
    """The values that instructions have built so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.values: list[Any] = []
        self.memo: dict[int, Any] = {}

    def follow(self, content: bytes) -> Any:
        """The value that all instructions together build."""
        for opcode, argument, place in pickletools.genops(content):
            name = opcode.name
            if name == "STOP":
                break
            if not (self._pushes(name, argument) or self._gathers(name) or name in _SILENT):
                does = "would run code" if name in _RUNS else "is none of encoded pairs"
                raise InputError(
                    f"{self.path} is refused: instruction {name} at byte {place:,} {does}; "
                    "only a list of bytes and a list of booleans are read. If you trust it, "
                    "convert it to one folder an identity and a pairs.txt."
                )
        (value,) = self.values
        return value

    def _pushes(self, name: str, argument: Any) -> bool:
        """Follow an instruction that puts one value on the stack, or notes the topmost."""
        if name in _BYTES:
            self.values.append(bytes(argument))
        elif name in _OLD_BYTES:
            self.values.append(argument.encode("latin-1"))
        elif name in ("NEWTRUE", "NEWFALSE"):
            self.values.append(name == "NEWTRUE")
        elif name == "INT" and isinstance(argument, bool):  # protocols 0 and 1 write I01
            self.values.append(argument)
        elif name == "EMPTY_LIST":
            self.values.append([])
        elif name == "MARK":
            self.values.append(_MARK)
        elif name in _STORES or name == "MEMOIZE":
            self.memo[len(self.memo) if argument is None else int(argument)] = self.values[-1]
        elif name in _FETCHES:
            self.values.append(self.memo[int(argument)])
        else:
            return False
        return True

    def _gathers(self, name: str) -> bool:
        """Follow an instruction that puts values into a list or a tuple."""
        if name == "APPEND":
            value = self.values.pop()
            self._list().append(value)
        elif name == "APPENDS":
            values = self._after_mark()
            self._list().extend(values)
        elif name == "TUPLE2":
            second, first = self.values.pop(), self.values.pop()
            self.values.append((first, second))
        elif name in ("LIST", "TUPLE"):
            values = self._after_mark()
            self.values.append(values if name == "LIST" else tuple(values))
        else:
            return False
        return True

    def _list(self) -> list[Any]:
        top = self.values[-1]
        if not isinstance(top, list):
            raise ValueError("values are put into what is no list")
        return top

    def _after_mark(self) -> list[Any]:
        values = []
        while (value := self.values.pop()) is not _MARK:
            values.append(value)
        return values[::-1]
