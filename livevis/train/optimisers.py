"""Muon for the matrices and AdamW for the rest: on a budget of minutes the steps are few, so each has to count."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn


def orthogonalise(matrices: Tensor, rounds: int = 5) -> Tensor:
    """Roughly the nearest semi-orthogonal ones of [..., m, n], by the quintic Newton-Schulz iteration (Jordan 2024)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    wide = matrices.to(torch.bfloat16)
    flipped = wide.shape[-2] > wide.shape[-1]
    wide = wide.mT.contiguous() if flipped else wide
    wide = wide / (wide.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(rounds):
        gram = wide @ wide.mT
        wide = a * wide + (b * gram + c * gram @ gram) @ wide
    return (wide.mT if flipped else wide).to(matrices.dtype)


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised; convolutions count as [out, in·k·k] matrices.

    The update is scaled to AdamW's usual size (Liu et al. 2025), so that one learning rate serves both. Matrices of one
    shape go together: one at a time, the many small products cost more than the network on a busy machine.
    """

    def __init__(self, params: Iterable[Tensor], lr: float = 1e-3, momentum: float = 0.95, weight_decay: float = 0.01):
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            shapes: dict[tuple[int, int], list[Tensor]] = {}
            for weight in group["params"]:
                if weight.grad is not None:
                    shapes.setdefault((len(weight), weight[0].numel()), []).append(weight)
            for shape, weights in shapes.items():
                self._update(weights, shape, group)

    def _update(self, weights: list[Tensor], shape: tuple[int, int], group: dict[str, Any]) -> None:
        moments = [self.state[w].setdefault("momentum", torch.zeros_like(w)) for w in weights]
        gradients = [weight.grad for weight in weights]
        torch._foreach_lerp_(moments, gradients, 1 - group["momentum"])
        ahead = torch._foreach_lerp(gradients, moments, group["momentum"])
        updates = orthogonalise(torch.stack([update.reshape(shape) for update in ahead]))
        torch._foreach_mul_(weights, 1 - group["lr"] * group["weight_decay"])
        scale = -group["lr"] * 0.2 * max(shape) ** 0.5
        for weight, update in zip(weights, updates, strict=True):
            weight.add_(update.view(weight.shape), alpha=scale)


class Optimiser:
    """Both optimisers as one, over the parts that learn; the outermost layers and all vectors go to AdamW."""

    def __init__(self, *parts: nn.Module, lr: float, muon: bool = True):
        matrices, rest = [], []
        for part in parts:
            for name, weight in part.named_parameters():
                inner = weight.ndim >= 2 and min(weight.flatten(1).shape) >= 16 and "embedding" not in name
                (matrices if muon and inner else rest).append(weight)
        self._weights = [*matrices, *rest]
        self._lr = lr
        self._all: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(rest, lr=lr, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
        ]
        if matrices:
            self._all.append(Muon(matrices, lr=lr))

    def step(self, loss: Tensor, scale: float) -> float:
        """Backward, clip, and a step at `scale` times the base rate; returns the gradient's norm before clipping."""
        self.zero()
        loss.backward()
        return self.apply(scale)

    def zero(self) -> None:
        """Forget the gradients."""
        for optimiser in self._all:
            optimiser.zero_grad(set_to_none=True)

    def apply(self, scale: float) -> float:
        """Clip the gradients that are there and step at `scale` times the base rate; returns their norm."""
        norm = torch.nn.utils.clip_grad_norm_(self._weights, 1.0, foreach=True)
        for optimiser in self._all:
            for group in optimiser.param_groups:
                group["lr"] = self._lr * scale
            optimiser.step()
        return float(norm)

    def state_dict(self) -> list[dict[str, Any]]:
        return [optimiser.state_dict() for optimiser in self._all]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        for optimiser, state in zip(self._all, states, strict=True):
            optimiser.load_state_dict(state)
            for group in optimiser.param_groups:
                group.update(optimiser.defaults)  # settings are the code's; only the moments are the checkpoint's


class Average:
    """Moving average of some parts' weights; its horizon grows with the step, so that early ones forget the start."""

    def __init__(self, *parts: nn.Module, decay: float):
        self._decay = decay
        everything = [weight for part in parts for weight in part.state_dict().values()]
        self._live = [weight for weight in everything if weight.is_floating_point()]
        self.weights = [weight.clone() for weight in self._live]

    @torch.no_grad()
    def update(self, step: int) -> None:
        keep = min(self._decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.weights, self._live, 1 - keep)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the live weights with the average; call it again to go back."""
        for mean, weight in zip(self.weights, self._live, strict=True):
            kept = weight.clone()
            weight.copy_(mean)
            mean.copy_(kept)


def rate(fraction: float, step: int, *, warm_up: int = 100, floor: float = 0.03) -> float:
    """Learning-rate factor: a linear warm-up in steps, then half a cosine over the stage's time, 0..1."""
    import math

    cosine = floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(max(fraction, 0.0), 1.0)))
    return min(1.0, (step + 1) / warm_up) * cosine


def balanced(pull: Tensor, *pushes: tuple[Tensor, float]) -> Tensor:
    """Gradient of a batch of pictures: an anchor's `pull` on its first rows, plus judges' pushes on all of them.

    Each push (gradient, amount) is scaled to `amount` times the pull's size a row, so that no side can run away from
    the others; only the direction counts with Adam, so the result has about unit size.
    """
    size = pull.square().mean().sqrt()
    whole = torch.zeros_like(pushes[0][0])
    for push, amount in pushes:
        whole += push * (amount * size / push.square().mean().sqrt().clamp_min(1e-12))
    whole[: len(pull)] += pull
    return whole / (size.clamp_min(1e-12) * whole.numel())


class Edge:
    """How far a judge is ahead, 0 (it cannot tell) to 1 (its margins are met): the part of its push that is heeded.

    A judge that cannot tell still has a gradient, and following that one draws squiggles.
    """

    def __init__(self) -> None:
        self.value = 0.0

    def update(self, says_real: Tensor, says_made: Tensor) -> None:
        self.follow(float((says_real.mean() - says_made.mean()).detach()) / 2)

    def follow(self, ahead: float) -> None:
        """Move a tenth of the way to `ahead`, which counts within 0..1."""
        self.value += 0.1 * (min(max(ahead, 0.0), 1.0) - self.value)

    def state_dict(self) -> dict[str, float]:
        return {"value": self.value}

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.value = state["value"]
