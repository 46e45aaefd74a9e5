"""Which checks a configuration asks for, as a table; without one, those of the box alone."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from edgeguard.alerts.topics import Topics
from edgeguard.clock import Clock
from edgeguard.config import Config, advice, load, summary
from edgeguard.config import rules as kinds
from edgeguard.config.advice import named_files
from edgeguard.config.mqtt import is_loopback
from edgeguard.config.secrets import place_of
from edgeguard.config.source import Source
from edgeguard.errors import ConfigError, EdgeGuardError
from edgeguard.files import existing
from edgeguard.models import Catalog, ModelStore, load_catalog
from edgeguard.models.engines.fleet import Fleet
from edgeguard.runtime.assembly.awaiting import awaited, phrases
from edgeguard.runtime.assembly.brokers import endpoint, tls_of
from edgeguard.runtime.assembly.keeping import believed_time
from edgeguard.runtime.assembly.modelling import detectors_of, store_of
from edgeguard.runtime.assembly.sources import audio_source, frame_source
from edgeguard.runtime.checkup import CheckupStage
from edgeguard.runtime.doctor import Check, Finding
from edgeguard.runtime.doctor.box import memory, thermal
from edgeguard.runtime.doctor.broker import broker, no_password
from edgeguard.runtime.doctor.camera import WATCH_S, camera
from edgeguard.runtime.doctor.certificates import certificates
from edgeguard.runtime.doctor.clocks import clocks
from edgeguard.runtime.doctor.configuration import advised, unread
from edgeguard.runtime.doctor.daemon import is_running, parts_of
from edgeguard.runtime.doctor.disk import disk, size_of, unaged
from edgeguard.runtime.doctor.elements import decoders
from edgeguard.runtime.doctor.gpu import gpu
from edgeguard.runtime.doctor.jetpack import jetpack
from edgeguard.runtime.doctor.microphone import LISTEN_S, microphone
from edgeguard.runtime.doctor.models import Wanted, engines, models
from edgeguard.runtime.doctor.permissions import permissions
from edgeguard.runtime.doctor.power import power
from edgeguard.runtime.doctor.service import service
from edgeguard.runtime.doctor.sources import Place, refused
from edgeguard.runtime.doctor.zero_copy import stays_on_gpu
from edgeguard.runtime.health import HealthBoard
from edgeguard.runtime.stage import Stage
from edgeguard.runtime.words import spotter_card

_FRAMES = 60
_SLOW_S = 60.0
_ROOT = Path("/")
_SYSTEM_STATE = Path("/var/lib/edgeguard")
_USER = "edgeguard"


@dataclass(frozen=True, slots=True)
class Patient:
    """What is to be looked at."""

    clock: Clock
    config_file: Path | None = None
    config: Config | None = None
    refusal: str | None = None
    """Why the configuration is none."""
    snapshots: Path | None = None
    """Folder for a picture of each camera; None: none is kept."""
    root: Path = _ROOT
    """Where the system's own files are looked for."""


def admit(config_file: Path | None, clock: Clock, snapshots: Path | None = None) -> Patient:
    """The box with that configuration, right or wrong."""
    if config_file is None:
        return Patient(clock)
    try:
        return Patient(clock, config_file, load(config_file), snapshots=snapshots)
    except EdgeGuardError as error:
        return Patient(clock, config_file, refusal=str(error))


def checks(patient: Patient) -> list[Check]:
    """All of them, quick ones first."""
    config, box = patient.config, _of_box(patient)
    if config is None:
        said = unread(patient.config_file, patient.refusal)
        return [Check("config", lambda: [said], quick=True), *box]
    port, running = config.health.http_port, is_running(config.state_dir)
    parts = parts_of(port) if port and running is not False else {}
    running = True if parts else running
    return [
        *_of_files(config, patient.config_file, patient.clock, _uid(config.state_dir)),
        *box,
        Check("service", partial(service, patient.root, running)),
        *_of_media(config, patient, parts, unheard=bool(running) and not parts),
        *_of_models(config),
        _of_broker(config, patient.clock),
    ]


def _of_box(patient: Patient) -> list[Check]:
    root = patient.root
    return [
        Check("jetpack", partial(jetpack, root), quick=True),
        Check("power", partial(power, root), quick=True, also=("governor",)),
        Check("thermal", lambda: [thermal(root)], quick=True),
        Check("memory", lambda: [memory(root)], quick=True),
        Check("clock", partial(clocks, patient.clock, root), quick=True, also=("rtc",)),
        Check("gpu", partial(gpu, root), limit_s=_SLOW_S, also=("tensorrt",)),
        Check("zero_copy", lambda: stays_on_gpu(None, patient.clock, _FRAMES), limit_s=_SLOW_S),
    ]


def checkup(config: Callable[[], Config], board: HealthBoard, clock: Clock) -> dict[str, Stage]:
    """The quick ones, by the daemon itself; `config` is what it goes by now."""

    def asked() -> list[Check]:
        every = [*_of_files(config(), None, clock, os.geteuid()), *_of_box(Patient(clock))]
        return [check for check in every if check.quick]

    return {"doctor": CheckupStage(asked, board.part("doctor"), clock)}


def _of_files(config: Config, path: Path | None, clock: Clock, uid: int) -> list[Check]:
    files = [(key, place_of(file), secret) for key, file, secret in named_files(config)]
    remarks = [
        remark for remark in advice(config) if remark.partition(": ")[0] not in {key for key, *_ in files}
    ]
    secrets = [(key, file) for key, file, secret in files if secret]
    public = [(key, file) for key, file, secret in files if not secret]
    return [
        Check("config", lambda: advised(path, summary(config), remarks), quick=True),
        Check("permissions", lambda: permissions(path, secrets, config.state_dir, uid), quick=True),
        Check("certificate", lambda: certificates(public, tls_of(config.mqtt), clock), quick=True),
        Check("disk", lambda: _disks(config, clock), limit_s=_SLOW_S, quick=True),
    ]


def _uid(state_dir: Path) -> int:
    """The guard's user: the service's own for the service's folder, else whoever runs this, or owns it."""
    if state_dir == _SYSTEM_STATE:
        with suppress(KeyError):
            return pwd.getpwnam(_USER).pw_uid
    if os.geteuid() != 0 or state_dir == _SYSTEM_STATE:
        return os.geteuid()
    return state_dir.stat().st_uid if state_dir.exists() else 0


def _disks(config: Config, clock: Clock) -> Iterator[Finding]:
    """Of the state, and of the evidence where that lies on another disk."""
    evidence, log, outbox = config.evidence, config.log, config.mqtt.outbox
    kept = max(0, evidence.max_bytes - size_of(evidence.dir)) if evidence.enabled else 0
    other = outbox.max_bytes
    if log.observations:
        other += max(0, log.observations_max_bytes - size_of(config.state_dir / "observations"))
    devices = {existing(folder).stat().st_dev for folder in (evidence.dir, config.state_dir)}
    apart = evidence.enabled and len(devices) > 1
    yield disk(config.state_dir, evidence.reserve_bytes, other if apart else other + kept)
    if apart:
        yield disk(evidence.dir, evidence.reserve_bytes, kept)
    if doubt := believed_time(config, clock).doubt():
        yield unaged(doubt, config.state_dir)


def _of_media(
    config: Config, patient: Patient, parts: Mapping[str, Mapping[str, Any]], *, unheard: bool
) -> list[Check]:
    """`unheard`: a guard runs that says nothing of its parts."""
    eyes = {name: camera for name, camera in config.cameras.items() if camera.enabled}
    ears = {name: mic for name, mic in config.microphones.items() if mic.enabled}
    schemes = {source.url.scheme for source in (*eyes.values(), *ears.values())} - {"scene"}
    return [
        Check("decoder", lambda: decoders(schemes, pictures=bool(eyes))),
        *(
            _camera(config, name, patient, _place("camera", name, eyes[name], parts, unheard))
            for name in eyes
        ),
        *(
            _microphone(config, name, patient.clock, _place("microphone", name, ears[name], parts, unheard))
            for name in ears
        ),
    ]


def _place(
    check: str, name: str, source: Source, parts: Mapping[str, Mapping[str, Any]], unheard: bool
) -> Place:
    return Place(check, name, source.url.scheme, parts.get(f"{check}/{name}"), unheard)


def _camera(config: Config, name: str, patient: Patient, place: Place) -> Check:
    settings = config.cameras[name]
    picture = None if patient.snapshots is None else patient.snapshots / f"{name}.jpg"

    def look() -> Iterable[Finding]:
        fps, clock = settings.analyse_fps, patient.clock
        try:
            source = frame_source(name, settings, clock, fps)
        except EdgeGuardError as error:
            return [refused(place, error)]
        return [camera(place, source, clock, fps, settings.connect_s, settings.masks, picture)]

    return Check("camera", look, name, limit_s=2 * settings.connect_s + WATCH_S + 10, together=True)


def _microphone(config: Config, name: str, clock: Clock, place: Place) -> Check:
    settings = config.microphones[name]
    limits = settings.checks

    def look() -> Iterable[Finding]:
        try:
            source = audio_source(name, settings, clock)
        except EdgeGuardError as error:
            return [refused(place, error)]
        patience_s = settings.connect_s
        return [microphone(place, source, clock, patience_s, limits.silent_dbfs, limits.clipped_share)]

    return Check("microphone", look, name, limit_s=2 * settings.connect_s + LISTEN_S + 10, together=True)


def _of_models(config: Config) -> list[Check]:
    def look_at_engines() -> Iterable[Finding]:
        store = store_of(config)
        return engines(sorted(detectors_of(config)), load_catalog(), store, Fleet(store.root))

    def look_at_models() -> Iterable[Finding]:
        catalog, store = load_catalog(), store_of(config)
        return models(_wanted(config, _to_be_known(config, catalog, store)), catalog, store)

    return [
        Check("model", look_at_models, limit_s=_SLOW_S),
        Check("engine", look_at_engines, limit_s=_SLOW_S),
    ]


def _to_be_known(config: Config, catalog: Catalog, store: ModelStore) -> tuple[str, ...]:
    """The phrases that no spotter of keywords hears, so that the model for speech must know them."""
    spotter = spotter_card(catalog, store, config.speech.keyword_model)
    return () if spotter is not None and store.installed(spotter) else phrases(config, None)


def _to_see_by(model: str, config: Config) -> Wanted:
    eyes = {
        name: camera.detector
        for name, camera in config.cameras.items()
        if camera.enabled and camera.detector.model == model
    }
    if any(detector.fallback == "none" for detector in eyes.values()):
        return Wanted(model, "detect", "its cameras are blind", needed=True)
    downs = [rule for rule in config.rules if rule.enabled and isinstance(rule, kinds.PersonDown)]
    vain = [rule.name for rule in downs if rule.camera in eyes]
    without = "motion is watched for instead" + (
        f", by which {', '.join(vain)} can tell nobody" if vain else ""
    )
    return Wanted(model, "detect", without, needed=bool(vain))


def _wanted(config: Config, to_be_known: tuple[str, ...] = ()) -> list[Wanted]:
    ears = [mic for mic in config.microphones.values() if mic.enabled]
    speech, sounds = config.speech, config.sounds
    wanted = [_to_see_by(name, config) for name in sorted(detectors_of(config))]
    vain = {name: f", and rules or patterns wait for {name} in vain" for name in awaited(config)}
    if speech.enabled and any(mic.speech for mic in ears):
        without, needed = "no speech is understood" + vain.get("speech", ""), "speech" in vain
        wanted.append(Wanted(speech.model, "asr", without, needed, to_be_known))
        if speech.denoise == "always":  # else it is done without where there is none
            wanted.append(Wanted(speech.denoise_model, "denoise", without, needed))
        wanted.append(Wanted(speech.vad.model, "vad", "speech is told from noise by its loudness alone"))
        if speech.keyword_model is not None:
            wanted.append(Wanted(speech.keyword_model, "keywords", "phrases are found in the text"))
    if sounds.enabled and any(mic.sounds for mic in ears):
        without, needed = "no sound is known" + vain.get("sounds", ""), "sounds" in vain
        wanted.append(Wanted(sounds.model, "sound-tags", without, needed))
    return wanted


def _of_broker(config: Config, clock: Clock) -> Check:
    mqtt = config.mqtt

    def look() -> Iterable[Finding]:
        try:
            password = mqtt.password()
        except ConfigError as error:
            return [no_password(str(error))]
        topics = Topics(config.site, config.device)
        return broker(endpoint(mqtt, password), topics, clock, lax=is_loopback(mqtt.host))

    limit_s = _SLOW_S * (1 + len(mqtt.fallback_hosts))
    return Check("broker", look, limit_s=limit_s, also=("broker_rights",))
