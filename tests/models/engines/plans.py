"""Plans made with whatever TensorRT is given, without the product's compiler."""

from __future__ import annotations

import onnx

from edgeguard.models.engines.trt import TensorRt


def plan_of(tensorrt: TensorRt, model: onnx.ModelProto, max_batch: int = 8) -> bytes:
    module, logger = tensorrt.module, tensorrt.logger()
    builder = module.Builder(logger)
    network = builder.create_network(0)
    assert module.OnnxParser(network, logger).parse(model.SerializeToString())
    config = builder.create_builder_config()
    if tensorrt.weakly_typed:
        config.set_flag(module.BuilderFlag.INT8)
    picture = network.get_input(0)
    if picture.shape[0] < 0:
        profile = builder.create_optimization_profile()
        rest = tuple(picture.shape)[1:]
        profile.set_shape(picture.name, (1, *rest), (min(2, max_batch), *rest), (max_batch, *rest))
        config.add_optimization_profile(profile)
    plan = builder.build_serialized_network(network, config)
    assert plan is not None, logger.faults()
    return bytes(plan)
