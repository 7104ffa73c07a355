"""Groups of people in pictures: who belongs to which."""

from collections import Counter

import numpy as np
from jaxtyping import Int

from reinforge.records import ImageSet


def people_by_group(images: ImageSet) -> dict[str, Int[np.ndarray, " person"]]:
    """People of each group, groups by name; a person's group is that of most of the pictures."""
    if images.group is None:
        return {}
    of_person = {
        int(person): Counter(
            images.group[at] for at in np.flatnonzero(images.identity == person)
        ).most_common(1)[0][0]
        for person in np.unique(images.identity)
    }
    return {
        group: np.array([p for p, own in of_person.items() if own == group], dtype=np.int64)
        for group in sorted(set(of_person.values()))
    }
