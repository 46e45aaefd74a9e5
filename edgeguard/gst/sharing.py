"""Contexts that an element is given instead of making its own."""

from __future__ import annotations

import ctypes
from typing import Any

from edgeguard.gst.binding import c

_pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
_pointer_of.argtypes, _pointer_of.restype = (ctypes.py_object, ctypes.c_char_p), ctypes.c_void_p


def address_of(instance: Any) -> int:
    """The C object behind a GObject; it lives as long as the instance."""
    capsule = instance.__gpointer__
    name = ctypes.pythonapi.PyCapsule_GetName
    name.argtypes, name.restype = (ctypes.py_object,), ctypes.c_char_p
    return int(_pointer_of(capsule, name(capsule)) or 0)


def set_context(element: Any, context: int) -> None:
    """Give an element the GstContext at that address; the caller keeps its own reference."""
    c().gst_element_set_context(address_of(element), context)
