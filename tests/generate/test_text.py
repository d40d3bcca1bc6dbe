"""Prompts: encoded once, blended on the sphere, and words found by their text."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
import torch

from livevis.core.errors import ConfigError
from livevis.core.types import Attention, Conditioning
from livevis.generate.engine import Engine
from livevis.generate.prompt_to_prompt.words import spans
from livevis.generate.text import PromptEncoder, blend, load_tokenizer, normalised


class Counted:
    """An encoder whose embedding is a fixed function of the ids, and that counts its calls."""

    def __init__(self) -> None:
        self.calls = 0
        self.table = torch.randn(1000, 24, generator=torch.Generator().manual_seed(0))

    def __call__(self, ids: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return self.table[ids]


@pytest.fixture
def encode() -> Counted:
    return Counted()


@pytest.fixture
def prompts(engine: Engine, encode: Counted) -> PromptEncoder:
    return PromptEncoder(load_tokenizer(engine.folder / "tokenizer"), encode, tokens=engine.tokens)


def gains(prompts: PromptEncoder, text: str, *gained: tuple[str, float]) -> list[float]:
    (row,) = prompts.rows(Conditioning(((text, 1.0),), word_gains=gained), guided=False)
    return [round(float(gain), 6) for gain in row.token_gain[0]]


def test_a_text_is_encoded_once(prompts: PromptEncoder, encode: Counted) -> None:
    first = prompts.encoded("black waves")
    prompts.rows(Conditioning((("black waves", 0.4), ("red city", 0.2))), guided=True)
    assert prompts.encoded("black waves") is first
    assert encode.calls == 3  # black waves, red city, and the empty negative


def test_a_word_is_found_by_its_text(prompts: PromptEncoder) -> None:
    got = gains(prompts, "burning aurora, black waves", ("aurora", 3.0))
    assert got[:6] == [1, 1, 3, 1, 1, 1] and set(got[6:]) == {1.0}


def test_a_word_of_several_tokens_is_gained_whole_and_every_time(prompts: PromptEncoder) -> None:
    got = gains(prompts, "neon city of neon", ("neon", 0.0))
    assert got[:11] == [1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0]
    assert gains(prompts, "red neon city", ("NEON city", 2.0))[:7] == [1, 1, 2, 2, 2, 2, 2]


def test_part_of_a_word_is_not_the_word(prompts: PromptEncoder, caplog: pytest.LogCaptureFixture) -> None:
    assert set(gains(prompts, "xred", ("red", 3.0))) == {1.0}
    assert spans(("<s>", "x", "red</w>", "</s>"), ("red</w>",)) == []


def test_an_absent_word_is_ignored_on_stage_with_one_warning(
    prompts: PromptEncoder, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert set(gains(prompts, "black waves", ("dog", 3.0))) == {1.0}
    (record,) = caplog.records
    assert "'dog' is not in the prompt; its words: black, waves" in record.message


def test_an_absent_word_raises_when_strict(engine: Engine, encode: Counted) -> None:
    strict = PromptEncoder(load_tokenizer(engine.folder / "tokenizer"), encode, tokens=engine.tokens, strict=True)
    with pytest.raises(ConfigError, match="'dog' is not in the prompt; its words: black, waves"):
        gains(strict, "black waves", ("dog", 2.0))


def test_weights_are_normalised_and_one_prompt_is_itself(prompts: PromptEncoder) -> None:
    assert normalised((("a", 2.0), ("b", 0.0), ("c", 6.0))) == [("a", 0.25), ("c", 0.75)]
    assert normalised((("a", 0.0),)) == [("", 1.0)] == normalised(())
    alone = prompts.rows(Conditioning((("black waves", 0.3),)), guided=False)[0]
    assert torch.equal(alone.text, prompts.encoded("black waves").embedding)


def test_a_blend_scales_with_no_common_factor_and_keeps_each_tokens_length(prompts: PromptEncoder) -> None:
    texts = [prompts.encoded(text) for text in ("black waves", "red city", "burning aurora", "neon")]
    mixed = blend(list(zip(texts, (0.1, 0.2, 0.3, 0.4), strict=True)))
    lengths = torch.stack([text.embedding.norm(dim=-1) for text in texts])
    assert (mixed.norm(dim=-1) <= lengths.max(0).values + 1e-3).all()
    assert (mixed.norm(dim=-1) >= 0.6 * lengths.min(0).values).all()
    rows = [
        prompts.rows(Conditioning((("black waves", a), ("red city", b))), guided=False)[0] for a, b in ((1, 3), (2, 6))
    ]
    torch.testing.assert_close(rows[0].text, rows[1].text)
    assert not torch.allclose(rows[0].text, texts[0].embedding)


def test_gains_of_blended_prompts_are_shared_out(prompts: PromptEncoder) -> None:
    mixed = Conditioning((("black waves", 0.5), ("red city", 1.5)), word_gains=(("waves", 3.0),))
    (row,) = prompts.rows(mixed, guided=False)
    assert row.token_gain[0, :4].tolist() == pytest.approx([1, 1, 1 + 0.25 * 2, 1])


def test_guidance_adds_the_negative_row_with_gain_one(prompts: PromptEncoder) -> None:
    asked = Conditioning((("black waves", 1.0),), negative="red", word_gains=(("black", 4.0),))
    negative, positive = prompts.rows(asked, guided=True)
    assert torch.equal(negative.text, prompts.encoded("red").embedding)
    assert set(negative.token_gain[0].tolist()) == {1.0} and positive.token_gain.max() == 4.0


def test_what_does_not_fit_is_said(prompts: PromptEncoder, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        encoded = prompts.encoded("red " * 30 + "city aurora")
    assert len(encoded.pieces) == 32 and "not read: 'city aurora'" in caplog.text


def shaped(prompts: PromptEncoder, text: str, word: str, *, steps: int = 1, gain: float = 3.0, **how: Any) -> Any:
    asked = Conditioning(((text, 1.0),), word_gains=((word, gain),), attention=Attention(**how))
    return prompts.rows(asked, guided=False, steps=steps)[0]


def test_a_gain_spreads_to_the_end_of_the_prompt_by_its_share(prompts: PromptEncoder) -> None:
    row = shaped(prompts, "black waves", "waves", spread=0.25)
    assert row.token_gain[0].tolist() == [1, 1, 3] + [1.5] * 29
    assert torch.equal(shaped(prompts, "black waves", "waves", spread=0.0).token_gain[0, 3:], torch.ones(29))
    assert torch.equal(shaped(prompts, "black waves", "waves", spread=0.3, gain=1.0).token_gain, torch.ones(1, 32))


def test_a_spread_ends_where_each_prompt_of_a_blend_ends(prompts: PromptEncoder) -> None:
    both = (("black waves", 0.5), ("red city of waves", 1.5))
    asked = Conditioning(both, word_gains=(("waves", 5.0),), attention=Attention(spread=0.5))
    (row,) = prompts.rows(asked, guided=False)
    # black waves: 0.25 of 4 on token 2, half of that from 3 on; red city of waves: 0.75 of 4 on 4, half from 5 on
    assert row.token_gain[0].tolist() == pytest.approx([1, 1, 2, 1.5, 4.5] + [1 + 0.5 + 1.5] * 27)


def test_windows_give_gains_by_step(prompts: PromptEncoder) -> None:
    row = shaped(prompts, "black waves", "waves", steps=3, windows=(("", 1, 4),))
    assert row.token_gain.shape == (3, 32)
    assert [float(row.gain_at(step)[0, 2]) for step in range(3)] == [1, 3, 3]
    plain = shaped(prompts, "black waves", "waves", steps=3)
    assert plain.gain_at(0) is plain.gain_at(2) is plain.token_gain


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"windows": (("", 2, 4),)}, "the gain on 'waves' acts at none of steps 1..2"),
        ({"windows": (("waves", 3, 4), ("", 0, 1))}, "the gain on 'waves' acts at none of steps 1..2"),
        ({"windows": (("dog", 0, 1),)}, "attention/steps 'dog' is not in the prompt; its words: black, waves"),
        ({"unread": ("3-2",)}, "attention/steps '3-2' is no step; write '1', '2-4'"),
    ],
)
def test_windows_that_cannot_be_played_are_said_once_and_raise_when_strict(
    engine: Engine, encode: Counted, caplog: pytest.LogCaptureFixture, how: dict[str, Any], said: str
) -> None:
    stage, strict = (
        PromptEncoder(load_tokenizer(engine.folder / "tokenizer"), encode, tokens=engine.tokens, strict=strict)
        for strict in (False, True)
    )
    with caplog.at_level(logging.WARNING):
        rows = [shaped(stage, "black waves", "waves", steps=2, **how) for _ in range(3)]
    assert [said in record.message for record in caplog.records] == [True]
    assert float(rows[-1].gain_at(1)[0, 2]) == (1 if "gain on" in said else 3)
    with pytest.raises(ConfigError, match=re.escape(said)):
        shaped(strict, "black waves", "waves", steps=2, **how)
