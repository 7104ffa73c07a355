import pytest
import sklearn.ensemble  # noqa: F401 - brings OpenMP
from threadpoolctl import threadpool_info, threadpool_limits

from reinforge.measure.threads import MANY_ROWS, threads_for


def n_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "openmp"}


@pytest.mark.parametrize(("n_rows", "wanted"), [(200, {1}), (MANY_ROWS, {3})])
def test_few_rows_are_judged_on_one_thread_and_many_on_all(n_rows, wanted):
    with threadpool_limits(limits=3):
        with threads_for(n_rows):
            assert n_threads() == wanted
        assert n_threads() == {3}
