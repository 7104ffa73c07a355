"""Identity images: a diffusion policy, a recogniser's reward, DPOK (arXiv:2604.07884)."""
