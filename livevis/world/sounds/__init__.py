"""The sounds of the world: one synthesiser per scene that can be heard, five distractors, and their words."""

from livevis.world.sounds.captions import mix_caption, sound_caption
from livevis.world.sounds.table import SOUNDS, Sound, synthesise

__all__ = ["SOUNDS", "Sound", "mix_caption", "sound_caption", "synthesise"]
