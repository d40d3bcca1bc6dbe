"""A byte-level BPE vocabulary in CLIP's layout, learnt from captions (Sennrich et al. 2016; `</w>` ends a word)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

BOS, EOS = "<|startoftext|>", "<|endoftext|>"
_WORD = re.compile(r"[^\W\d_]+|\d|[^\s\w]+|_+")

Pair = tuple[str, str]


def byte_alphabet() -> dict[int, str]:
    """The printable stand-in of each of the 256 bytes that GPT-2 and CLIP share, in CLIP's order."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in printable]
    stand_ins = [*map(chr, printable), *(chr(256 + place) for place in range(len(rest)))]
    return dict(zip([*printable, *rest], stand_ins, strict=True))


def _pieces(word: str) -> tuple[str, ...]:
    """One word as byte symbols, the last one marked as the word's end."""
    alphabet = byte_alphabet()
    symbols = [alphabet[byte] for byte in word.encode()]
    return (*symbols[:-1], symbols[-1] + "</w>")


def _merge(pieces: tuple[str, ...], pair: Pair) -> tuple[str, ...]:
    merged: list[str] = []
    place = 0
    while place < len(pieces):
        if pieces[place : place + 2] == pair:
            merged.append(pair[0] + pair[1])
            place += 2
        else:
            merged.append(pieces[place])
            place += 1
    return tuple(merged)


def learn_merges(captions: Iterable[str], count: int) -> list[Pair]:
    """Up to `count` merges, most frequent pair first; ties break by spelling: a function of the captions alone."""
    words = Counter(word for caption in captions for word in _WORD.findall(caption.lower()))
    split = {word: _pieces(word) for word in words}
    merges: list[Pair] = []
    while len(merges) < count:
        pairs: Counter[Pair] = Counter()
        for word, pieces in split.items():
            for pair in pairwise(pieces):
                pairs[pair] += words[word]
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        split = {word: _merge(pieces, best) for word, pieces in split.items()}
    return merges


def build_tokenizer(captions: Iterable[str], *, vocabulary: int, positions: int) -> Any:
    """A transformers CLIPTokenizer with at most `vocabulary` entries; bos and eos come last, as in CLIP."""
    from transformers import CLIPTokenizer

    alphabet = list(byte_alphabet().values())
    merges = learn_merges(captions, vocabulary - 2 * len(alphabet) - 2)
    names = [
        *alphabet,
        *(symbol + "</w>" for symbol in alphabet),
        *("".join(pair) for pair in merges),
        BOS,
        EOS,
    ]
    return CLIPTokenizer(
        vocab={name: place for place, name in enumerate(dict.fromkeys(names))},
        merges=merges,
        model_max_length=positions,
    )


def load_tokenizer(folder: Path, *, positions: int) -> Any:
    """The CLIPTokenizer whose files are in `folder`."""
    from transformers import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(folder, local_files_only=True, model_max_length=positions)


def vocabulary_files(tokenizer: Any) -> tuple[dict[str, int], list[str]]:
    """What vocab.json and merges.txt hold, the two files that every version of the class reads."""
    model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    return model["vocab"], ["#version: 0.2", *merges]
