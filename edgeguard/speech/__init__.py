"""What a microphone hears: speech into text and keywords, sounds into tags.

Belongs here: voice activity, recognition, phrases, sound tags, and the listener that ties them together.
Does not belong here: microphones and resampling (audio); what happens on a keyword (alerts); threads.
May import: types, models, clock, errors; sherpa_onnx through `sherpa.py` alone.
Called by: runtime.
To add one, copy an entry of `tags.py` for a sound, `recogniser.py` for a way to recognise.
"""

from edgeguard.speech.denoiser import Denoiser, GtcrnDenoiser
from edgeguard.speech.effort import Effort
from edgeguard.speech.fake import FakeRecogniser, FakeVad
from edgeguard.speech.hotwords import Hotwords
from edgeguard.speech.listener import Listener
from edgeguard.speech.loudness import LoudnessVad
from edgeguard.speech.phrases import Keyword, PhraseMatcher
from edgeguard.speech.recogniser import Endpointing, Recogniser, SherpaRecogniser
from edgeguard.speech.reporter import FaultRule, IntentRule, KeywordRule, SoundRule
from edgeguard.speech.soundness import Limits, MicrophoneCheck
from edgeguard.speech.sounds import SoundTagger
from edgeguard.speech.spotter import SherpaSpotter, speller
from edgeguard.speech.tags import TAGS, TagSpec
from edgeguard.speech.transcriber import Transcriber
from edgeguard.speech.understanding.meaning import Understanding
from edgeguard.speech.vad import SileroVad, Vad

__all__ = [
    "TAGS",
    "Denoiser",
    "Effort",
    "Endpointing",
    "FakeRecogniser",
    "FakeVad",
    "FaultRule",
    "GtcrnDenoiser",
    "Hotwords",
    "IntentRule",
    "Keyword",
    "KeywordRule",
    "Limits",
    "Listener",
    "LoudnessVad",
    "MicrophoneCheck",
    "PhraseMatcher",
    "Recogniser",
    "SherpaRecogniser",
    "SherpaSpotter",
    "SileroVad",
    "SoundRule",
    "SoundTagger",
    "TagSpec",
    "Transcriber",
    "Understanding",
    "Vad",
    "speller",
]
