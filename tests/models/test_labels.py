from __future__ import annotations

from pathlib import Path

import pytest

from edgeguard.errors import ModelError
from edgeguard.models.labels import read_labels


def test_reads_one_name_a_line(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("Speech\nChild speech, kid speaking\r\n\n")
    assert read_labels(path) == ("Speech", "Child speech, kid speaking")


def test_reads_the_names_of_a_table(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text('index,mid,display_name\n0,/m/09x0r,Speech\n1,/m/0ytgt,"Child speech, kid speaking"\n')
    assert read_labels(path) == ("Speech", "Child speech, kid speaking")


@pytest.mark.parametrize(
    ("name", "data"), [("a.csv", b"x,y\n1,2\n"), ("a.txt", b"\xff\xfe"), ("gone.txt", None)]
)
def test_says_which_file_is_no_list(tmp_path: Path, name: str, data: bytes | None) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ModelError, match=name):
        read_labels(tmp_path / name)
