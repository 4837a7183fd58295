import pytest
import torch

from sepbook.architectures.streaming import Streaming


def test_the_mixin_itself_does_nothing():
    with pytest.raises(NotImplementedError):
        Streaming().start()
    with pytest.raises(NotImplementedError):
        Streaming().feed(None, torch.zeros(1, 1, 1))
    with pytest.raises(NotImplementedError):
        Streaming().flush(None)
