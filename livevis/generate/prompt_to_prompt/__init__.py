"""Prompt-to-Prompt (Hertz et al. 2022) in value space: every edit of its maps, as fused and compiled attention play it.

An edit multiplies the attention maps A [n, tokens] from the right, so it is one on the value rows: (A M) V = A (M V).
`values` the algebra · `edits` the edits of one call · `words` which tokens, when, how much · `alignment` tokens of one
prompt to those of another · `blend` LocalBlend · `affine` AADiff with one row · `processor` what a UNet is given.
"""
