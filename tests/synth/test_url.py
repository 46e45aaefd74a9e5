"""Addresses of scenes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.errors import SourceError
from edgeguard.synth import Scene, SceneUrl, parse
from edgeguard.synth.scenes import SCENES
from edgeguard.synth.url import LIMITS


def test_defaults() -> None:
    assert parse("scene://yard", SCENES) == SceneUrl("yard", seed=1, fps=10, width=640, height=360)


def test_everything_said() -> None:
    url = parse("scene://dock?seed=7&fps=25&width=1280&height=720", SCENES)
    assert url == SceneUrl("dock", 7, 25, 1280, 720)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("scene://yrad", ["did you mean 'yard'?", "there is dock, drill, hall, yard"]),
        ("scene://", ["no scene ''"]),
        ("scene://yard?sed=3", ["did you mean 'seed'?", "width"]),
        ("scene://yard?seed=many", ["seed is 'many'", "whole number"]),
        ("scene://yard?seed=-1", ["seed is '-1'", "from 0 to"]),
        ("scene://yard?seed=" + "9" * 5000, ["whole number"]),
        ("scene://yard?fps=0", ["fps is '0'", "from 1 to 60"]),
        ("scene://yard?width=100000", ["from 160 to 1920"]),
        ("scene://yard?seed", ["is not an address"]),
        ("scene://yard/night", ["'/night'"]),
        ("scene://yard#top", ["'#top'"]),
        ("file:///yard", ["expected scene://NAME"]),
        ("scene://[yard", ["is not an address"]),
    ],
)
def test_a_bad_address_says_what_is_wrong(url: str, words: list[str]) -> None:
    with pytest.raises(SourceError) as error:
        Scene.open(url)
    assert all(word in str(error.value) for word in words)


@given(
    st.builds(
        SceneUrl,
        st.sampled_from(sorted(SCENES)),
        **{key: st.integers(low, high) for key, (low, high) in LIMITS.items()},
    )
)
def test_what_is_written_is_read_again(url: SceneUrl) -> None:
    assert parse(str(url), SCENES) == url


@given(st.text(max_size=40) | st.text(max_size=40).map("scene://yard?".__add__))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        url = parse(text, SCENES)
    except SourceError:
        return
    assert url.name in SCENES
    assert all(low <= getattr(url, key) <= high for key, (low, high) in LIMITS.items())
