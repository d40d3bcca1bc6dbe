"""Gains under which a caption is true: where they stand, and that they say the picture's own intensity."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from livevis.generate.text import spans
from livevis.train import words
from livevis.train.prompts import GAINED, PLAIN, gain_row, gained, prompts, told_palettes, wordings
from livevis.world.captions import HIGHEST_GAIN, played_intensity
from livevis.world.scenes import captions_for, draw


@pytest.fixture(scope="module")
def tokenizer():
    texts = [draw(0, index).caption.text for index in range(400)]
    return words.build_tokenizer(texts, vocabulary=1500, positions=32)


@given(st.integers(0, 3000), st.integers(0, 50))
@settings(max_examples=80, deadline=None)
def test_a_gained_wording_plays_the_intensity_of_the_picture(index, seed):
    drawn = draw(0, index)
    wording = gained(drawn, np.random.default_rng(seed))
    caption = wording.caption
    place = next(
        part for part, both in enumerate(zip(caption.nouns, caption.strengths, strict=True)) if wording.word in both
    )
    assert 0 <= wording.gain <= HIGHEST_GAIN
    played, true = played_intensity(caption.bands[place], wording.gain), drawn.parts[place].inputs["intensity"]
    assert played == pytest.approx(true, abs=1e-3) or (wording.gain == HIGHEST_GAIN and played <= true)


@given(st.integers(0, 2000))
@settings(max_examples=60, deadline=None)
def test_gains_stand_on_the_tokens_of_their_word_and_nowhere_else(tokenizer, index):
    wording = gained(draw(0, index), np.random.default_rng(index))
    pieces = tokenizer.convert_ids_to_tokens(tokenizer(wording.caption.text)["input_ids"])
    wanted = tokenizer.tokenize(wording.word)
    row = gain_row(pieces, wanted, 2.5)
    (place, *_) = spans(pieces, wanted)
    assert row[place : place + len(wanted)] == [2.5] * len(wanted)
    assert row.count(2.5) == len(wanted) * len(spans(pieces, wanted))
    assert row[0] == row[-1] == 1.0


def test_half_the_wordings_are_plain_and_half_have_a_gain(tokenizer):
    draws = [draw(0, index) for index in range(60)]
    made = prompts(tokenizer, draws, positions=32, seed=0)
    assert made.ids.shape == made.gains.shape == (60, PLAIN + GAINED, 32)
    assert bool((made.gains[:, :PLAIN] == 1).all())
    # A gain can happen to be 1 or to round to it, but hardly ever does.
    assert float((made.gains[:, PLAIN:] != 1).any(dim=-1).float().mean()) > 0.9
    assert torch.equal(made.gains, prompts(tokenizer, draws, positions=32, seed=0).gains)
    assert not bool(made.palettes[[len(drawn.parts) == 1 for drawn in draws], :, 1].any())


def test_no_caption_is_longer_than_the_text_model(tokenizer):
    rng = np.random.default_rng(0)
    texts = [said.caption.text for index in range(300) for said in wordings(draw(0, index), rng)]
    unknown_free = words.build_tokenizer(texts, vocabulary=4096, positions=32)
    assert max(len(unknown_free(text)["input_ids"]) for text in texts) <= 32


def test_a_palette_is_told_where_its_word_stands_by_the_noun():
    rng = np.random.default_rng(1)
    told = 0
    for index in range(200):
        drawn = draw(0, index)
        caption = captions_for(drawn, rng)
        for part, known in zip(drawn.parts, told_palettes(drawn, caption), strict=True):
            told += known
            assert not known or part.scene
    assert 80 < told < 240
