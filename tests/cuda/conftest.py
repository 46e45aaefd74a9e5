"""The fixtures that an engine's tests use, too."""

from tests.models.engines.conftest import cuda, gpu, tensorrt

__all__ = ["cuda", "gpu", "tensorrt"]
