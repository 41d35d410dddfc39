# Copyright (c) 2026 hpc.pytorch contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one reader of GPU names and of Slurm's GRES types. No I/O. Private to hpc.pytorch.

The filter torch_build, the verdict of torch_info (expect_gpu), the inventory slurm and the report all read names here:
``read("nvidia_a100-sxm4-80gb")`` is an a100 with 80 GB. The rule is here. The names are data: name_table.py is
generated from plugin_utils/_torch_build/data/gpus.yml.
"""

from __future__ import annotations

import functools
import re
import typing as t

from . import name_table, slices
from .capabilities import is_capability
from .slices import Slice

_WORD = re.compile(r"[a-z0-9]+")
_BRAND = re.compile("|".join(name_table.BRAND))
_BOARD = re.compile("|".join(name_table.BOARD))
_MEMORY = re.compile(r"(\d{1,3})gi?b?")
_MIG = re.compile(r"mig\d*")
# A part of a GPU for a virtual machine (vGPU): GRID A100D-40C, and with MIG A100D-1-10C. The letters after the model
# are the vGPU's own: https://docs.nvidia.com/vgpu/latest/grid-vgpu-user-guide/
_VIRTUAL = re.compile(r"\d{1,3}[abcq](?:me)?")
_VIRTUAL_SUFFIX = re.compile(r"(?:dx|d|xm|xl|x|l|p)$")
# Gigabytes that a name may state without a unit, as in v100-32.
_BARE_MEMORY = ("8", "10", "11", "12", "16", "20", "24", "32", "40", "48", "64", "80", "94", "96", "141", "180", "192")
# The name of a superchip states the memory of its CPU: NVIDIA GH200 480GB.
_SUPERCHIP = re.compile(r"g[hb]\d+")
_AMD = re.compile(r"(amd|radeon|instinct|rocm)|mi\d{2,3}[a-z]?$|gfx\d")
# Words that sites write in one with a model: teslav100, l40spcie, a100mig.
_LUMPED = ("nvidia", "geforce", "tesla", "quadro", "grid", "gpu", "dgx", "hgx", "sxm", "pcie", "pci", "nvl", "mig")
# Longer words are not divided: the names come from other people.
_LONGEST = 40


class Models(t.NamedTuple):
    """The models that names are read as. All names are without brand, spaces and dashes: ``rtx2080ti``.

    :arg capabilities: the compute capability of each model.
    :arg ambiguous: a name that several models have, and these.
    """

    capabilities: t.Mapping[str, str] = name_table.MODELS
    ambiguous: t.Mapping[str, t.Sequence[str]] = name_table.AMBIGUOUS

    def called(self, name: str) -> tuple[str, ...]:
        """Return the models of that name; none if it is unknown."""
        if name in self.capabilities:
            return (name,)
        model = name_table.ALIASES.get(name, "")
        return (model,) if model in self.capabilities else tuple(self.ambiguous.get(name, ()))


KNOWN = Models()


class Reading(t.NamedTuple):
    """What a name means.

    :arg models: the models that it may mean; empty if nobody can know.
    :arg capabilities: theirs, or the one that the name is.
    :arg memory: GB of the whole GPU; None if the name does not state it.
    :arg slice: set if the name is that of a slice of a GPU.
    :arg likely: as *models*, but also if the name has further words that mean nothing here.
    """

    models: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    memory: int | None = None
    slice: Slice | None = None
    likely: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether the name says which GPU it is."""
        return bool(self.capabilities)


def words_of(name: str) -> list[str]:
    """Return the words of a name in lower case: ``A100-SXM4-80GB`` is ``["a100", "sxm4", "80gb"]``."""
    return _WORD.findall(name.lower())


def model_of(name: str) -> str:
    """Return a name without brand and board: ``Tesla V100-SXM2-32GB`` and ``v100-32gb`` are both ``v100``.

    A name that is nothing else, such as ``tesla``, is returned as it is.
    """
    words = words_of(name)
    return "".join([word for word in words if not _is_no_model(word)] or words)


def is_amd(name: str) -> bool:
    """Return whether a name is one of AMD's: ``mi250x``, ``amd_instinct_mi300a``."""
    return bool(_AMD.match(model_of(name)))


def read(name: str, models: Models = KNOWN) -> Reading:
    """Return what *name* means: a model in any spelling, a slice of one, a compute capability, or nothing known.

    Each word has to be known: ``a100-preempt`` may be anything.
    """
    return _read_known(name) if models is KNOWN else _read(name, models)


@functools.lru_cache(maxsize=256)
def _read_known(name: str) -> Reading:
    # A thousand nodes have a few names.
    return _read(name, KNOWN)


def _read(name: str, models: Models) -> Reading:
    text = name.strip().lower()
    if is_capability(text):
        return Reading(capabilities=(text,))
    found = slices.find(text)
    part, reading = None, _Reader(words_of(text), models).read()
    if found and (not reading.likely or any(_divides(model) for model in reading.likely)):
        part, rest = found
        reading = _Reader(words_of(rest), models).read()
    return reading._replace(slice=part or reading.slice)


class _Reader:
    """Reads the words of one name."""

    def __init__(self, words: t.Sequence[str], models: Models) -> None:
        self._models = models
        self._words, self._is_slice = list(words), False
        for index, word in enumerate(words):
            if index and _VIRTUAL.fullmatch(word) and not _MEMORY.fullmatch(word):
                self._strip_virtual(index)
                break

    def read(self) -> Reading:
        reading = self._try(self._words)
        if not reading.models:
            # Sites write words in one: teslav100, a100mig.
            pieces = [piece for word in self._words for piece in self._pieces(word)]
            again = self._try(pieces) if pieces != self._words else reading
            reading = again if again.likely or not reading.likely else reading
        return reading

    def _strip_virtual(self, index: int) -> None:
        base = self._words[:index]
        if base[-1] in ("1", "2", "3", "4", "7") and len(base) > 1:
            base, self._is_slice = base[:-1], True
        short = _VIRTUAL_SUFFIX.sub("", base[-1])
        # rtx8000p and a100d, but not the p of a word that is nothing without it.
        if any(self._models.called(other + short) for other in ("", "".join(base[:-1]))):
            base[-1] = short
        self._words = base

    def _try(self, words: t.Sequence[str]) -> Reading:
        memory = next((int(match.group(1)) for match in map(_MEMORY.fullmatch, words) if match), None)
        is_slice = self._is_slice or any(_MIG.fullmatch(word) for word in words)
        # A name that begins like a brand: dgx-spark.
        whole = self._models.called("".join(words))
        models, rest = (
            (whole, []) if len(whole) == 1 else self._model([word for word in words if not _is_no_model(word)])
        )
        if not models:
            return Reading(slice=Slice(memory=memory) if is_slice else None)
        bare = next(
            (int(word) for word in rest if word in _BARE_MEMORY or word.isdigit() and _divides(models[0])), None
        )
        unknown = [word for word in rest if not self._goes_with(word, models)]
        stated = memory if memory is not None else bare
        if stated is not None and not unknown and all(_divides(model) for model in models):
            # Less than a whole GPU has: a100_10gb, h100-47.
            small = stated < min(name_table.DIVISIBLE.get(model, 0) for model in models)
            is_slice = is_slice or (small and not any(map(_SUPERCHIP.fullmatch, models)))
            memory = None if small else memory
        if any(map(_SUPERCHIP.fullmatch, models)):
            memory = None
        capabilities = tuple(dict.fromkeys(self._models.capabilities[model] for model in models))
        part = Slice(memory=stated if memory is None else None) if is_slice else None
        if unknown:
            return Reading(memory=memory, slice=part, likely=models)
        return Reading(models, capabilities, memory, part, models)

    def _model(self, words: t.Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
        """Return the models in *words* and the other words: the longest run of words that is a name."""
        first: tuple[tuple[str, ...], list[str]] = ((), list(words))
        for length in range(len(words), 0, -1):
            for begin in range(len(words) - length + 1):
                models = self._models.called("".join(words[begin : begin + length]))
                if not models or (length > 1 and len(words[begin]) == 1):
                    continue
                rest = [*words[:begin], *words[begin + length :]]
                if all(self._goes_with(word, models) for word in rest):
                    return models, rest
                first = first if first[0] else (models, rest)
        return first

    def _goes_with(self, word: str, models: t.Sequence[str]) -> bool:
        """Whether a word next to a model changes nothing: its architecture, its memory, gtx or rtx."""
        if word in name_table.GENERATIONS:
            # An RTX 6000 of Blackwell is not the one of Turing.
            return any(self._models.capabilities[model] in name_table.GENERATIONS[word] for model in models)
        if word in ("gtx", "rtx") or word in _BARE_MEMORY:
            return True
        return word.isdigit() and len(word) <= 3 and int(word) > 3 and all(_divides(model) for model in models)

    def _pieces(self, word: str) -> list[str]:
        """Divide a word into known ones: ``teslav100`` is ``["tesla", "v100"]``. Others are returned whole."""
        if len(word) > _LONGEST or self._models.called(word) or _is_no_model(word):
            return [word]
        # By position from the end: how the rest of the word is divided.
        divided: dict[int, list[str]] = {len(word): []}
        for begin in range(len(word) - 1, -1, -1):
            for end in range(len(word), begin, -1):
                if end in divided and self._is_piece(word[begin:end]):
                    divided[begin] = [word[begin:end], *divided[end]]
                    break
        return divided.get(0, [word])

    def _is_piece(self, piece: str) -> bool:
        return bool(
            self._models.called(piece)
            or piece in name_table.GENERATIONS
            # Only some words: migrate has nothing to do with mig.
            or ((not piece.isalpha() or piece in _LUMPED) and _is_no_model(piece))
        )


def _divides(model: str) -> bool:
    """Whether MIG divides a model; a site's own is taken for one."""
    return model in name_table.DIVISIBLE or model not in name_table.MODELS


def _is_no_model(word: str) -> bool:
    return bool(_BRAND.fullmatch(word) or _BOARD.fullmatch(word) or _MEMORY.fullmatch(word) or _MIG.fullmatch(word))
