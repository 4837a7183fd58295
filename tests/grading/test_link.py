"""Functions that are called over a pipe behave as if they were here: values, errors, gradients, random numbers."""

import threading
from multiprocessing import Pipe

import pytest
import torch
from torch import nn

from sepbook.check import CheckFailure, NotYet, call, expect_gradient
from sepbook.grading.codec import CannotPass, Packer, Unpacker
from sepbook.grading.link import Gone, Link
from sepbook.grading.marker import borrowed
from sepbook.grading.student import describe


@pytest.fixture
def lend():
    """Return a function that gives another one as the marker gets it: over a pipe."""
    ends = []

    def lent(function):
        ours, theirs = Pipe()
        far = Link(theirs, {"get": lambda: [function, describe(function)]})
        far.handlers["bundle"] = far.unbundled
        threading.Thread(target=far.serve, daemon=True).start()
        ends.append(ours)
        return borrowed(*Link(ours, ships=True).ask("get"))

    yield lent
    for end in ends:
        end.close()


def test_values_and_signature(lend):
    def apply(x, gain=2.0):
        return x * gain, {"gain": gain}

    far = lend(apply)
    y, about = call(far, torch.ones(2))
    assert torch.equal(y, torch.full((2,), 2.0)) and about == {"gain": 2.0} and far.__name__ == "apply"
    with pytest.raises(CheckFailure, match="cannot be called with 3"):
        call(far, 1, 2, 3)


def test_stubs_and_errors_are_told_apart(lend):
    def stub(x):
        """To be written."""

    def fails(x):
        return x[7]

    def leaves(x):
        raise SystemExit(0)

    with pytest.raises(NotYet):
        call(lend(stub), 1)
    with pytest.raises(CheckFailure, match="IndexError"):
        call(lend(fails), torch.ones(2))
    with pytest.raises(CheckFailure, match="SystemExit"):
        call(lend(leaves), 1)


def test_gradients_flow_through_the_pipe_and_back(lend):
    x = torch.randn(3, 4, requires_grad=True)
    for function in (lambda x: x.sigmoid() * x, lambda x: (x**2).sum(), lambda x: [x * 2, x.detach()][0]):
        (here,) = torch.autograd.grad(function(x).sum(), x)
        (there,) = torch.autograd.grad(call(lend(function), x).sum(), x)
        assert torch.allclose(here, there)
    with pytest.raises(CheckFailure, match="cut off"):
        expect_gradient(call(lend(lambda x: x.detach()), x), x)


def test_a_function_that_is_handed_over_is_called_back_with_gradients(lend):
    seen = []

    def network(x):
        seen.append(tuple(x.shape))
        return x.tanh()

    x = torch.randn(2, 3, requires_grad=True)
    y = call(lend(lambda f, x: f(2 * x) + x), network, x)
    (found,) = torch.autograd.grad(y.sum(), x)
    assert seen == [(2, 3)] and torch.allclose(found, 2 * (1 - (2 * x).tanh() ** 2) + 1)


def test_networks_are_shipped_and_their_weights_come_back(lend):
    def train(network, optimizer, x):
        optimizer.zero_grad()
        network(x).square().sum().backward()
        optimizer.step()
        network.eval()
        return 1.0

    network, twin = nn.Linear(3, 2), nn.Linear(3, 2)
    twin.load_state_dict(network.state_dict())
    x = torch.randn(4, 3)
    train(twin, torch.optim.SGD(twin.parameters(), lr=0.1), x)
    lend(train)(network, torch.optim.SGD(network.parameters(), lr=0.1), x)
    assert torch.equal(network.weight, twin.weight) and not network.training


def test_slopes_reach_the_weights_of_a_shipped_network(lend):
    network, x = nn.Linear(3, 2), torch.randn(4, 3)
    lend(lambda network, x: network(x).relu())(network, x).sum().backward()
    found = network.weight.grad.clone()
    network.zero_grad()
    network(x).relu().sum().backward()
    assert torch.allclose(found, network.weight.grad)


@pytest.mark.parametrize(
    ("change", "value"),
    [(lambda x: x.mul_(2), torch.ones(3)), (lambda x: x.append(1), [0]), (lambda x: x.clear(), {"a": 1})],
    ids=["tensor", "list", "dict"],
)
def test_inputs_that_were_changed_are_changed_here_too(lend, change, value):
    lend(change)(value)
    assert list(value) in ([2, 2, 2], [0, 1], [])


def test_random_numbers_are_those_of_this_side(lend):
    far = lend(lambda n: torch.rand(n))
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    assert torch.equal(far(4), expected)


def test_a_network_as_a_result_does_not_pass(lend):
    with pytest.raises(CannotPass):
        lend(lambda: nn.Linear(2, 2))()


@pytest.mark.parametrize(
    "answer",
    [b"\x80\x04N.", b"", b"\x02\0\0\0[]", b'\x13\0\0\0{"list":["ask","x"]}', b'\x11\0\0\0{"list":["answer"]}'],
)
def test_what_is_no_answer_ends_the_talk(answer):
    ours, theirs = Pipe()
    theirs.send_bytes(answer)
    with pytest.raises(Gone):
        Link(ours).ask("run", "1")


@pytest.mark.parametrize("kind", ["answer", "error"])
def test_an_answer_that_nobody_asked_for_ends_the_talk(kind):
    ours, theirs = Pipe()
    theirs.send_bytes(Packer().pack([kind, 1, "passed"]))
    with pytest.raises(Gone, match="nobody"):
        Link(ours).ask("run", "1")
    near, far = Pipe()

    def replay():  # the right answer, and the same once more
        message = Unpacker().unpack(far.recv_bytes())
        for _ in range(2):
            far.send_bytes(Packer().pack(["answer", message[1], 7]))

    threading.Thread(target=replay, daemon=True).start()
    link = Link(near)
    assert link.ask("run") == 7
    with pytest.raises(Gone, match="nobody"):
        link.ask("run")


def test_the_student_may_ask_for_nothing_but_what_was_lent():
    ours, theirs = Pipe()
    near, far = Link(ours), Link(theirs, {"run": lambda: far.ask("bundle", 0, [], None)})
    threading.Thread(target=far.serve, daemon=True).start()
    with pytest.raises(KeyError):
        near.ask("run")
    far.handlers["run"] = lambda: far.ask("call", 5, [], {}, torch.random.get_rng_state())
    with pytest.raises(KeyError):
        near.ask("run")
