"""What the image systems share: diffusion backbones, their noise schedule, their pretraining."""
