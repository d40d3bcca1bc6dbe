"""TPoS as the sound comes in: a ring of segment embeddings, and the LSTM run again over each window.

Every `stride` columns the newest segment goes through the ResNet once and is kept; a window is the entries now, one
segment ago, two ago …, and the LSTM starts on it from a zero state. So every answer is the offline one of the window
that ends there, and nothing that was learnt for a window is asked of a state that has run for hours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from livevis.embed.tpos import mel
from livevis.embed.tpos.network import Listening, Tpos

F32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """What a window says at its end.

    sample: one past the newest sample it used, at the shape's rate; states float32 [N, width], unit vectors, the
    newest last; logits float32 [N] of the temporal attention.
    """

    sample: int
    states: F32
    logits: F32


@dataclass(frozen=True, slots=True, eq=False)
class CausalState:
    """The mel's state, the newest columns dB [columns, bands], segment embeddings [entries, width], oldest first."""

    mel: mel.MelState
    columns: F32
    ring: Tensor


@torch.inference_mode()
def init(model: Tpos) -> CausalState:
    """A stream that begins now; the columns before its first are silent."""
    shape = model.shape
    silence = np.full((shape.columns, shape.bands), mel.SILENT_DB, np.float32)
    entries = (shape.segments - 1) * _apart(model) + 1
    return CausalState(mel.init(shape), silence, _embed(model, silence).expand(entries, -1).clone())


@torch.inference_mode()
def step(model: Tpos, state: CausalState, samples: F32) -> tuple[CausalState, list[Window]]:
    """Take mono samples at the shape's rate, any number; return the windows that have ended, in order. [embed]

    The same windows whatever the block size, bit for bit; `model` must be in evaluation mode.
    """
    stride, first = model.shape.stride, state.mel.made
    heard, fresh = mel.step(state.mel, samples)
    columns = np.concatenate([state.columns, fresh])
    ring, windows = state.ring, []
    for made in range(first + 1, heard.made + 1):
        if made % stride == 0:
            end = len(state.columns) + made - first
            newest = _embed(model, columns[end - model.shape.columns : end])
            ring = torch.cat([ring[1:], newest])
            windows.append(_window(model, ring, replace(heard, made=made).sample))
    return CausalState(heard, columns[-model.shape.columns :].copy(), ring), windows


def _window(model: Tpos, ring: Tensor, sample: int) -> Window:
    heard: Listening = model.encoder.listen(ring[:: _apart(model)][None])
    return Window(sample, heard.states[0].float().cpu().numpy(), heard.logits[0].float().cpu().numpy())


def _embed(model: Tpos, columns: F32) -> Tensor:
    weight = model.encoder.embedding.weight
    out: Tensor = model.encoder.embed(torch.from_numpy(columns)[None].to(weight.device, weight.dtype))
    return out


def _apart(model: Tpos) -> int:
    """Entries of the ring from one segment of a window to the next."""
    return model.shape.columns // model.shape.stride


@torch.inference_mode()
def speak(model: Tpos, vector: npt.NDArray[np.floating]) -> F32:
    """MAP of one vector c [width] → rows float32 [tokens - 1, text_width]."""
    weight = model.map.inner.weight
    rows = model.map(torch.from_numpy(np.asarray(vector, np.float32))[None].to(weight.device, weight.dtype))
    out: F32 = rows[0].float().cpu().numpy()
    return out
