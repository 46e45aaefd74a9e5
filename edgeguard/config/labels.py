"""What detectors can find."""

from __future__ import annotations

MOTION = "motion"
"""Both the detector without a model and the one class that it knows."""

# fmt: off
COCO = (
    "person", "bicycle", "car", "motorbike", "aeroplane", "bus", "train", "truck", "boat",
    "traffic light", "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog",
    "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag",
    "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite", "baseball bat",
    "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle", "wine glass", "cup", "fork",
    "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli", "carrot", "hot dog",
    "pizza", "donut", "cake", "chair", "sofa", "pottedplant", "bed", "diningtable", "toilet",
    "tvmonitor", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster",
    "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier",
    "toothbrush",
)
# fmt: on
"""The 80 classes of COCO (Lin et al. 2014), spelled as the detection models' label files spell them."""

LABELS = (*COCO, MOTION)

OTHER_SPELLINGS = {
    "airplane": "aeroplane",
    "couch": "sofa",
    "dining table": "diningtable",
    "hair dryer": "hair drier",
    "motorcycle": "motorbike",
    "people": "person",
    "phone": "cell phone",
    "potted plant": "pottedplant",
    "tv": "tvmonitor",
    "vehicle": "car",
}
