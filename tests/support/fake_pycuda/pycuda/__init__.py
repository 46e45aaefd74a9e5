"""The few calls of pycuda that EdgeGuard makes, on the fake libcuda: the real one needs CUDA to build."""
