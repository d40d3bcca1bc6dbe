"""The sound in the text condition (TPoS), and the rows that attention and the sound ask for as edits."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from livevis.core.errors import ConfigError
from livevis.core.types import AudioTokens, Conditioning, Edit, Edits
from livevis.generate.engine import Engine
from livevis.generate.text import PromptEncoder, TextRow, load_tokenizer
from livevis.methods.tpos import over_text

TOKENS, WIDTH = 32, 24
TABLE = torch.randn(1000, WIDTH, generator=torch.Generator().manual_seed(0))
PLAIN = Conditioning((("burning aurora", 0.7), ("black waves", 0.3)), negative="red", word_gains=(("aurora", 3.0),))
SLOT, THRESHOLDED, SOUND = Edit("neon", 0.5), Edit("attention", 1.0, 0.5), Edit("sound", 0.5)


def sound(amount: float, *, seed: int = 1) -> AudioTokens:
    rows = np.random.default_rng(seed).normal(size=(TOKENS - 1, WIDTH)).astype(np.float32)
    rows.flags.writeable = False
    return AudioTokens(rows, 1.0, amount)


def encoder(engine: Engine, **how: Any) -> PromptEncoder:
    return PromptEncoder(load_tokenizer(engine.folder / "tokenizer"), TABLE.__getitem__, tokens=TOKENS, **how)


@pytest.fixture(scope="module")
def prompts(engine: Engine) -> PromptEncoder:
    return encoder(engine)


def same(first: TextRow | None, second: TextRow) -> bool:
    return (
        first is not None and torch.equal(first.text, second.text) and torch.equal(first.token_gain, second.token_gain)
    )


def row_of(prompts: PromptEncoder, asked: Conditioning) -> TextRow:
    return prompts.rows(asked, guided=False)[0]


@given(amount=st.floats(0, 1), seed=st.integers(0, 9))
def test_the_sound_stands_over_the_text_as_the_method_says(prompts: PromptEncoder, amount: float, seed: int) -> None:
    tokens, text = sound(amount, seed=seed), row_of(prompts, PLAIN).text
    mixed = row_of(prompts, replace(PLAIN, tokens=tokens)).text
    np.testing.assert_array_equal(mixed[0].numpy(), over_text(text[0].numpy(), tokens))
    assert torch.equal(mixed[:, 0], text[:, 0])


@pytest.mark.parametrize("guided", [False, True])
def test_amount_zero_is_the_text_bit_for_bit(prompts: PromptEncoder, guided: bool) -> None:
    plain, silent = (prompts.rows(asked, guided=guided) for asked in (PLAIN, replace(PLAIN, tokens=sound(0.0))))
    assert len(plain) == 1 + guided and all(map(same, plain, silent))


def test_with_guidance_only_the_prompts_row_sounds(prompts: PromptEncoder) -> None:
    negative, prompt = prompts.rows(PLAIN, guided=True)
    heard = prompts.rows(replace(PLAIN, tokens=sound(0.5)), guided=True)
    assert same(heard[0], negative) and same(heard[1], row_of(prompts, replace(PLAIN, tokens=sound(0.5))))
    assert not torch.equal(heard[1].text, prompt.text)


def test_a_gain_acts_on_what_the_sound_leaves_of_its_word(prompts: PromptEncoder) -> None:
    gains = [float(row_of(prompts, replace(PLAIN, tokens=sound(a))).token_gain.max()) for a in (0.0, 0.25, 1.0)]
    assert gains == pytest.approx([1 + 0.7 * 2, 1 + 0.7 * 0.75 * 2, 1.0]) and gains[2] == 1.0


def test_the_sound_is_taken_to_the_device_once_a_frame(prompts: PromptEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    taken, from_numpy = [], torch.from_numpy
    monkeypatch.setattr(torch, "from_numpy", lambda array: taken.append(array.nbytes) or from_numpy(array))
    for seed in (1, 2, 3):
        asked = replace(PLAIN, tokens=sound(0.5, seed=seed), edits=Edits((SLOT, SLOT), THRESHOLDED, SOUND))
        prompts.rows(asked, guided=True)
        prompts.edit_rows(asked, guided=False)
    assert taken == [4 * (TOKENS - 1) * WIDTH] * 3


@pytest.mark.parametrize("shape", [(TOKENS, WIDTH), (1, WIDTH), (TOKENS - 1, 1)])
def test_rows_that_do_not_fit_are_refused(engine: Engine, caplog: pytest.LogCaptureFixture, shape: Any) -> None:
    asked = replace(PLAIN, tokens=AudioTokens(np.ones(shape, np.float32), 1.0, 0.5))
    on_stage = encoder(engine)
    with caplog.at_level(logging.WARNING):
        assert all(torch.equal(row_of(on_stage, asked).text, row_of(on_stage, PLAIN).text) for _ in range(3))
    (record,) = caplog.records
    assert "tpos" in record.message and str(shape) in record.message
    with pytest.raises(ConfigError, match="tpos: rows of shape"):
        row_of(encoder(engine, strict=True), asked)


def test_the_sounds_edit_is_its_rows_in_full(prompts: PromptEncoder) -> None:
    tokens = sound(0.25)
    asked = replace(PLAIN, edits=Edits((SLOT,), audio=SOUND), tokens=tokens)
    whole = row_of(prompts, replace(PLAIN, word_gains=(), tokens=replace(tokens, amount=1.0)))
    assert same(prompts.edit_rows(asked, guided=False)[-1], whole)
    row = prompts.edit_rows(asked, guided=True)[-1]
    assert row is not None and torch.equal(row.text[0, 1:], torch.tensor(tokens.rows))
    assert torch.equal(row.text[:, 0], prompts.encoded("red").embedding[:, 0]) and set(row.token_gain[0].tolist()) == {
        1
    }


@pytest.mark.parametrize("guided", [False, True])
def test_what_is_not_heard_has_no_row(prompts: PromptEncoder, guided: bool) -> None:
    def heard(**how: Any) -> list[bool]:
        return [row is not None for row in prompts.edit_rows(replace(PLAIN, **how), guided=guided)]

    off = Edit("", 0.5)
    assert heard(edits=Edits((off, SLOT, off, SLOT))) == [False, True, False, True, False, False]
    assert heard(edits=Edits(audio=SOUND)) == [False, False], "nobody plays a sound"
    assert heard(edits=Edits(audio=SOUND), tokens=sound(0.0)) == [False, True]
    assert heard(edits=Edits(audio=Edit("sound")), tokens=sound(0.5)) == [False, False]
    assert heard(edits=Edits(audio=SOUND), tokens=sound(1.0)) == [False, guided], "the prompt says it already"
    assert heard(edits=Edits(attention=THRESHOLDED)) == [True, False]
    assert heard(edits=Edits(attention=THRESHOLDED), word_gains=(("aurora", 1.0),)) == [False, False]
    assert heard(edits=Edits(attention=THRESHOLDED), tokens=sound(1.0)) == [False, False]


def test_thresholded_gains_play_in_their_own_row_alone(prompts: PromptEncoder) -> None:
    tokens = sound(0.25)
    asked = replace(PLAIN, edits=Edits((SLOT,), THRESHOLDED), tokens=tokens)
    text, attention, _ = prompts.edit_rows(asked, guided=False)
    assert same(attention, row_of(prompts, replace(PLAIN, tokens=tokens)))
    own = row_of(prompts, asked)
    assert torch.equal(own.text, attention.text) and set(own.token_gain[0].tolist()) == {1.0}  # type: ignore[union-attr]
    assert text is not None and torch.equal(text.token_gain, own.token_gain)


def test_a_word_that_is_not_there_is_named_there_too(engine: Engine) -> None:
    asked = replace(PLAIN, edits=Edits(attention=THRESHOLDED), word_gains=(("dog", 2.0),))
    with pytest.raises(ConfigError, match="'dog' is not in the prompt"):
        encoder(engine, strict=True).edit_rows(asked, guided=False)


def test_what_has_no_text_left_to_act_on_is_said_once(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    asked = replace(PLAIN, edits=Edits((SLOT,)), tokens=sound(1.0))
    prompts = encoder(engine)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            prompts.edit_rows(asked, guided=False)
    assert [record.message.split(" leaves ")[1].split()[0] for record in caplog.records] == ["no", "nothing"]
    assert all("tpos/amount 1" in record.message for record in caplog.records)
