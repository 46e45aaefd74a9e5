"""Which models exist, where their files are, and how one runs on given tensors.

Belongs here: the catalog, the store and its downloads, what is known of an ONNX file (lint, cost), and one
file per inference backend; engines, which are built on the device, in `engines/`.
Does not belong here: what a tensor means (vision, speech); pictures, sounds and thresholds at work.
May import: types, files, errors, cuda; onnxruntime, tensorrt inside the backend that needs them.
Called by: vision, speech, synth, runtime.
To add one, copy an entry of `catalog.yaml` for a model, `onnx_cpu.py` for a backend.
"""

from edgeguard.models.card import Archive, AudioSpec, InputSpec, ModelCard, ModelFile
from edgeguard.models.catalog import Catalog, load_catalog
from edgeguard.models.fake import FakeSession
from edgeguard.models.host_engine import HostEngine, as_engine
from edgeguard.models.onnx_cpu import OnnxSession
from edgeguard.models.session import DeviceEngine, Engine, Feeds, Outputs, Session, Shape
from edgeguard.models.store import ModelStore, default_root

__all__ = [
    "Archive",
    "AudioSpec",
    "Catalog",
    "DeviceEngine",
    "Engine",
    "FakeSession",
    "Feeds",
    "HostEngine",
    "InputSpec",
    "ModelCard",
    "ModelFile",
    "ModelStore",
    "OnnxSession",
    "Outputs",
    "Session",
    "Shape",
    "as_engine",
    "default_root",
    "load_catalog",
]
