"""Trains the starter model: a small streaming recogniser of phrases, on synthetic speech.

Belongs here: what is said (texts), who says it (voices), what rooms and noises do to it (acoustics), the
network, its training, its export for sherpa-onnx, and the judging on voices it never heard.
Does not belong here: how the product recognises (edgeguard/speech).
May import: torch, numpy, scipy, onnx, onnxruntime, sherpa_onnx, edgeguard.speech.
Called by: tools/train_phrases.py.
"""
