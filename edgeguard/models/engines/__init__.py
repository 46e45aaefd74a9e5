"""Engines: models compiled on the device that runs them, kept with the reasons for what they are.

`trt.py` is TensorRT whatever its version, `compiler.py` makes a plan in a process of its own,
`fingerprint.py` says what a plan was made from, `shelf.py` keeps plans, `workshop.py` builds and gates
them, and `tensorrt_engine.py` runs them.
"""
