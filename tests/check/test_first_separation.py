from sepbook.evaluation.metrics import si_sdr
from tests.check.tables import *  # noqa: F403

RIGHT = [
    (1, lambda vocals, rest, gain_db: rest + 10 ** (gain_db / 20) * vocals),
    (2, (8, 4, 1, 513, 189)),
    (3, lambda bins, masks, istft, length: istft(bins[:, None] * masks, length)),
    (4, lambda e, s, m: si_sdr(e, s) - si_sdr(m.expand_as(s), s)),
    (3, lambda b, m, istft, n: istft(b.unsqueeze(1) * m, n).double()),
]
WRONG = [
    (1, lambda vocals, rest, gain_db: rest + gain_db * vocals, "the decibels themselves"),
    (1, lambda vocals, rest, gain_db: rest + 10 ** (gain_db / 10) * vocals, "for energies"),
    (1, lambda vocals, rest, gain_db: vocals + 10 ** (gain_db / 20) * rest, "applied to the rest"),
    (2, (8, 4, 1, 512, 189), "the highest one gets a mask"),
    (2, (8, 4, 1, 189, 513), "Frequency comes before time"),
    (3, lambda b, m, istft, n: istft(b[:, None] * (1 - m), n), "inverse mask"),
    (3, lambda b, m, istft, n: istft((b.abs()[:, None] * m) + 0j, n), "phase is lost"),
    (3, lambda b, m, istft, n: istft(b * m, n), "stops in"),
    (4, lambda e, s, m: si_sdr(m.expand_as(s), s) - si_sdr(e, s), "sign"),
    (4, lambda e, s, m: si_sdr(e, s), "without the comparison"),
    (3, lambda b, m, istft, n: istft(b[:, :, None] * m, n), "stops in"),
    (4, lambda e, s, m: (si_sdr(e, s) - si_sdr(m.expand_as(s), s)).abs(), "the values are not"),
]
