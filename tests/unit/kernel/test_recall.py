"""What readers remember lasts for one call (S8)."""

from __future__ import annotations

from cds_service.kernel.recall import for_one_call, forget


def test_f8_a_text_is_read_once_in_a_call_and_anew_in_the_next() -> None:
    asked = []

    @for_one_call(maxsize=2)
    def reads(text: str) -> int:
        asked.append(text)
        return len(text)

    assert [reads("5 mg"), reads("5 mg")] == [4, 4]
    forget()

    assert reads("5 mg") == 4
    assert asked == ["5 mg", "5 mg"]
