"""The GPU's driver: its primary context, memory, streams, events and kernels, by plain numbers.

Belongs here: calls of libcuda, EGL interop and NVRTC, each checked; the byte ledger of what crosses.
Does not belong here: what a kernel computes (vision), camera surfaces (capture), engines (models).
May import: errors, files, clock.
Called by: capture, models, vision, runtime.
To add one, copy `libcuda.py`; the contract tests run on every binding.
"""
