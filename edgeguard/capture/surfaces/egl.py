"""EGL, without which a Jetson's surfaces have no images."""

from __future__ import annotations

import ctypes as c

from edgeguard.capture.frames import SurfaceError
from edgeguard.errors import DependencyError

LIBRARY = "libEGL.so.1"


def open_egl(library: str = LIBRARY) -> str:
    """Initialise EGL's default display for the life of the process; returns its version.

    DependencyError if EGL is not installed, SurfaceError if it has no display.
    """
    try:
        egl = c.CDLL(library)
    except OSError as error:
        raise DependencyError(f"EGL is not installed ({error}); install libegl1") from error
    egl.eglGetDisplay.argtypes, egl.eglGetDisplay.restype = (c.c_void_p,), c.c_void_p
    egl.eglInitialize.argtypes = (c.c_void_p, c.POINTER(c.c_int), c.POINTER(c.c_int))
    display = egl.eglGetDisplay(None)
    major, minor = c.c_int(), c.c_int()
    if not display or not egl.eglInitialize(display, c.byref(major), c.byref(minor)):
        raise SurfaceError(
            f"EGL has no display here (error {egl.eglGetError():#x}): start the service without DISPLAY in "
            "its environment, and a container with the NVIDIA runtime"
        )
    return f"{major.value}.{minor.value}"
