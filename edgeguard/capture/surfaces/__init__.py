"""Pictures that stay in the GPU's memory from the decoder to the model."""

from edgeguard.capture.surfaces.cuda_memory import CudaMemoryFrames, GstCuda
from edgeguard.capture.surfaces.download import Download
from edgeguard.capture.surfaces.egl import open_egl
from edgeguard.capture.surfaces.nvbuf import NvBufLibrary
from edgeguard.capture.surfaces.nvmm import NvmmFrames

__all__ = ["CudaMemoryFrames", "Download", "GstCuda", "NvBufLibrary", "NvmmFrames", "open_egl"]
