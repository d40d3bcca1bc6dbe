"""The vocabulary: CLIP's layout, a round trip, and the same result for the same captions."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livevis.train import words

CAPTIONS = ("a raging blue fire at night, wide shot", "calm ocean waves at sunset", "neon tunnel in the dark")


@pytest.fixture(scope="module")
def tokenizer():
    return words.build_tokenizer(CAPTIONS, vocabulary=640, positions=32)


def test_known_words_are_one_token_each(tokenizer):
    ids = tokenizer("calm blue fire at sunset")["input_ids"]
    assert tokenizer.convert_ids_to_tokens(ids) == [
        words.BOS, "calm</w>", "blue</w>", "fire</w>", "at</w>", "sunset</w>", words.EOS,
    ]  # fmt: skip


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=0x2FF, categories=("Ll",)), min_size=1))
@settings(max_examples=60, deadline=None)
def test_any_word_survives_the_round_trip(tokenizer, word):
    expected = tokenizer.backend_tokenizer.normalizer.normalize_str(word)
    assert tokenizer.decode(tokenizer(word)["input_ids"], skip_special_tokens=True) == expected


def test_padding_is_the_end_token_and_the_length_is_fixed(tokenizer):
    ids = tokenizer("fire", padding="max_length", max_length=32, truncation=True)["input_ids"]
    assert len(ids) == 32
    assert ids[0] == tokenizer.bos_token_id
    assert set(ids[2:]) == {tokenizer.eos_token_id}


def test_merges_depend_on_the_captions_only():
    assert words.learn_merges(CAPTIONS, 80) == words.learn_merges(reversed(CAPTIONS), 80)


def test_the_two_classic_files_rebuild_the_same_tokenizer(tokenizer, tmp_path):
    from transformers import CLIPTokenizer

    vocabulary, merges = words.vocabulary_files(tokenizer)
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (tmp_path / "merges.txt").write_text("\n".join(merges) + "\n", encoding="utf-8")
    again = CLIPTokenizer.from_pretrained(tmp_path)
    for caption in (*CAPTIONS, "an unheard-of word"):
        assert again(caption)["input_ids"] == tokenizer(caption)["input_ids"]
