"""What both surfaces share."""

from __future__ import annotations

import ctypes
import enum
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

REFUSED = {"Det", "DynamicQuantizeLinear", "ConvInteger", "QLinearConv"}
WEIGHTED = {"Conv", "ConvTranspose", "Gemm", "MatMul"}
MAGIC = b"fake plan\n"


class ILogger:
    class Severity(enum.IntEnum):
        INTERNAL_ERROR = 0
        ERROR = 1
        WARNING = 2
        INFO = 3
        VERBOSE = 4

    def log(self, severity: Severity, text: str) -> None:
        raise NotImplementedError


class DataType(enum.Enum):
    FLOAT = np.float32
    HALF = np.float16
    INT8 = np.int8
    INT32 = np.int32
    INT64 = np.int64


class TensorIOMode(enum.Enum):
    NONE = 0
    INPUT = 1
    OUTPUT = 2


class MemoryPoolType(enum.Enum):
    WORKSPACE = 0


class ProfilingVerbosity(enum.Enum):
    LAYER_NAMES_ONLY = 0
    DETAILED = 2


class IProgressMonitor:
    def phase_start(self, phase: str, parent: str | None, steps: int) -> None:
        raise NotImplementedError

    def step_complete(self, phase: str, step: int) -> bool:
        raise NotImplementedError

    def phase_finish(self, phase: str) -> None:
        raise NotImplementedError


def nptype(kind: DataType) -> Any:
    return kind.value


_KINDS = {1: DataType.FLOAT, 10: DataType.HALF, 3: DataType.INT8, 6: DataType.INT32, 7: DataType.INT64}


class Tensor:
    def __init__(self, value: onnx.ValueInfoProto) -> None:
        self.name = value.name
        kind = value.type.tensor_type
        self.shape = tuple(d.dim_value if d.HasField("dim_value") else -1 for d in kind.shape.dim)
        self.dtype = _KINDS[kind.elem_type]


class Network:
    model: onnx.ModelProto | None = None

    def __init__(self) -> None:
        self._inputs: list[Tensor] = []
        self._outputs: list[Tensor] = []

    def fill(self, model: onnx.ModelProto) -> None:
        self.model = model
        held = {tensor.name for tensor in model.graph.initializer}
        self._inputs = [Tensor(value) for value in model.graph.input if value.name not in held]
        self._outputs = [Tensor(value) for value in model.graph.output]

    @property
    def num_inputs(self) -> int:
        return len(self._inputs)

    def get_input(self, number: int) -> Tensor:
        return self._inputs[number]

    @property
    def num_layers(self) -> int:
        return len(self.model.graph.node) if self.model else 0


class ParserError:
    def __init__(self, node: str, text: str) -> None:
        self._node, self._text = node, text

    def desc(self) -> str:
        return self._text

    def node_name(self) -> str:
        return self._node


class OnnxParser:
    def __init__(self, network: Network, logger: ILogger) -> None:
        self._network = network
        self._errors: list[ParserError] = []

    @property
    def num_errors(self) -> int:
        return len(self._errors)

    def get_error(self, number: int) -> ParserError:
        return self._errors[number]

    def parse(self, data: bytes) -> bool:
        try:
            model = onnx.load_model_from_string(data)
        except Exception:
            self._errors.append(ParserError("", "Failed to parse ONNX model from file"))
            return False
        for node in model.graph.node:
            if node.op_type in REFUSED:
                self._errors.append(ParserError(node.name, f"No importer registered for op: {node.op_type}"))
        if not self._errors:
            self._network.fill(model)
        return not self._errors


class TimingCache:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def serialize(self) -> bytes:
        return self._data + b"+"


class Profile:
    def __init__(self) -> None:
        self.shapes: dict[str, tuple[Any, Any, Any]] = {}

    def set_shape(self, name: str, low: Any, best: Any, high: Any) -> None:
        self.shapes[name] = (tuple(low), tuple(best), tuple(high))


class BuilderConfig:
    def __init__(self) -> None:
        self.progress_monitor: IProgressMonitor | None = None
        self.builder_optimization_level = 3
        self.profiling_verbosity = ProfilingVerbosity.LAYER_NAMES_ONLY
        self.flags: set[str] = set()
        self.profiles: list[Profile] = []
        self.limits: dict[MemoryPoolType, int] = {}
        self._cache = TimingCache(b"")

    def set_flag(self, flag: enum.Enum) -> None:
        self.flags.add(flag.name)

    def set_memory_pool_limit(self, pool: MemoryPoolType, size: int) -> None:
        self.limits[pool] = size

    def add_optimization_profile(self, profile: Profile) -> int:
        self.profiles.append(profile)
        return len(self.profiles) - 1

    def create_timing_cache(self, data: bytes) -> TimingCache:
        return TimingCache(data)

    def set_timing_cache(self, cache: TimingCache, ignore_mismatch: bool) -> bool:
        self._cache = cache
        return True

    def get_timing_cache(self) -> TimingCache:
        return self._cache


class Builder:
    """`version` and `weakly_typed` are set by the surfaces."""

    version = ""
    weakly_typed = False

    def __init__(self, logger: ILogger) -> None:
        self._logger = logger

    def create_network(self, flags: int = 0) -> Network:
        return Network()

    def create_builder_config(self) -> BuilderConfig:
        return BuilderConfig()

    def create_optimization_profile(self) -> Profile:
        return Profile()

    def build_serialized_network(self, network: Network, config: BuilderConfig) -> bytes | None:
        model = network.model
        assert model is not None
        fault = self._fault(network, config)
        if fault:
            self._logger.log(ILogger.Severity.ERROR, fault)
            return None
        if not self._progress(config.progress_monitor):
            return None
        for line in layers(model):
            self._logger.log(ILogger.Severity.VERBOSE, line)
        header = {
            "version": self.version,
            "sm": _attribute(75) * 10 + _attribute(76),
            "flags": sorted(config.flags),
            "profile": config.profiles[0].shapes if config.profiles else {},
        }
        return MAGIC + json.dumps(header).encode() + b"\n" + model.SerializeToString()

    def _fault(self, network: Network, config: BuilderConfig) -> str | None:
        assert network.model is not None
        quantised = any(node.op_type == "QuantizeLinear" for node in network.model.graph.node)
        if self.weakly_typed and quantised and "INT8" not in config.flags:
            return "Int8 precision has been set for a layer or layer output, but int8 is not configured"
        free = [
            network.get_input(i).name for i in range(network.num_inputs) if -1 in network.get_input(i).shape
        ]
        if free and not config.profiles:
            return (
                f"Network has dynamic or shape inputs, but no optimization profile has been defined: {free}"
            )
        return None

    def _progress(self, monitor: IProgressMonitor | None) -> bool:
        if monitor is None:
            return True
        monitor.phase_start("Building engine", None, 4)
        going_on = all(monitor.step_complete("Building engine", step) for step in range(4))
        monitor.phase_finish("Building engine")
        return going_on


def layers(model: onnx.ModelProto) -> Iterator[str]:
    """One line a layer, as the builder says them."""
    makers = {name: node for node in model.graph.node for name in node.output}
    for node in model.graph.node:
        if node.op_type not in WEIGHTED:
            continue
        quantised = all(_dequantised(makers, name) for name in node.input[:2])
        kind = "Int8" if quantised else "Half"
        yield (
            f"Name: {node.name}, LayerType: CaskConvolution, Inputs: [ {{ Name: {node.input[0]}, Location: "
            f"Device, Dimensions: [-1], Format/Datatype: {kind} }}], Outputs: [ {{ Name: {node.output[0]}, "
            f"Location: Device, Dimensions: [-1], Format/Datatype: Half }}], StreamId: 0, "
            f"Metadata: [ONNX Layer: {node.name}]"
        )


def _dequantised(makers: dict[str, onnx.NodeProto], name: str) -> bool:
    """A Cast between, as FP16 networks have it, is fused."""
    maker = makers.get(name)
    if maker is not None and maker.op_type == "Cast":
        maker = makers.get(maker.input[0])
    return maker is not None and maker.op_type == "DequantizeLinear"


class Runtime:
    version = ""

    def __init__(self, logger: ILogger) -> None:
        self._logger = logger

    def deserialize_cuda_engine(self, plan: bytes) -> Engine | None:
        fault = None
        if not bytes(plan).startswith(MAGIC):
            fault = "Magic tag does not match"
        else:
            head, _, data = bytes(plan)[len(MAGIC) :].partition(b"\n")
            header = json.loads(head)
            if header["version"] != self.version:
                fault = (
                    f"The engine plan file is not compatible with this version of TensorRT ({self.version})"
                )
            elif header["sm"] != _attribute(75) * 10 + _attribute(76):
                fault = "The engine plan file is generated on an incompatible device"
        if fault:
            self._logger.log(ILogger.Severity.ERROR, fault)
            return None
        return Engine(header, data)


class Engine:
    def __init__(self, header: dict[str, Any], data: bytes) -> None:
        self._profile = header["profile"]
        network = Network()
        network.fill(onnx.load_model_from_string(data))
        self._inputs = {tensor.name: tensor for tensor in network._inputs}
        self.tensors = {tensor.name: tensor for tensor in (*network._inputs, *network._outputs)}
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    @property
    def num_io_tensors(self) -> int:
        return len(self.tensors)

    def get_tensor_name(self, number: int) -> str:
        return list(self.tensors)[number]

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        return TensorIOMode.INPUT if name in self._inputs else TensorIOMode.OUTPUT

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return self.tensors[name].shape

    def get_tensor_dtype(self, name: str) -> DataType:
        return self.tensors[name].dtype

    def get_tensor_profile_shape(self, name: str, profile: int) -> list[tuple[int, ...]]:
        return [tuple(shape) for shape in self._profile[name]]

    def create_execution_context(self) -> ExecutionContext:
        return ExecutionContext(self)


class ExecutionContext:
    """Allocates at its first run after a change of shape, as the real one does, so not while captured."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._addresses: dict[str, int] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._settled = False
        self._work = _WORK(lambda _: self._compute())

    def set_tensor_address(self, name: str, address: int) -> bool:
        self._addresses[name] = address
        return name in self._engine.tensors

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        low, _, high = self._engine.get_tensor_profile_shape(name, 0)
        if not all(a <= b <= c for a, b, c in zip(low, shape, high, strict=True)):
            return False
        self._settled &= self._shapes.get(name) == tuple(shape)
        self._shapes[name] = tuple(shape)
        return True

    def execute_async_v3(self, stream: int) -> bool:
        if self._addresses.keys() != self._engine.tensors.keys() or not stream:
            return False
        if not self._settled and not _scratch():
            return False
        self._settled = True
        return not _cuda().fake_enqueue(ctypes.c_void_p(stream), self._work, None)

    def _compute(self) -> None:
        feeds = {name: self._memory(name, self._input_shape(name)) for name in self._engine._inputs}
        names = [name for name in self._engine.tensors if name not in feeds]
        for name, found in zip(names, self._engine.session.run(names, feeds), strict=True):
            self._memory(name, found.shape)[...] = found

    def _input_shape(self, name: str) -> tuple[int, ...]:
        return self._shapes.get(name, self._engine.tensors[name].shape)

    def _memory(self, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
        dtype = np.dtype(self._engine.tensors[name].dtype.value)
        size = int(np.prod(shape)) * dtype.itemsize
        block = (ctypes.c_ubyte * size).from_address(self._addresses[name])
        return np.frombuffer(block, dtype).reshape(shape)


_WORK = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


def _cuda() -> Any:
    return ctypes.CDLL("libcuda.so.1")


def _scratch() -> bool:
    address = ctypes.c_void_p()
    if _cuda().cuMemAlloc_v2(ctypes.byref(address), ctypes.c_size_t(64)):
        return False
    return not _cuda().cuMemFree_v2(address)


def _attribute(number: int) -> int:
    value = ctypes.c_int()
    _cuda().cuDeviceGetAttribute(ctypes.byref(value), number, 0)
    return value.value


def named(version: str, weakly_typed: bool) -> tuple[type[Builder], type[Runtime]]:
    """Builder and Runtime of one version."""
    builder = type("Builder", (Builder,), {"version": version, "weakly_typed": weakly_typed})
    return builder, type("Runtime", (Runtime,), {"version": version})


SHARED: dict[str, Callable[..., Any] | Any] = {
    name: value
    for name, value in list(globals().items())
    if name
    in {
        "ILogger",
        "DataType",
        "TensorIOMode",
        "MemoryPoolType",
        "ProfilingVerbosity",
        "IProgressMonitor",
        "OnnxParser",
        "nptype",
    }
}
