"""TensorRT 11: strongly typed, no precision flags, no calibrators, other numbers."""

import enum

from tests.support.fake_tensorrt.surface import SHARED, named

__version__ = "11.4.0"
globals().update(SHARED)
Builder, Runtime = named(__version__, weakly_typed=False)


class BuilderFlag(enum.IntEnum):
    TF32 = 5
    VERSION_COMPATIBLE = 12


class NetworkDefinitionCreationFlag(enum.IntEnum):
    STRONGLY_TYPED = 1
