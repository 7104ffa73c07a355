"""The shared policy-gradient core: tensors in, tensors out."""
