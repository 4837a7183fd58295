"""Who speaks: every base voice is one speaker, counted once over all packages, and belongs to one split.

The same person may sit in several packages (flite's slt is Festival's slt-hts), and some of Kokoro's voices are nearly
twins. ``SAME`` lists both kinds: no two of a row may stand in different splits (``tests/tools`` holds this).
"""

from dataclasses import dataclass

SPLITS = ("train", "valid", "test")
MORE = "more"  # voices for training alone, that only those hear who ask for more talkers
CROWD = "crowd"  # voices of no split, for a babble of many talkers


@dataclass(frozen=True)
class Speaker:
    """A base voice: who makes it speak, for which split, its licence and source, and what was measured of it."""

    engine: str
    voice: str  # the engine's name for it
    split: str
    f0: float  # Hz, median in speech
    licence: str
    source: str
    sings: bool = True  # its phones have times
    microphone: float = 0.0  # dB above 5 kHz: brings the recordings behind the voices closer together


CMU = dict(engine="flite", licence="CMU free licence", source="flite, Carnegie Mellon University")
CSTR = dict(engine="festival", licence="CSTR free licence", source="festvox-kdlpc16k, University of Edinburgh")
PICO = dict(engine="pico", licence="Apache-2.0", source="SVOX Pico, in py-nanotts 0.1.1", sings=False)
KOKORO = dict(engine="kokoro", licence="Apache-2.0", source="Kokoro-82M v1.0, hexgrad")
PROMPTS = dict(engine="recorded", licence="CC BY 3.0", sings=False)
CARLO = "Carlo Flora, Italian prompts of Asterisk, recorded by himself"
IVRVOICE = "IvrvoiceRU (Maxim Topal), Russian prompts of Asterisk, recorded"

SPEAKERS = {
    "slt": Speaker(voice="slt", split="train", f0=169, **CMU),
    "awb": Speaker(voice="awb", split="train", f0=126, microphone=8.0, **CMU),
    "kal16": Speaker(voice="kal16", split="train", f0=90, microphone=2.0, **CMU),
    "liam": Speaker(voice="am_liam", split="train", f0=114, **KOKORO),
    "eric": Speaker(voice="am_eric", split="train", f0=146, **KOKORO),
    "sky": Speaker(voice="af_sky", split="train", f0=150, **KOKORO),
    "river": Speaker(voice="af_river", split="train", f0=166, **KOKORO),
    "pico": Speaker(voice="en-US", split="train", f0=168, **PICO),
    "ked": Speaker(voice="ked_diphone", split="valid", f0=101, **CSTR),
    "george": Speaker(voice="bm_george", split="valid", f0=133, **KOKORO),
    "emma": Speaker(voice="bf_emma", split="valid", f0=179, **KOKORO),
    "rms": Speaker(voice="rms", split="test", f0=99, microphone=-6.0, **CMU),
    "onyx": Speaker(voice="am_onyx", split="test", f0=81, **KOKORO),
    "bella": Speaker(voice="af_bella", split="test", f0=200, **KOKORO),
    "isabella": Speaker(voice="bf_isabella", split="test", f0=200, **KOKORO),
    "carlo": Speaker(voice="it_IT_m_Carlo", split="test", f0=155, source=CARLO, **PROMPTS),
    "ivrvoice": Speaker(voice="ru_RU_f_IvrvoiceRU", split="test", f0=207, source=IVRVOICE, **PROMPTS),
    "adam": Speaker(voice="am_adam", split=CROWD, f0=107, **KOKORO),
    "puck": Speaker(voice="am_puck", split=CROWD, f0=103, **KOKORO),
    "fenrir": Speaker(voice="am_fenrir", split=CROWD, f0=127, **KOKORO),
    "sarah": Speaker(voice="af_sarah", split=CROWD, f0=178, **KOKORO),
    "pico_de": Speaker(voice="de-DE", split=CROWD, f0=169, **PICO),
    "pico_es": Speaker(voice="es-ES", split=CROWD, f0=196, **PICO),
    "pico_fr": Speaker(voice="fr-FR", split=CROWD, f0=195, **PICO),
    "pico_it": Speaker(voice="it-IT", split=CROWD, f0=178, **PICO),
}

# Further voices of Kokoro and their pitch (Hz), of many languages, all of which say English here. None is nearer to a
# voice of validation or test than half of what lies between two others (`tools/corpus/nearness.py`), and none is nearer
# than river, who is in train. Left out, beside the twins below: alice and yunxi, for that reason; nicole, who whispers.
FURTHER = """af_alloy 135, af_aoede 178, af_jessica 191, af_kore 140, af_nova 158, am_echo 103, am_michael 106,
am_santa 142, bm_daniel 118, bm_fable 115, bm_lewis 84, ef_dora 170, em_alex 128, em_santa 129, ff_siwis 200,
hf_alpha 208, hf_beta 177, hm_omega 124, hm_psi 124, if_sara 221, im_nicola 97, jf_alpha 254, jf_gongitsune 223,
jf_nezumi 225, jf_tebukuro 293, jm_kumo 88, zf_xiaobei 231, zf_xiaoni 226, zf_xiaoxiao 234, zf_xiaoyi 290,
zm_yunjian 108, zm_yunxia 285, zm_yunyang 105"""
SPEAKERS |= {
    voice: Speaker(voice=voice, split=MORE, f0=float(f0), **KOKORO)
    for voice, f0 in (row.split() for row in FURTHER.split(","))
}

# One person in two packages, and pairs of Kokoro's voices whose mean MFCCs lie nearer than 0.6 (a median pair: 1.35).
SAME = (
    ("flite kal16", "festival kal_diphone"),
    ("flite slt", "festival cmu_us_slt_arctic_hts"),
    ("kokoro af_heart", "kokoro bf_lily"),
    ("kokoro af_kore", "kokoro hf_alpha"),
    ("kokoro af_bella", "kokoro af_heart"),
    ("kokoro bm_lewis", "kokoro bm_daniel"),
)


def of_split(split, sings=False):
    """Names of the speakers of a split, all or only those who can sing."""
    return tuple(name for name, s in SPEAKERS.items() if s.split == split and (s.sings or not sings))


def speaker(name):
    """The speaker of a name. Raises ValueError with the names that there are."""
    if name not in SPEAKERS:
        raise ValueError(f"no speaker {name!r}: tools/corpus/speakers.py knows {', '.join(SPEAKERS)}")
    return SPEAKERS[name]
