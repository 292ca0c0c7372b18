"""The nightly run: pieces are shared out whole, repeat exactly, and a failing case is not passed over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import strategies as st

from tests.generative import nightly
from tests.generative.nightly import PIECE, Property, pieces, run_piece


def test_every_piece_belongs_to_one_share() -> None:
    shares = [pieces(100 * PIECE, shard, 7) for shard in range(1, 8)]

    assert sorted(number for share in shares for number in share) == list(range(100))


def test_a_piece_of_a_seed_is_always_the_same_and_others_are_others() -> None:
    def tried(number: int, seed: int) -> list[int]:
        seen: list[int] = []
        run_piece(Property(st.integers(), lambda case: seen.append(case) or []), number, seed, 40)
        return seen

    assert tried(3, 1) == tried(3, 1)
    assert tried(3, 1) != tried(4, 1)
    assert tried(3, 1) != tried(3, 2)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A property that does not hold from 1000 on; what is done is kept in a folder of its own."""
    at_1000 = Property(st.integers(0, 2000), lambda case: ["too large"] if case >= 1000 else [])
    monkeypatch.setattr(
        nightly, "PROPERTIES", {"bodies": at_1000, "reassurance": Property(st.integers(), lambda _: [])}
    )
    monkeypatch.setattr(nightly, "KEPT", tmp_path)
    return tmp_path


def test_a_failure_is_told_with_the_command_that_repeats_it_and_is_not_counted_as_done(
    broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert nightly.main(["bodies", "--cases", str(PIECE)]) == 1
    told = capsys.readouterr()

    assert "--seed 1 --only 0" in told.out
    assert "too large: 1000\n" in told.err
    assert list(broken.iterdir()) == []
    assert nightly.main(["bodies", "--cases", str(PIECE), "--only", "0"]) == 1


def test_what_is_done_is_left_out_the_next_time(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert nightly.main(["reassurance", "--cases", str(2 * PIECE), "--shard", "1/2"]) == 0
    assert json.loads((broken / "reassurance-1.1of2.json").read_text("utf-8")) == [0]
    capsys.readouterr()

    assert nightly.main(["reassurance", "--cases", str(2 * PIECE), "--shard", "1/2"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"reassurance: {PIECE} cases of this share have passed in all, 0 pieces failed"
    ]
