"""TPoS's audio encoder and its map to text-condition rows, one module for every size (Jeong et al., ICCV 2023).

Mel segments → ResNet18 → w_n → LSTM from a zero state → s_n on the unit sphere → temporal attention (TAM)
α = softmax over the window, o = Σ α_n s_n; MAP turns o, or live c = N^k α^k s, into token rows 1..T-1.

Where this parts from the paper and from the released code (ku-vai/TPoS at 8be5e12):
- the LSTM is fed w_n, as the released code does; the paper's figure says w_{n-1};
- MAP has no GELU after its last layer (the code has: its rows cannot go below -0.17, text states are signed), and no
  dropout;
- nothing is cropped or shifted at random: the same sound gives the same rows;
- it is trained with exp(cos / 0.07), scale 14.3; the code multiplies by exp(0.07) = 1.07 (see livevis.train.tpos);
- segments are taken from mels of one kind in training and in play, as dB / 80 + 1; the code plays on resized spectra.
Kept as it is: MAP learns on o, whose length is at most 1, and is played with c, whose length is the gain to the k.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from livevis.embed.tpos.shape import TposShape


class Listening(NamedTuple):
    """What a window says: states s float32 [B, N, width] of length one, logits and attention α [B, N]."""

    states: Tensor
    logits: Tensor
    attention: Tensor

    @property
    def summary(self) -> Tensor:
        """o = Σ α_n s_n [B, width]."""
        return torch.einsum("bn,bnd->bd", self.attention, self.states)

    def tokens(self, k: float = 1.0) -> Tensor:
        """c_n = N^k α_n^k s_n for the whole window at once [B, N, width]: what the paper plays, knowing the future."""
        gains: Tensor = (self.attention.shape[1] * self.attention) ** k
        return gains[..., None] * self.states


class AudioEncoder(nn.Module):
    """Segments of mel columns → Listening; `embed` and `listen` are its two halves, for windows that overlap."""

    def __init__(self, shape: TposShape):
        super().__init__()
        self.colours = nn.Conv2d(1, 3, 3)
        self.resnet = _resnet(shape)
        self.embedding = nn.Linear(shape.stages[-1], shape.width)
        self.lstm = nn.LSTM(shape.width, shape.width, batch_first=True)
        self.attention = nn.Linear(shape.width, 1)

    def embed(self, segments: Tensor) -> Tensor:
        """Decibels [B, columns, bands] → w [B, width], each segment by itself."""
        pictures = (segments / 80 + 1).mT[:, None]
        seen: Tensor = self.resnet(self.colours(pictures)).pooler_output
        out: Tensor = self.embedding(seen.flatten(1))
        return out

    def listen(self, embedded: Tensor) -> Listening:
        """w [B, N, width] in order, oldest first → what the window says."""
        states = functional.normalize(self.lstm(embedded)[0], dim=-1)
        logits = self.attention(states).squeeze(-1)
        return Listening(states, logits, logits.softmax(1))

    def forward(self, segments: Tensor) -> Listening:
        """Decibels [B, N, columns, bands] → Listening."""
        return self.listen(self.embed(segments.flatten(0, 1)).reshape(*segments.shape[:2], -1))


class ConditionMap(nn.Module):
    """MAP: [B, width] → rows 1..T-1 of the text condition [B, tokens - 1, text_width]; row 0 stays the text's own."""

    def __init__(self, shape: TposShape):
        super().__init__()
        self.size = (shape.tokens - 1, shape.text_width)
        self.inner = nn.Linear(shape.width, shape.hidden)
        self.outer = nn.Linear(shape.hidden, self.size[0] * self.size[1])

    def forward(self, vectors: Tensor) -> Tensor:
        rows: Tensor = self.outer(functional.gelu(self.inner(vectors)))
        return rows.reshape(-1, *self.size)


class Tpos(nn.Module):
    """The encoder and MAP, which are trained, saved and played together."""

    def __init__(self, shape: TposShape):
        super().__init__()
        self.shape = shape
        self.encoder = AudioEncoder(shape)
        self.map = ConditionMap(shape)

    def segments(self, mels: Tensor) -> Tensor:
        """Decibels [B, frames, bands] of one window each → [B, N, columns, bands]."""
        return mels.reshape(len(mels), self.shape.segments, self.shape.columns, -1)

    def forward(self, mels: Tensor) -> tuple[Listening, Tensor]:
        """Decibels [B, frames, bands] → what is heard, and MAP(o) [B, tokens - 1, text_width]."""
        heard: Listening = self.encoder(self.segments(mels))
        return heard, self.map(heard.summary)


def build(shape: TposShape, *, seed: int) -> Tpos:
    """A fresh Tpos with weights drawn from `seed`."""
    torch.manual_seed(seed)
    return Tpos(shape)


def _resnet(shape: TposShape) -> Any:
    """transformers' ResNetModel in ResNet18's form: two basic blocks a stage."""
    from transformers import ResNetConfig, ResNetModel

    return ResNetModel(
        ResNetConfig(
            num_channels=3,
            embedding_size=shape.stem,
            hidden_sizes=list(shape.stages),
            depths=list(shape.blocks),
            layer_type="basic",
        )
    )
