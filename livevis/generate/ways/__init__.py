"""The ways of playing the prompt's row in a frame; which one, the attention controls say.

`way` the contract and the plain way, own maps · `injected` base maps, with the affine cache · `reworded` another
wording and LocalBlend, two rows in a batch · `wording` what that is in tensors · `choice` which way a frame takes.
"""
