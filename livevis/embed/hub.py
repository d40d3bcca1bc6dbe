"""A CLAP by its name on the Hugging Face hub: from the local cache, else fetched once, and only what is needed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from livevis.core.errors import EngineError

Say = Callable[[str], None]

_NAME = re.compile(r"([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@([\w./-]+))?")
_CONFIG = "config.json"
_AROUND = (
    _CONFIG, "preprocessor_config.json", "processor_config.json", "tokenizer.json", "tokenizer_config.json",
    "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt",
)  # fmt: skip
_SAFE = ("model.safetensors", "model.safetensors.index.json", "model-*-of-*.safetensors")
_PICKLED = ("pytorch_model.bin", "pytorch_model.bin.index.json", "pytorch_model-*-of-*.bin")


def hub_name(named: str) -> tuple[str, str | None] | None:
    """(owner/name, revision) where `named` is `owner/name[@revision]` and no folder of that path exists, else None."""
    found = _NAME.fullmatch(named)
    return (found[1], found[2]) if found and not Path(named).is_dir() else None


def snapshot(named: str, *, check: Callable[[Path], None], say: Say) -> Path:
    """The folder of the hub's `named`; the cache is asked first, and the hub only where the cache lacks a file.

    check: raises for a folder whose config.json is of another class, before weights are fetched. say: is told what is
    being fetched. Raises EngineError in one line. May take minutes.
    """
    repo, revision = hub_name(named) or (named, None)
    folder = _cached(repo, revision)
    if folder is None or not complete(folder):
        say(f"fetching {named} from the hub ...")
        folder = _fetched(repo, revision, check)
    if not complete(folder):
        lacking = "a ClapModel's weights, tokenizer or extractor are not all there, and the hub gave no more"
        raise EngineError(f"nothing is heard: {named}: {lacking}")
    return folder


def complete(folder: Path) -> bool:
    """Whether everything lies in `folder` that ClapModel and ClapProcessor read; a broken link is not there."""
    extractor = any((folder / name).is_file() for name in ("preprocessor_config.json", "processor_config.json"))
    words = (folder / "tokenizer.json").is_file() or all(
        (folder / name).is_file() for name in ("vocab.json", "merges.txt")
    )
    return (folder / _CONFIG).is_file() and extractor and words and (_whole(folder, _SAFE) or _whole(folder, _PICKLED))


def _whole(folder: Path, weights: tuple[str, ...]) -> bool:
    """Whether the one file of weights is there, or all that the index lists."""
    one, index, _ = weights
    if (folder / one).is_file() or not (folder / index).is_file():
        return (folder / one).is_file()
    try:
        parts = json.loads((folder / index).read_text(encoding="utf-8"))["weight_map"].values()
    except (ValueError, KeyError):  # half an index is none
        return False
    return all((folder / part).is_file() for part in parts)


def _fetched(repo: str, revision: str | None, check: Callable[[Path], None]) -> Path:
    """Config first, then the rest of the same commit; pickled weights only where there are no others."""
    folder = _download(repo, revision, (_CONFIG,))
    check(folder)
    folder = _download(repo, folder.name, (*_AROUND, *_SAFE))
    return folder if _whole(folder, _SAFE) else _download(repo, folder.name, _PICKLED)


def _cached(repo: str, revision: str | None) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repo, revision=revision, allow_patterns=[_CONFIG], local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None


def _download(repo: str, revision: str | None, files: tuple[str, ...]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    try:
        return Path(snapshot_download(repo, revision=revision, allow_patterns=list(files)))
    except Exception as error:
        raise _refused(repo, revision, error) from error


def _refused(repo: str, revision: str | None, error: Exception) -> EngineError:
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(error, GatedRepoError):
        why = "its owner asks for a login first (hf auth login)"
    elif isinstance(error, RepositoryNotFoundError):
        why = "the hub has no such model, and there is no such folder"
    elif isinstance(error, RevisionNotFoundError):
        why = f"it has no revision '{revision}'"
    elif isinstance(error, HFValidationError):
        why = f"no name on the hub: {error}"
    else:
        cause = error.__cause__ or error
        why = f"it is not in the cache and cannot be fetched: {type(cause).__name__}: {str(cause).strip()}"
    return EngineError(f"nothing is heard: {repo}: {' '.join(why.split())}")
