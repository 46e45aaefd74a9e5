"""Whether the structures are laid out as the libraries lay them: a wrong offset would read any memory."""

from __future__ import annotations

import ctypes

from edgeguard.capture.surfaces import abi
from edgeguard.cuda.interop import Copy2D, EglFrame, ResourceDesc, TextureDesc
from edgeguard.gst.binding import MapInfo
from edgeguard.runtime.doctor.finding import Finding, fault, fine

_SIZES: dict[type[ctypes.Structure], int] = {
    abi.SurfaceA: 64,
    abi.SurfaceB: 72,
    abi.ParamsA: 384,
    abi.ParamsB: 416,
    abi.PlaneParams: 232,
    MapInfo: 104,
    EglFrame: 64,
    ResourceDesc: 144,
    TextureDesc: 104,
    Copy2D: 128,
}
_EGL_IMAGE_AT = 312


def layout() -> Finding:
    """All sizes, and the place of the EGL image, on this machine's own compiler rules."""
    wrong = [
        f"{kind.__name__} has {ctypes.sizeof(kind)} bytes, not {size}"
        for kind, size in _SIZES.items()
        if ctypes.sizeof(kind) != size
    ]
    for kind in (abi.ParamsA, abi.ParamsB):
        at = kind.mappedAddr.offset + abi.MappedAddrA.eglImage.offset
        if at != _EGL_IMAGE_AT:
            wrong.append(f"the EGL image of {kind.__name__} lies at {at}, not {_EGL_IMAGE_AT}")
    if not wrong:
        return fine("layout", f"{len(_SIZES)} structures have their documented sizes")
    cause = "this machine's compiler rules are not those that NVIDIA's headers were written for"
    return fault("layout", "; ".join(wrong), cause, "report it with the output of `uname -a`")
