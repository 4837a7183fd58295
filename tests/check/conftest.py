"""What all tests of checks share: one ear, and answers that no check may trip over."""

import pytest
import torch


@pytest.fixture
def hear(capsys):
    """Return a function that gives an answer to an exercise `times` times and returns all that is said, in one line."""

    def listen(exercise, *answer, times=1):
        capsys.readouterr()
        for _ in range(times):
            exercise(*answer)
        return " ".join(capsys.readouterr().out.split())

    return listen


@pytest.fixture(
    params=[7, "text", torch.zeros(2), {}, [], object(), lambda: 1, lambda *x: "no", lambda *x: (1, 2)],
    ids=["number", "text", "tensor", "dict", "list", "object", "no input", "returns text", "returns a pair"],
)
def nonsense(request):
    """Give answers that are no answers: a check hints at what is asked, and never raises."""
    return request.param


@pytest.fixture(params=[None, ..., lambda *inputs: None], ids=["None", "dots", "empty function"])
def stub(request):
    """Give what stands in a lab before anyone has worked on it: the check stays red."""
    return request.param
