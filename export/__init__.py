"""From a network's weights to an ONNX file, a quantised ONNX file and the card that vouches for both.

Belongs here: recipes, graph surgery, quantisation and the search for its best trade, the accuracy gate.
Does not belong here: what the device does (models); decoding at work (vision).
May import: models, vision, types, files, errors; onnx, onnxslim, onnxruntime, pycocotools, torch.
Called by: people and their scripts, as `python -m export.<name>`; the daemon imports nothing from here.
To add one, copy a file of `recipes/` for a model, `heads/nanodet.py` for a way to decode.
"""
