"""Finds things in frames and follows them from frame to frame.

Belongs here: detectors, their pre- and post-processing, colour conversion, the tracker.
Does not belong here: what a track means (rules), where frames come from (capture), sessions (models).
May import: types, models, cuda, errors, OpenCV, SciPy.
Called by: runtime.
To add one, copy `nanodet.py`.
"""
