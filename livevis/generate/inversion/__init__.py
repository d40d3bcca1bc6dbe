"""A real picture as the start of a multi-step model's trajectory, and its frames as edits of it: `render` only.

`ddim` the deterministic steps, down and up · `null_text` empty-prompt embeddings under which guidance leads back to
the picture · `network` the UNet as both need it · `course` the base picture's trajectory and its edits · `generator`
the same as a generator.
"""
