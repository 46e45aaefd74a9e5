"""A TensorRT without a GPU, in the two surfaces that are in the field: `v10` (JetPack 6) and `v11`.

A plan holds the ONNX file, and ONNX Runtime computes what the GPU would, on memory and streams of the fake
libcuda. `v10/tensorrt` and `v11/tensorrt` are packages to put on the path.
"""
