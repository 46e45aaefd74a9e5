"""What finds things in pictures."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from edgeguard.config.labels import LABELS, MOTION
from edgeguard.config.section import DERIVED, ModelName, Section, Share, Some

DEFAULT_CLASSES = ("person", "bicycle", "car", "motorcycle", "bus", "truck")


def _known(label: str) -> str:
    if label not in LABELS:
        raise ValueError("expected a class that detectors know: a COCO class or motion")
    return label


ClassName = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": list(LABELS)})]
"""What a detector can find."""


def classes_of(model: object) -> tuple[str, ...]:
    """The classes that `model` looks for unless told otherwise."""
    return (MOTION,) if model == MOTION else DEFAULT_CLASSES


class Detector(Section):
    """The detector of one camera, or of all that have no own one."""

    model: ModelName = "yolox-nano-416"
    """Model from the catalog (`edgeguard models list`), or `motion`: whatever moves, without a model."""
    fallback: Literal["motion", "none"] = "motion"
    """What stands in while the model cannot be had. `none`: the camera is blind, and health says so."""
    confidence: Share = 0.5
    """Confidence (0 to 1) from which a thing that was not there before counts. What is fainter, down to
    `tracker.low_confidence`, only carries on what was already seen."""
    iou: Share = 0.45
    """Overlap (intersection over union, 0 to 1) from which the weaker of two boxes is dropped."""
    classes: Some[ClassName] = Field(default=DERIVED, validate_default=True)
    """Classes to look for, as COCO names them. Without it: person, bicycle, car, motorcycle, bus and truck,
    or `motion` where that is the model."""
    threads: int = Field(default=1, ge=1, le=64)
    """CPU threads for inference, where the model runs on the CPU."""

    @field_validator("classes", mode="before")
    @classmethod
    def _of_the_model(cls, value: Any, info: ValidationInfo) -> Any:
        return classes_of(info.data.get("model")) if value is None else value

    def over(self, general: Detector) -> Detector:
        """These settings on top of `general` ones: what is not said here is as there."""
        said = {**general._said(), **self._said()}
        if "classes" not in self.model_fields_set and MOTION in (said.get("model"), general.model):
            said.pop("classes", None)
        return Detector(**said)

    def _said(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.model_fields_set}
