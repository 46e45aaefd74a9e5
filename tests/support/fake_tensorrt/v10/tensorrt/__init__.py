"""TensorRT as JetPack 6 has it: weakly typed, precision by flags, calibrators still there."""

import enum

from tests.support.fake_tensorrt.surface import SHARED, named

__version__ = "10.3.0"
globals().update(SHARED)
Builder, Runtime = named(__version__, weakly_typed=True)


class BuilderFlag(enum.IntEnum):
    FP16 = 0
    INT8 = 1
    TF32 = 7
    VERSION_COMPATIBLE = 13


class NetworkDefinitionCreationFlag(enum.IntEnum):
    EXPLICIT_BATCH = 0
    STRONGLY_TYPED = 1


class IInt8EntropyCalibrator2:
    pass
