from __future__ import annotations

from typing import Any

import pytest

from edgeguard.config.detector import DEFAULT_CLASSES, Detector
from edgeguard.config.labels import COCO, LABELS, OTHER_SPELLINGS
from edgeguard.models import load_catalog
from tests.config.trees import built, camera, faults, tree


def resolved(general: dict[str, Any], own: dict[str, Any]) -> Detector:
    return built(camera(detector=own) | {"detector": general}).cameras["gate"].detector


@pytest.mark.parametrize(
    ("general", "own", "expected"),
    [
        ({}, {}, {"model": "yolox-nano-416", "classes": DEFAULT_CLASSES}),
        ({"confidence": 0.6}, {}, {"confidence": 0.6, "classes": DEFAULT_CLASSES}),
        ({"confidence": 0.6}, {"confidence": 0.35}, {"confidence": 0.35}),
        ({"classes": ["dog"]}, {"iou": 0.5}, {"classes": ("dog",), "iou": 0.5}),
        ({"classes": ["dog"]}, {"classes": ["cat"]}, {"classes": ("cat",)}),
        ({"classes": ["dog"]}, {"model": "yolox-s"}, {"model": "yolox-s", "classes": ("dog",)}),
        ({"classes": ["dog"]}, {"model": "motion"}, {"classes": ("motion",)}),
        ({"model": "motion"}, {}, {"model": "motion", "classes": ("motion",)}),
        ({"model": "motion"}, {"model": "yolox-s"}, {"classes": DEFAULT_CLASSES}),
        ({"fallback": "none"}, {}, {"fallback": "none"}),
        ({"fallback": "none"}, {"fallback": "motion"}, {"fallback": "motion"}),
    ],
)
def test_a_camera_says_only_what_differs(
    general: dict[str, Any], own: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = resolved(general, own)
    assert {key: getattr(found, key) for key in expected} == expected


def test_equal_settings_are_equal_keys() -> None:
    """So that cameras can be gathered by the detector they share."""
    assert len({resolved({}, {}), resolved({}, {"confidence": 0.5}), resolved({}, {"iou": 0.9})}) == 2


@pytest.mark.parametrize(
    ("detector", "fault"),
    [
        (
            {"classes": ["persn"]},
            'classes[0]: given "persn", expected a class that detectors know: a COCO class or',
        ),
        ({"classes": ["motorbike"]}, 'classes[0]: given "motorbike", expected'),
        ({"classes": []}, "classes: given [], expected at least one"),
        (
            {"classes": ["car", "car"]},
            'classes: given ["car", "car"], expected every entry once; [1] repeats [0]',
        ),
        ({"classes": "car"}, 'classes: given "car", expected a list of at least one entry'),
        ({"model": "motion", "classes": ["person"]}, "classes: expected [motion]"),
        ({"model": "../x"}, 'model: given "../x", expected the name of a model'),
        ({"confidence": 35}, "confidence: given 35, expected a number from 0 to 1"),
        ({"confidence": ".nan"}, 'confidence: given ".nan", expected a number from 0 to 1'),
        ({"confidence": 1e999}, "confidence: given "),
        ({"threads": 1.5}, "threads: given 1.5, expected a whole number from 1 to 64"),
    ],
)
def test_what_a_detector_refuses(detector: dict[str, Any], fault: str) -> None:
    (told,) = faults(tree(detector=detector))
    assert told.startswith(
        f"detector.{fault.replace('expected at least one', 'expected a list of at least one')}"
    )


def test_other_spellings_are_understood_but_not_taken() -> None:
    assert set(OTHER_SPELLINGS.values()) <= set(LABELS)
    assert not set(OTHER_SPELLINGS) & set(LABELS)
    assert faults(tree(detector={"classes": ["motorbike"]}))[0].endswith('did you mean "motorcycle"?')


def test_the_labels_are_those_of_the_models() -> None:
    assert load_catalog().card(Detector().model).labels == COCO


def test_the_labels_are_those_of_coco() -> None:
    assert len(COCO) == len(set(COCO)) == 80
    assert (COCO[0], COCO[2], COCO[16], COCO[79]) == ("person", "car", "dog", "toothbrush")
