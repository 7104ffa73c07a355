import pytest
from drawn_pictures import drawn_set


@pytest.fixture
def images():
    return drawn_set()


@pytest.fixture
def draw_set():
    return drawn_set
