"""Conditioning → picture: few-step latent diffusion over runners."""
