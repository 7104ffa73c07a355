"""How many pictures to draw of whom, so that groups are level: real and synthetic together."""

import numpy as np

from reinforge.data.image_groups import people_by_group
from reinforge.errors import InputError
from reinforge.records import ImageSet


def group_amounts(real: ImageSet, per_identity: int) -> dict[str, int]:
    """As many pictures in all as `per_identity` of each, more of them for groups that have fewer.

    One picture of each person first; then each goes to the group whose real and synthetic pictures
    are fewest, and inside the group to whom has the fewest synthetic ones, of these to whom has
    the fewest real ones. A group that is ahead even so stays ahead: nothing real is left out.

    Args:
        real: The pictures that were learnt, with their groups.
        per_identity: Of each person on average, 1 or more.

    Returns:
        Name of each person -> pictures to draw, in the order of `real.names`.

    Raises:
        InputError: Groups are not known, or there is but one; a number below 1.
    """
    groups = list(people_by_group(real).values())
    if len(groups) < 2:
        known = "groups are not known" if not groups else "all people are of one group"
        raise InputError(
            f"balance=group: {known}; give pictures as GROUP/IDENTITY/PICTURE (layout groups) or a "
            "table with a column 'group', or leave balance out."
        )
    if per_identity < 1:
        raise InputError(f"sample: at least 1 picture an identity, got {per_identity}.")
    n_real = np.bincount(real.identity, minlength=len(real.names))
    drawn = np.array([len(people) for people in groups])
    held = np.array([n_real[people].sum() for people in groups]) + drawn
    for _ in range((per_identity - 1) * int(drawn.sum())):
        last = int(held.argmin())
        drawn[last] += 1
        held[last] += 1
    amounts: dict[int, int] = {}
    for people, n_drawn in zip(groups, drawn, strict=True):
        each, further = divmod(int(n_drawn), len(people))
        fewest = people[np.argsort(n_real[people], kind="stable")]
        amounts |= {int(who): each + (at < further) for at, who in enumerate(fewest)}
    return {name: amounts[at] for at, name in enumerate(real.names) if at in amounts}
