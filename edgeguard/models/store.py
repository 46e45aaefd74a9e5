"""Where models live on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from edgeguard.errors import ModelError
from edgeguard.models import mirror
from edgeguard.models.card import ModelCard, ModelFile
from edgeguard.models.download import Progress
from edgeguard.models.files import JsonFile, is_file, is_folder, reading, sha256_of
from edgeguard.models.labels import read_labels
from edgeguard.models.lock import Lock
from edgeguard.models.pull import Pull

_SYSTEM_ROOT = Path("/var/lib/edgeguard/models")

BUILTIN = Path(__file__).parent / "builtin"
"""What comes with the package, as `<model>/<file>`; verified like everything else."""


def default_root() -> Path:
    """The machine's store where an installation made one, else the user's; ModelError if closed to us."""
    return _SYSTEM_ROOT if is_folder(_SYSTEM_ROOT) else Path.home() / ".cache" / "edgeguard" / "models"


class ModelStore:
    """Model files below `root/<model>/`, and below mirrors and in the package, where they are used in place.

    Nothing is handed out before its SHA-256 was compared with the catalog's or, where nobody publishes one,
    with what `lock.json` recorded when the file came. `licences.json` holds the licences accepted.
    """

    def __init__(self, root: Path, mirrors: Sequence[Path] = ()) -> None:
        self.root = root
        self._mirrors = tuple(mirrors)
        self._lock = Lock(root / "lock.json")
        self._licences = JsonFile(root / "licences.json")
        self._digests: dict[tuple[Path, int, int], str] = {}

    def accepted(self, card: ModelCard) -> bool:
        """Whether the licence that the card has now was accepted here."""
        return bool(self._licences.read().get(card.name) == card.licence)

    def accept(self, card: ModelCard) -> None:
        self._licences.set(card.name, card.licence)

    def present(self, card: ModelCard) -> bool:
        """Whether any of the model's files is here, right or wrong."""
        return any(is_file(path) for file in card.files for path in self._places(card, file))

    def installed(self, card: ModelCard) -> bool:
        """Whether every file of the model is here and is the right one."""
        return not self.faults(card)

    def faults(self, card: ModelCard) -> list[str]:
        """What is wrong with the model's files here, one sentence each; empty if nothing is."""
        faults = []
        for file in card.files:
            try:
                self.path(card, file.name)
            except ModelError as error:
                faults.append(str(error))
        return faults

    def path(self, card: ModelCard, file: str | None = None) -> Path:
        """The verified file of that name or role; without one, the model itself. ModelError with the fix."""
        wanted = card.file(file)
        expected = self._lock.expected(card, wanted.name, wanted.digests)
        found: list[Path] = []
        for path in filter(is_file, self._places(card, wanted)):
            if self._digest(path) in expected:
                return path
            found.append(path)
        if not found:
            fault = f"{card.name} is not installed ({wanted.name} is missing)"
        elif expected:
            fault = f"{found[0]} is not the {wanted.name} that {card.name} needs"
        else:
            fault = f"nobody publishes a checksum of {found[0]}, and nobody vouched for it"
        raise ModelError(f"{fault}: run `edgeguard models pull {card.name}`")

    def labels(self, card: ModelCard) -> tuple[str, ...]:
        """The card's own class names, or else those in its file of role `labels`."""
        return card.labels or read_labels(self.path(card, "labels"))

    def trusted_on_first_use(self, card: ModelCard) -> bool:
        """Whether a file of the model was accepted without a published checksum."""
        return self._lock.first_use(card)

    def pull(
        self,
        card: ModelCard,
        *,
        from_dir: Path | None = None,
        progress: Progress | None = None,
        accept_unverified: bool = False,
    ) -> None:
        """Bring what is missing or damaged: from `from_dir` only, or else from a mirror or upstream.

        A download that broke off goes on where it stopped. `accept_unverified` trusts a file without a
        published checksum this once, and records what it was. ModelError says what failed and how to fix it.
        """
        if not self.accepted(card):
            raise ModelError(
                f"the licence of {card.name} ({card.licence}) is not accepted: see {card.licence_url}"
            )
        if from_dir and not is_folder(from_dir):
            raise ModelError(f"there is no folder {from_dir}: give the one that holds the model files")
        pull = Pull(
            card,
            self.root / card.name,
            self._lock,
            [from_dir] if from_dir else self._mirrors,
            online=from_dir is None,
            accept_unverified=accept_unverified,
            progress=progress,
        )
        pull.bring([file for file in card.files if not self._is_home(card, file)])

    def _is_home(self, card: ModelCard, file: ModelFile) -> bool:
        path = self.root / card.name / file.name
        return is_file(path) and self._digest(path) in self._lock.expected(card, file.name, file.digests)

    def _places(self, card: ModelCard, file: ModelFile) -> Iterator[Path]:
        yield self.root / card.name / file.name
        for folder in self._mirrors:
            yield from mirror.places(folder, card, file)
        yield BUILTIN / card.name / file.name

    def _digest(self, path: Path) -> str:
        """The file's SHA-256, taken again only when its size or time changed."""
        with reading(path):
            status = path.stat()
        key = (path, status.st_size, status.st_mtime_ns)
        if key not in self._digests:
            self._digests[key] = sha256_of(path)
        return self._digests[key]
