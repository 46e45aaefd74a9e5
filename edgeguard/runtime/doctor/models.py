"""The models that the configuration asks for: installed, and the very files that were published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgeguard.errors import EdgeGuardError, ModelError
from edgeguard.models import Catalog, ModelCard, ModelStore
from edgeguard.models.engines.fleet import Fleet
from edgeguard.models.exported import find_exported
from edgeguard.runtime.doctor.finding import Finding, fault, fine, skipped, warning
from edgeguard.runtime.words import unheard_by

CHECK = "model"
_ENGINE = "engine"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One model, for one purpose."""

    name: str | None
    """None: any of its task."""
    task: str
    without: str
    """What becomes of the guard without it."""
    needed: bool = False
    phrases: tuple[str, ...] = ()
    """What a model for speech must know, where no spotter of keywords hears it."""


def models(wanted: Sequence[Wanted], catalog: Catalog, store: ModelStore) -> Iterator[Finding]:
    """Each file is compared with its checksum."""
    if not wanted:
        yield skipped(CHECK, "the configuration asks for no model")
    for one in wanted:
        yield _named(one, catalog, store) if one.name else _any(one, catalog, store)


def engines(names: Sequence[str], catalog: Catalog, store: ModelStore, fleet: Fleet) -> Iterator[Finding]:
    """Whether each detector has an engine that serves on this GPU."""
    if not names:
        yield skipped(_ENGINE, "no detector of the configuration has a model")
    for name in names:
        try:
            lacking = fleet.lacking(find_exported(store, catalog.card(name)))
        except ModelError as error:
            yield skipped(_ENGINE, f"not looked at: {error}", name)
            continue
        if lacking is not None:
            yield warning(
                _ENGINE,
                lacking,
                "it was not built yet, or something that it was built with changed",
                "edgeguard engines build CONFIG, or sudo systemctl start edgeguard-engines; it takes minutes",
                name,
            )
        elif fleet.has_gpu:
            yield fine(_ENGINE, "there is one that serves here", name)
        else:
            yield skipped(_ENGINE, "no TensorRT or no GPU here: the CPU runs the model", name)


def _named(one: Wanted, catalog: Catalog, store: ModelStore) -> Finding:
    assert one.name is not None
    try:
        card = catalog.card(one.name)
        faults = store.faults(card)
    except EdgeGuardError as error:
        return _lacking(one, str(error), f"edgeguard models list --task {one.task}")
    if faults:
        problem = "; ".join(fault.partition(": run ")[0] for fault in faults)
        return _lacking(one, problem, f"edgeguard models pull {one.name}")
    return _there(one, card, store, f"{card.title}: every file is the published one")


def _any(one: Wanted, catalog: Catalog, store: ModelStore) -> Finding:
    cards = [card for card in catalog.cards if card.task == one.task]
    found = next((card for card in cards if store.installed(card)), None)
    if found is None:
        said = f"no model for the task {one.task} is installed"
        return _lacking(
            one, said, f"edgeguard models list --task {one.task}, then edgeguard models pull NAME"
        )
    return _there(one, found, store, f"{found.name} will be used for {one.task}")


def _there(one: Wanted, card: ModelCard, store: ModelStore, said: str) -> Finding:
    unheard = unheard_by(card, store, one.phrases)
    if not unheard:
        return fine(CHECK, said, card.name)
    tell = fault if one.needed else warning
    return tell(
        CHECK,
        f"it hears nobody say {', '.join(map(repr, unheard))}",
        "it knows the phrases of its own list only, and these are not among them",
        "take phrases of its list, or pull a general model: edgeguard models list --task asr",
        card.name,
    )


def _lacking(one: Wanted, problem: str, fix: str) -> Finding:
    tell = fault if one.needed else warning
    return tell(
        CHECK,
        f"{problem}; {one.without}",
        "it was not fetched yet, or a file was changed or broke off",
        fix,
        one.name or one.task,
    )
