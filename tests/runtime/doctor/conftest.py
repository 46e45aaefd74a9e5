"""A fake GPU."""

from tests.models.engines.conftest import cuda, gpu

__all__ = ["cuda", "gpu"]
